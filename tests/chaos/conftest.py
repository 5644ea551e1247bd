"""The fault matrix: rows, and how many trials of each.

    @row("F1", q=10, f=200, telling=True)
    def test_kill_at_random(storm, trials, dice): ...

TURNOUT_CHAOS says which tier runs: "telling" (one trial of the ten most
telling rows), "Q" (all rows, q trials; the preset) or "F" (f trials).
TURNOUT_CHAOS_TRIALS=n takes n trials instead, for a slice of a campaign.
TURNOUT_CHAOS_REPORT=FILE gets a line of JSON for each row that ran;
with TURNOUT_CHAOS_LIST set, a collection prints the rows for the campaign.
A campaign takes slice=25 trials at a time, or what the row says.
"""

import json
import os
import sys
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e")]

import fixtures                         # noqa: E402
from fixtures import *                  # noqa: E402,F401,F403
from fixtures import started            # noqa: E402
from storm import Storm                 # noqa: E402

TIER = os.environ.get("TURNOUT_CHAOS", "Q")


def pytest_configure(config):
    fixtures.pytest_configure(config)
    config.addinivalue_line(
        "markers", "row(name, q, f, telling, slice): a row of the fault matrix")


def pytest_collection_modifyitems(config, items):
    """The tier chooses; a row that it leaves out is not a skip."""
    chosen = [item for item in items if TIER != "telling"
              or item.get_closest_marker("row").kwargs.get("telling")]
    left = [item for item in items if item not in chosen]
    config.hook.pytest_deselected(items=left)
    items[:] = chosen
    if "TURNOUT_CHAOS_LIST" in os.environ:
        for item in items:
            mark = item.get_closest_marker("row")
            print("\nROW " + json.dumps({
                "name": mark.args[0], "test": item.name,
                "file": str(item.path), "trials": mark.kwargs["f"],
                "slice": mark.kwargs.get("slice", 25)}))


def trials_of(item):
    if "TURNOUT_CHAOS_TRIALS" in os.environ:
        return int(os.environ["TURNOUT_CHAOS_TRIALS"])
    how = item.get_closest_marker("row").kwargs
    return {"telling": 1, "Q": how["q"], "F": how["f"]}[TIER]


@pytest.fixture
def trials(request):
    """range() over the trials of this run."""
    return range(trials_of(request.node))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    item.begin, item.outcome = time.monotonic(), "passed"
    yield
    report = os.environ.get("TURNOUT_CHAOS_REPORT")
    if report:
        with open(report, "a", encoding="utf-8") as f:
            f.write(json.dumps({
                "row": item.get_closest_marker("row").args[0],
                "test": item.name, "trials": trials_of(item),
                "outcome": item.outcome, "seed": item.config.seed,
                "notes": getattr(item, "notes", {}),
                "seconds": round(time.monotonic() - item.begin, 1)}) + "\n")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    result = yield
    outcome = result.get_result().outcome
    if outcome != "passed":
        item.outcome = outcome


@pytest.fixture
def note(request):
    """note(name=figure, ...): figures for the report and the terminal."""
    def add(**figures):
        request.node.notes = dict(getattr(request.node, "notes", {}),
                                  **figures)
        print(" ".join(f"{k}={v}" for k, v in figures.items()))
    return add


@pytest.fixture
def storm(servers, world, dice, request):
    """storm(partitions=..., rate=..., ...): a world under load; storm.py."""
    made = []

    def make(partitions=2, stack=None, settings=None, **how):
        w = world(stack or servers, partitions=partitions,
                  settings=settings or {"batch": {"max_messages": "200"}})
        made.append(Storm(w, dice, **how))
        return made[-1].begin()

    yield make
    for one in made:
        one.abandon()
