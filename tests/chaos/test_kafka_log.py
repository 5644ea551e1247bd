"""Rows F17-F22 and F24: the log is not what it was, or has what nobody may read.

Where records that were not applied are gone, or others are in their places,
the partition stops until the operator has decided: never a silent reset.
"""

import signal

import admin
import kafka
import pytest
from cost import memory, memory_limit
from fixtures import started
from messages import message
from segment import Segment
from stacklib import proc
from transactions import Transactions

row = pytest.mark.row
STOPPED = "turnout_ingest_partitions_stopped"
# A group that does not give up on a daemon, which would look again for that.
PATIENT = {"session.timeout.ms": "60000"}
# And it does not come back to a broker before its log has grown again.
LATE = dict(PATIENT, **{"reconnect.backoff.ms": "20000",
                        "reconnect.backoff.max.ms": "20000"})


def quiet(s):
    """Everything that was sent is stored; nothing is sent any more."""
    s.end_feed()
    s.world.wait_stored(s.world.ends())


def keep(w):
    """What is applied stays so when the log forgets it: tell the judge."""
    stored, log = w.stored(), w.log
    kept = [r for r in log() if r.offset < stored[r.partition]]
    w.log = lambda: kept + list(log())


def grown(w, by):
    """Until the log of partition 0 has so many more records."""
    goal = w.ends()[0] + by
    assert proc.wait_until(lambda: w.ends()[0] >= goal, 60, 0.1)


def told(ingest):
    """Why it stopped, in the log; since its last start."""
    return [line for line in ingest.logged_lines()
            if " error: stopped " in line]


def stops(s, ingest, before=0):
    """The partition is, and nothing moves it.  It is told once; a rebalance,
    as when a topic is made anew, looks again and tells again.  before: how
    often this daemon had told of an earlier fault."""
    w = s.world
    assert proc.wait_until(lambda: ingest.metrics()[STOPPED] == 1
                           and len(told(ingest)) > before, 40), s.logs()
    stored = w.stored()
    grown(w, 300)
    assert w.stored() == stored
    assert proc.wait_until(lambda: ingest.metrics()[STOPPED] == 1, 40), (
        s.logs())
    assert len(told(ingest)) <= before + 2, told(ingest)
    return stored[0]


def go_on(s, to):
    """The operator decides where the stopped partition goes on; a version may
    be less from then on."""
    w = s.world
    if s.readers:
        s.readers.earlier.versions = False
    done = w.command("offsets", "set", "--partition", "0", "--expect",
                     str(w.stored()[0]), "--to", str(to), "--reason", "chaos",
                     kafka={"brokers": w.brokers})
    assert done.returncode == 0, done.stderr


def goes_on(s, ingest, to):
    go_on(s, to)
    s.world.wait_stored(s.world.ends(), patience=40)
    assert ingest.metrics()[STOPPED] == 0
    assert s.world.query("SELECT count(*) FROM turnout.offset_changes") > [
        (0,)]


@row("F17", q=1, f=10, slice=5)
def test_retention_takes_what_was_not_read(storm, trials, note):
    """The log begins above the stored offset: stopped; the operator accepts
    the gap."""
    s = storm(partitions=1)
    w, lost = s.world, 0
    ingest = s.ingest()
    for _ in trials:
        s.advance(100)
        ingest.stop()
        stored = w.stored()[0]
        low = stored + s.dice.randrange(1, 300)
        assert proc.wait_until(lambda goal=low: w.ends()[0] > goal, 30, 0.1)
        keep(w)
        admin.delete_before(w.brokers, w.name, low)
        ingest = s.ingest()
        assert stops(s, ingest) == stored
        goes_on(s, ingest, low)
        lost += low - stored
    note(lost=lost)
    s.judge()


def cut(s, broker):
    """The broker dies, and has forgotten the end of its log: an unclean
    election.  The new end."""
    broker.kill()
    segment = Segment(broker, s.world.name, 0)
    last = segment.batches()[-1].last
    end = segment.cut(s.dice.randrange(1, last + 1))
    broker.start()
    assert proc.wait_until(lambda: s.world.ends() == {0: end}, 30, 0.1)
    return end


@row("F18", q=1, f=10, slice=5)
def test_the_log_ends_before_what_was_read(storm, servers, trials):
    """Stopped, also when the daemon runs meanwhile."""
    s = storm(partitions=1)
    ingest = s.ingest()
    for trial in trials:
        s.advance(300)
        quiet(s)
        keep(s.world)
        stored = s.world.stored()[0]
        if trial % 2 == 0:
            ingest.stop()
        assert cut(s, servers.broker) < stored
        if trial % 2 == 0:
            ingest = s.ingest()
        assert proc.wait_until(lambda: ingest.metrics()[STOPPED] == 1, 40), (
            s.logs())
        s.begin_feed()
        assert stops(s, ingest) == stored
        goes_on(s, ingest, "low")
    s.judge()


@row("F19", q=3, f=12, slice=3)
def test_the_log_was_cut_and_has_grown_again(storm, servers, trials):
    """Offsets do not show it: the record that was read last is another.  While
    the daemon is away, or sleeps, or has no connection."""
    s = storm(partitions=1)
    ingest = s.ingest(rdkafka=LATE)
    for trial in trials:
        s.advance(300)
        quiet(s)
        keep(s.world)
        stored = s.world.stored()[0]
        how = ("away", "asleep", "alone")[trial % 3]
        before = 0 if how == "away" else len(told(ingest))
        if how == "away":
            ingest.stop()
        elif how == "asleep":
            ingest.signal(signal.SIGSTOP)
        end = cut(s, servers.broker)
        s.begin_feed()
        grown(s.world, stored - end + 100)
        if how == "away":
            ingest = s.ingest(rdkafka=LATE)
        elif how == "asleep":
            ingest.signal(signal.SIGCONT)
        assert stops(s, ingest, before) == stored
        goes_on(s, ingest, "low")
    s.judge()


def make_anew(w):
    admin.delete_topic(w.brokers, w.name)
    w.stack.broker.make_topic(w.name, w.partitions)
    assert proc.wait_until(lambda: w.ends() == {0: 0}, 30, 0.1)


@row("F20", q=2, f=10, slice=4)
def test_the_topic_was_made_anew(storm, trials):
    """While the daemon is away, or sleeps, or under it; with fewer records
    than were read, or more."""
    s = storm(partitions=1)
    ingest = s.ingest(rdkafka=PATIENT)
    for trial in trials:
        s.advance(300)
        quiet(s)
        keep(s.world)
        stored = s.world.stored()[0]
        how = ("away for long", "under it", "away", "asleep")[trial % 4]
        if how.startswith("away"):
            ingest.stop()
        elif how == "asleep":
            ingest.signal(signal.SIGSTOP)
        make_anew(s.world)
        s.begin_feed()
        if how in ("asleep", "away for long"):
            grown(s.world, stored + 100)
        if how.startswith("away"):
            ingest = s.ingest(rdkafka=PATIENT)
        elif how == "asleep":
            ingest.signal(signal.SIGCONT)
        assert stops(s, ingest) == stored
        goes_on(s, ingest, "low")
    s.judge()


@pytest.fixture
def another():
    """Kafka that was formatted on its own: another cluster."""
    stack = started(broker="kafka", only=("broker",))
    yield stack
    stack.broker.kill()
    stack.down()


@row("F20", q=1, f=10, slice=5)
def test_the_cluster_was_replaced(storm, another, trials):
    """There and back: each time it is another than the stored one."""
    s = storm(partitions=1)
    w = s.world
    places = [another.broker, w.stack.broker]
    another.broker.make_topic(w.name, 1)
    ingest = s.ingest()
    for trial in trials:
        s.advance(300)
        quiet(s)
        keep(w)
        stored = w.stored()[0]
        ingest.stop()
        w.brokers = places[trial % 2].brokers()
        s.begin_feed()
        grown(w, 100)
        ingest = s.ingest()
        assert stops(s, ingest) == stored
        goes_on(s, ingest, "low")
    s.judge()


@row("F22", q=3, f=50, slice=10)
def test_a_bit_of_the_log_is_turned_round(storm, servers, trials, note):
    """Nothing from the damaged batch on is applied; it is repaired, and the
    partition goes on where it stood."""
    s = storm(partitions=1)
    ingest, flips = s.ingest(), 0
    for _ in trials:
        s.advance(100)
        ingest.stop()
        stored = s.world.stored()[0]
        grown(s.world, 300)
        segment = Segment(servers.broker, s.world.name, 0)
        batch = segment.holding(stored + s.dice.randrange(200))
        repair = segment.flip(batch, s.dice)
        ingest = s.ingest()
        where = stops(s, ingest)
        assert stored <= where <= max(batch.first, stored)
        repair()
        goes_on(s, ingest, where)
        flips += 1
    note(flips=flips)
    s.judge()


def ours(number, response="yes"):
    """A message of an RSVP that no generator makes."""
    return kafka.out(message(10 ** 15 + number, f"t{number}",
                             response=response))


@row("F21", q=1, f=10, slice=5)
def test_transactions_are_committed_and_given_up(storm, trials, note):
    """What was given up is not applied, markers are passed over, and the
    last record that is read may lie before many that are not."""
    s = storm(partitions=1)
    w, number = s.world, 0
    want, seen = set(), {True: 0, False: 0}
    ingest = s.ingest()
    with Transactions(w.brokers, w.name) as t:
        for _ in trials:
            for _ in range(12):
                commit = s.dice.randrange(2) == 1
                some = range(number, number + s.dice.randrange(1, 40))
                t.run([ours(n) for n in some], commit)
                number = some.stop
                seen[commit] += 1
                if commit:
                    want |= {10 ** 15 + n for n in some}
            t.run([ours(n) for n in range(number, number + 500)], False)
            number += 500
            ingest.kill()
            ingest = s.ingest()
            s.advance(100)
    note(committed=seen[True], given_up=seen[False] + len(trials))
    s.end_feed()
    w.produce([ours(number)])  # an end that is no marker
    assert {i for i, in w.query("SELECT rsvp_id FROM turnout.rsvps"
                                " WHERE rsvp_id >= 10 ^ 15")} == want | {
        10 ** 15 + number}
    assert ingest.metrics()[STOPPED] == 0
    s.judge()


def odd(number):
    """Records that are as large, as empty and as laden as records get: (what,
    whether it is applied)."""
    good = ours(number).value
    headers = [(b"h", b"\0" * 40)] * 1000
    return [
        (kafka.out(b"x" * 10485760), False),
        (kafka.out(good[:-1] + b" " * 2097152 + b"}"), False),
        (kafka.out(None, key=b"tombstone"), False),
        (kafka.out(b"", headers=headers), False),
        (kafka.out(ours(number + 1).value, key=b"\0" * 524288), True),
        (kafka.out(ours(number + 2).value, key=None, headers=headers), True),
    ]


@row("F24", q=1, f=5)
def test_records_are_huge_or_empty(storm, trials, note):
    """10 MB, which is more than one fetch; no value; 1,000 headers; a key of
    512 KiB.  Each is a dead letter or applied, and none holds up the rest."""
    s = storm(partitions=1, settings={"batch": {"max_messages": "200"}})
    ingest, want, letters = s.ingest(), set(), 0
    for trial in trials:
        s.advance(100)
        records = odd(10 * trial)
        s.world.produce([r for r, _ in records])
        want |= {10 ** 15 + 10 * trial + n for n in (1, 2)}
        letters += sum(not applied for _, applied in records)
        s.advance(100)
    note(dead_letters=letters, MiB=round(memory(ingest.pid(), "VmHWM")))
    assert {i for i, in s.world.query("SELECT rsvp_id FROM turnout.rsvps"
                                      " WHERE rsvp_id >= 10 ^ 15")} == want
    assert memory(ingest.pid(), "VmHWM") < memory_limit()
    s.judge()
