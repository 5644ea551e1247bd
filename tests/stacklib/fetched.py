"""What ./bootstrap fetched into the virtual environment of the tests."""

import glob
import os

from . import proc

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def find(*parts):
    """The path of a file in it, * as in a shell, or Missing with its name."""
    for place in (os.environ.get("TURNOUT_PYTHON_VENV"),
                  os.path.join(TOP, ".deps-of-tests", "python")):
        # Only a whole one: the fetch may have been broken off.
        if place and os.path.exists(os.path.join(place, "complete")):
            for path in glob.glob(os.path.join(place, *parts)):
                return path
    raise proc.Missing(f"{parts[-1]} is not here; ./bootstrap fetches it")


def module(*parts):
    """As find(), below what Python imports."""
    return find("lib", "python*", "site-packages", *parts)
