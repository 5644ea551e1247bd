"""What the benchmarks share: tables, and what a process uses."""

import os
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                ".."))

from stacklib import proc               # noqa: E402
from stacklib.stack import TOP, Stack   # noqa: E402

__all__ = ["Memory", "Stack", "build", "generate", "main", "proc", "table"]


def build():
    return os.path.abspath(os.environ.get("TURNOUT_BUILDDIR", TOP))


def generate(path, count, events, seed=1):
    """Messages of tests/rsvpgen in a file; seconds that it took."""
    begin = time.monotonic()
    with open(path, "wb") as out:
        subprocess.run(
            [os.path.join(build(), "tests", "rsvpgen"), "--count", str(count),
             "--events", str(events), "--seed", str(seed)],
            stdout=out, check=True)
    return time.monotonic() - begin


def table(head, rows):
    """A table with columns as wide as they must be; numbers to the right."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [head, *rows])
              for i in range(len(head))]
    for row in [head, *rows]:
        cells = [cell.ljust(width) if i == 0 else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        print("  ".join(cells).rstrip())
    sys.stdout.flush()


class Memory(threading.Thread):
    """The greatest resident size of a process while this runs, in MiB."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid = pid
        self.over = threading.Event()
        self.most = 0.0
        self.start()

    def run(self):
        while not self.over.wait(0.05):
            try:
                with open(f"/proc/{self.pid}/status") as f:
                    for line in f:
                        if line.startswith("VmRSS:"):
                            self.most = max(self.most,
                                            int(line.split()[1]) / 1024)
            except OSError:
                return

    def end(self):
        self.over.set()
        self.join()
        return self.most


def main(run):
    """run() with the exit statuses of the stack: 77 = a program is missing."""
    try:
        run()
    except proc.Missing as why:
        print(f"skip: {why}")
        sys.exit(77)
    except proc.StackError as why:
        print(f"bench: {why}", file=sys.stderr)
        sys.exit(1)
