"""Rows E1 and E2, which the matrix does not have: each half of exactly-once
on its own."""

import json
import os
import tempfile

import pytest
from stacklib import proc
from stacklib.patched import Patched

row = pytest.mark.row
HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.fixture(scope="module")
def no_version_rule():
    """A build without the version rule."""
    with tempfile.TemporaryDirectory(prefix="turnout-build-") as folder:
        os.chmod(folder, 0o755)
        src = os.path.abspath(os.environ.get(
            "TURNOUT_SRCDIR", os.path.join(HERE, "..", "..")))
        build = Patched(src, folder)
        build.patch(os.path.join(HERE, "no-version-rule.patch"))
        yield build.configure().build


def once_each(path, to):
    """Of each RSVP its first message; writes them, and returns how many."""
    seen = set()
    with open(path, "rb") as lines, open(to, "wb") as out:
        for line in lines:
            number = json.loads(line)["rsvp_id"]
            if number not in seen:
                seen.add(number)
                out.write(line)
    return len(seen)


@row("E1", q=5, f=100, slice=25)
def test_the_compare_and_swap_alone(
        servers, world, no_version_rule, generate, dice, trials, directory):
    """Nothing is sent twice, the daemon is killed, and its build cannot take
    a row twice: it would be a dead letter."""
    w = world(servers, settings={"batch": {"max_messages": "100"}})
    w.build = no_version_rule
    path = os.path.join(directory, "once")
    count = once_each(generate(len(trials) * 400, seed=dice.randrange(999)),
                      path)
    w.send(path)
    goals = sorted(dice.randrange(count * 9 // 10) for _ in trials)
    for number, goal in enumerate(goals):
        ingest = w.ingest(group=f"{w.name}-{number}")
        assert proc.wait_until(
            lambda g=goal: sum((w.stored() or {}).values()) >= g, 60, 0.005)
        ingest.kill()
    w.ingest(group=f"{w.name}-last")
    w.wait_stored(w.ends())
    want, _ = w.judge()
    assert not want.bad and len(want.rsvps) == count


@row("E2", q=2, f=20, slice=10)
def test_the_version_rule_alone(
        servers, world, generate, dice, trials):
    """Offsets are set back by 10,000, and all of that comes again."""
    w = world(servers)
    ingest = w.ingest()
    for number in trials:
        w.feed(generate(12000, seed=dice.randrange(999), bad=1))
        ingest.stop()
        w.query("UPDATE turnout.ingest_offsets SET last_offset = NULL,"
                " next_offset = next_offset - 10000")
        ingest = w.ingest(group=f"{w.name}-{number}")
        w.wait_stored(w.ends())
    w.judge()
