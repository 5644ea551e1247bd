"""Rows F47, F48 and F49: a node of the Redis ring lies.

It is a fake (fakeredis.py) beside two real ones.  A lie costs a question at
most its time for Redis; no answer is wrong, and a connection that lied is
not used again.
"""

import fakeredis
import pytest
from asking import BAD, ERRORS, FRESH, SLOWEST, Askers, Met
from fakeredis import FakeRedis
from stacklib import proc

row = pytest.mark.row
RETRY = 0.1  # s that a node is left alone
LIES = [fakeredis.drip, fakeredis.silence, fakeredis.cut, fakeredis.garbage,
        fakeredis.huge, fakeredis.nested, fakeredis.unasked,
        fakeredis.unasked_later]
# What counts these: time may be up before so many bytes are there, and an
# answer that nobody asked for may be taken for the next question's.
NOT_OURS = {fakeredis.huge: [BAD, ERRORS],
            fakeredis.unasked_later: [BAD, ERRORS]}
# What a server may say to a GET or a SET; all of them are kept by hiredis as
# an answer like any other.
REFUSALS = [
    "OOM command not allowed when used memory > 'maxmemory'.",
    "READONLY You can't write against a read only replica.",
    "LOADING Redis is loading the dataset in memory",
    "NOAUTH Authentication required.",
    "WRONGPASS invalid username-password pair or user is disabled.",
    "NOPERM this user has no permissions to run the 'get' command",
    "MISCONF Redis is configured to save RDB snapshots, but cannot.",
    "BUSY Redis is busy running a script.",
    "MASTERDOWN Link with MASTER is down.",
    "MOVED 3999 127.0.0.1:6381",
    "ASK 3999 127.0.0.1:6381",
    "CLUSTERDOWN The cluster is down",
    "NOREPLICAS Not enough good replicas to write.",
    "WRONGTYPE Operation against a key holding the wrong kind of value",
]


def settings(timeout_ms=100, retry_ms=RETRY * 1000):
    return {"redis": {"timeout_ms": round(timeout_ms),
                      "retry_ms": round(retry_ms)}}


@pytest.fixture
def lied_to(storm, servers, dice):
    """lied_to(fcgi): a storm and its ring's fake node."""
    with FakeRedis(dice) as fake:
        def make(fcgi):
            nodes = [fake.node()] + [r.node() for r in servers.redis[:2]]
            s = storm(rate=300, readers=1, nodes=nodes, fcgi=fcgi)
            s.ingest()
            return s, fake
        yield make


def tell(fake, lie, times, seconds=20):
    """That lie, at least so many times; how many it was."""
    before = fake.told[lie]
    fake.lie = lie
    assert proc.wait_until(lambda: fake.told[lie] >= before + times,
                           seconds), fake.told
    fake.lie = None
    return fake.told[lie] - before


def truth(s, fake):
    """The node is itself again, and is used."""
    fake.lie = None
    stored = len(fake.store)
    Met(s.world).wait_for(FRESH, count=10)
    assert proc.wait_until(lambda: len(fake.store) > 0, 10), stored


@row("F47", q=2, f=20, slice=10)
def test_a_node_lies_in_its_protocol(lied_to, trials, note):
    s, fake = lied_to(settings())
    too_long = 0
    with Askers(s.world) as askers:
        for _ in trials:
            for lie in LIES:
                truth(s, fake)
                fake.after = 0
                counted = Met(s.world)
                tell(fake, lie, 3)
                # Each is a fault but for a value that is none of ours, by
                # its size or its key.
                counted.wait_for(*NOT_OURS.get(lie, [ERRORS]), count=3)
                too_long += counted.more(BAD) * (lie is fakeredis.huge)
                # Its second answer may be under way with the next question.
                limit = 2 if lie is fakeredis.unasked_later else 0
                assert fake.after <= limit, lie.__doc__
    note(lies=fake.met, p99_ms=askers.percentile(0.99),
         slowest_ms=askers.percentile(1))
    assert too_long > 0
    askers.judge(slowest=SLOWEST)
    s.judge()


@row("F48", q=20, f=1000, slice=500, telling=True)
def test_answers_come_too_late(lied_to, trials, note):
    """A trial is an answer whose question was given up."""
    timeout = 0.02
    s, fake = lied_to(settings(timeout * 1000, 10))
    counted = Met(s.world)
    with Askers(s.world, clients=4, pause=0.001) as askers:
        fake.lie = fakeredis.late(timeout)
        assert proc.wait_until(
            lambda: fake.after or fake.late >= len(trials),
            60 + len(trials))
        fake.lie = None
    note(late=fake.late, answers=askers.answers)
    assert fake.after == 0
    assert counted.more(ERRORS) >= len(trials)
    askers.judge()
    s.judge()


@row("F48", q=20, f=1000, slice=500)
def test_answers_belong_to_another_key(lied_to, trials, note):
    """A trial is a value of another board; it is refused, and its
    connection is not trusted any more."""
    s, fake = lied_to(settings())
    counted = Met(s.world)
    with Askers(s.world, clients=4, pause=0.001) as askers:
        fake.lie = fakeredis.another_key
        assert proc.wait_until(
            lambda: fake.after or counted.more(BAD) >= len(trials),
            60 + len(trials))
        fake.lie = None
    note(other_keys=fake.met, answers=askers.answers)
    assert fake.after == 0
    # Or the worker had given its question up by then.
    assert counted.more(BAD, ERRORS) >= fake.met
    askers.judge()
    s.judge()


@row("F49", q=1, f=10)
def test_a_node_refuses(lied_to, trials, note):
    """An error reply is a miss and is counted, and the node is left alone
    for a while; unless only the key is to blame."""
    s, fake = lied_to(settings(timeout_ms=900, retry_ms=300))
    with Askers(s.world) as askers:
        for _ in trials:
            for text in REFUSALS:
                truth(s, fake)
                counted = Met(s.world)
                times = tell(fake, fakeredis.error(text), 4)
                name = BAD if text.startswith("WRONGTYPE") else ERRORS
                counted.wait_for(name, count=times)
    note(refusals=fake.met)
    assert fake.after == 0
    askers.judge()
    s.judge()
