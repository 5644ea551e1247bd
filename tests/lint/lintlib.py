"""What the lint tests share: the tree's own files, and how a test ends."""

import os
import shutil
import subprocess
import sys

SRC = os.path.abspath(os.environ.get(
    "TURNOUT_SRCDIR",
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")))

# Not ours to judge: made by autotools, or by a build in the source tree.
MADE = {"build-aux", "autom4te.cache", ".deps", ".deps-of-tests", "Testing",
        "__pycache__", ".git", ".pytest_cache", "_build", "_inst",
        "aclocal.m4", "config.h.in", "configure", "Makefile.in"}


def files(*endings):
    """Paths, from the top of the tree, of our files with such an ending.

    What git tracks or would track; of a tarball, everything in it.
    """
    done = subprocess.run(
        ["git", "-C", SRC, "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"], capture_output=True, text=True, check=False)
    found = done.stdout.split("\0") if done.returncode == 0 else []
    if not any(found):
        found = []
        for where, dirs, names in os.walk(SRC):
            dirs[:] = [d for d in dirs if d not in MADE]
            found += [os.path.relpath(os.path.join(where, n), SRC)
                      for n in names if n not in MADE]
    return sorted(f for f in set(found) if f and f.endswith(endings or ("",))
                  and os.path.isfile(os.path.join(SRC, f)))


def read(path):
    with open(os.path.join(SRC, path), encoding="utf-8",
              errors="replace") as f:
        return f.read()


def rooms(path):
    """Whether it is product code, not a test."""
    return path.split("/")[0] in ("lib", "ingest", "fcgi")


def need(name):
    """The path of a program; without it the test is skipped (77)."""
    path = shutil.which(name)
    if path is None:
        print(f"skip: {name} is not installed")
        sys.exit(1 if os.environ.get("TURNOUT_SKIPS_AS_FAILS") == "1" else 77)
    return path


def finish(faults, looked_at):
    """Print the faults and end; a test that looked at nothing is a fault."""
    for fault in faults:
        print(fault)
    if looked_at == 0:
        print("nothing was looked at: the test is broken")
        sys.exit(1)
    print(f"{looked_at} looked at, {len(faults)} faults")
    sys.exit(1 if faults else 0)
