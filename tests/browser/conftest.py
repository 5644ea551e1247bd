"""One chromium and one site full of hostile names for all tests here."""

import os
import sys

import pytest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import browser as chromium              # noqa: E402
from website import Site, crowd, hostile  # noqa: E402
from stacklib import proc               # noqa: E402


@pytest.fixture(scope="session")
def site():
    made = Site()
    try:
        made.up()
    except proc.Missing as why:
        pytest.skip(str(why))
    try:
        made.fill(hostile(made.now))
        made.fill(crowd(made.stack.settings["build"], made.now))
        yield made
    finally:
        made.down()


@pytest.fixture(scope="session")
def one_browser():
    try:
        made = chromium.start()
    except proc.Missing as why:
        pytest.skip(str(why))
    yield made
    made.quit()


@pytest.fixture
def browser(one_browser):
    one_browser.reset()
    return one_browser
