"""Faults in the system calls of one thread, by strace."""

import contextlib
import os
import subprocess

from stacklib import proc


def threads(pid):
    """{name: id} of the threads of a process; the first has the pid."""
    found = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm", encoding="ascii") as f:
            found[f.read().strip()] = int(task)
    return found


def inject(thread, call, what, log):
    """strace of that thread alone, attached; what is done to its system call
    is as strace's manual has it behind inject=CALL."""
    strace = proc.program("strace")
    child = subprocess.Popen(
        [strace, "-p", str(thread), "-e", f"trace={call}",
         "-e", f"inject={call}:{what}", "-o", log],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    line = child.stderr.readline()
    assert "attached" in line, line
    return child


@contextlib.contextmanager
def delayed(thread, call, seconds, directory):
    """The next such call of the thread takes so long; the other threads of
    its process go on."""
    strace = inject(thread, call, f"delay_enter={seconds * 1000000}:when=1",
                    os.path.join(directory, "delayed.log"))
    try:
        yield
    finally:
        strace.terminate()
        strace.communicate()
