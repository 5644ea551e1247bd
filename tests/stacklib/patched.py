"""A copy of the sources and a build of it, to be patched: a test build."""

import os
import shutil
import subprocess

NOT_SOURCES = [".git", ".deps-of-tests", "autom4te.cache", "_build"]
# All that tests start; one goal a call, as they are made anew often.
PROGRAMS = ["all", "tests/rsvpgen", "tests/kafkafeed", "tests/mockbroker"]
LONG = 900  # seconds; a bug may make a test hang


def call(words, cwd, env=None, limit=LONG):
    """(status, output) of a command; a hang is 124, as timeout(1) has it."""
    try:
        done = subprocess.run(
            words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
            errors="replace", timeout=limit)
    except subprocess.TimeoutExpired as late:
        return 124, str(late.stdout)
    return done.returncode, done.stdout


class Patched:
    """The sources of src and a build of them in a folder, apart from
    everything else.  env is what tests of this build need."""

    def __init__(self, src, folder):
        self.src = os.path.join(folder, "src")
        self.build = os.path.join(folder, "build")
        self.env = dict(os.environ, TURNOUT_SRCDIR=self.src,
                        TURNOUT_BUILDDIR=self.build,
                        PYTHONDONTWRITEBYTECODE="1")
        self.env.setdefault("TURNOUT_KAFKA_JARS", os.path.join(
            src, ".deps-of-tests", "kafka"))
        os.makedirs(self.build)
        shutil.copytree(src, self.src, symlinks=True,
                        ignore=shutil.ignore_patterns(*NOT_SOURCES))
        # A tree that was configured cannot be built in another folder.
        if os.path.exists(os.path.join(self.src, "config.status")):
            self.must(["make", "-s", "distclean"], self.src)

    def configure(self):
        self.must([os.path.join(self.src, "configure"), "-q",
                   "--disable-maintainer-mode"], self.build)
        self.make()
        return self

    @staticmethod
    def must(words, cwd):
        status, output = call(words, cwd)
        if status != 0:
            raise RuntimeError(f"{' '.join(words)} failed:\n{output[-3000:]}")

    def make(self):
        for goal in PROGRAMS:
            self.must(["make", "-s", "-j2", goal], self.build)

    def patch(self, path, *options):
        self.must(["patch", "-p1", "-s", "-i", path, *options], self.src)
