"""A wall clock that jumps, by libfaketime."""

import glob
import os

import pytest


class Clock:
    """The wall clock of servers that start with its environment; their
    monotonic one goes on as ever."""

    def __init__(self, directory, threads=False):
        name = "libfaketimeMT" if threads else "libfaketime"
        found = glob.glob(f"/usr/lib/*/faketime/{name}.so.1")
        if not found:
            pytest.skip("libfaketime is not installed")
        self.path = os.path.join(directory, "clock")
        self.environment = {
            "LD_PRELOAD": found[0], "FAKETIME_TIMESTAMP_FILE": self.path,
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # A sanitizer build insists on being the first library.
            "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"}
        self.move(0)

    def move(self, seconds):
        """To so much before or after the time that it is."""
        with open(self.path + ".new", "w", encoding="ascii") as f:
            f.write(f"{seconds:+d}\n")
        os.replace(self.path + ".new", self.path)
