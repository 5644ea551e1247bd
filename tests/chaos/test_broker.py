"""Rows F13-F16 and F25-F28: brokers come and go, groups are shuffled, and
the clock jumps."""

import datetime
import signal
import time

import admin
import psycopg2
import pytest
import syscalls
from faketime import Clock
from fixtures import started
from replicas import Replicas
from stacklib import proc

row = pytest.mark.row
# Kafka's numbers (its protocol guide): requests, and what they answer.
FETCH, METADATA, FIND_COORDINATOR, JOIN, HEARTBEAT, SYNC = 1, 3, 10, 11, 12, 14
OUT_OF_RANGE, LOADING, NOT_COORDINATOR = 1, 14, 16
ILLEGAL_GENERATION, UNKNOWN_MEMBER, NOT_AUTHORIZED = 22, 25, 29


@row("F13", q=1, f=50, slice=10)
def test_the_broker_goes_away(storm, servers, trials):
    """Stopped, or killed; it comes back after some seconds, with its log."""
    s = storm()
    s.ingest()
    s.advance(1)
    for trial in trials:
        if trial % 2 == 0:
            servers.broker.stop()
        else:
            servers.broker.kill()
        time.sleep(s.moment(4))
        servers.broker.start()
        s.advance(100)
    s.judge()


@pytest.fixture
def three():
    """PostgreSQL, and three brokers that have every record; before storm,
    too."""
    stack = started(broker="none", only=("postgres",))
    replicas = stack.broker = Replicas(stack).start()
    yield stack
    replicas.kill()
    stack.broker = None
    stack.down()


@row("F13", q=2, f=30, slice=10)
def test_a_leader_dies_and_another_takes_over(three, storm, trials):
    """kill -9 of the broker that leads partition 0: nothing that it had
    acknowledged is lost, and all goes on without it."""
    s = storm(stack=three, partitions=3, readers=0)
    name = s.world.name
    ingest = s.ingest()
    for _ in trials:
        s.advance(100)
        assert proc.wait_until(lambda: three.broker.in_sync(name), 60, 0.2)
        leader, _ = three.broker.leads(name)[0]
        node, = (n for n in three.broker.nodes if n.node == leader)
        node.kill()
        assert proc.wait_until(
            lambda l=leader: three.broker.led_by_others(name, l), 30, 0.1)
        s.world.wait_stored(s.world.ends())
        s.advance(300)
        node.start()
    assert ingest.metrics()["turnout_ingest_partitions_stopped"] == 0
    s.judge()


@row("F14", q=1, f=10, slice=2)
def test_partitions_are_added(storm, trials):
    """Read from their beginning, also what came before they were seen; keys
    move, so that an RSVP has versions in two partitions."""
    s = storm(partitions=1)
    s.ingest()
    s.advance(1)
    for _ in trials:
        s.world.partitions += 2
        admin.grow(s.world.brokers, s.world.name, s.world.partitions)
        s.end_feed()
        s.begin_feed(s.seed)
        assert proc.wait_until(
            lambda: len(s.world.stored()) == s.world.partitions, 40), s.logs()
        s.advance(200)
    s.judge()
    s.assert_scattered()


@row("F15", q=6, f=100, telling=True)
def test_members_join_and_leave(storm, trials, note):
    """A rebalance every two seconds at most; nothing is applied by a daemon
    that lost its partition, and an RSVP's messages lie in several."""
    s = storm(partitions=6, scatter=True)
    members = {}
    rebalances = 0
    for _ in trials:
        number = s.dice.randrange(1, 5)
        if number in members:
            member = members.pop(number)
            member.stop() if s.dice.randrange(4) else member.kill()
        else:
            members[number] = s.world.ingest(
                number=number, rdkafka={"session.timeout.ms": "6000"})
        rebalances += 1
        time.sleep(s.moment(2))
    if not members:
        s.world.ingest(number=1)
    s.advance(1)
    note(rebalances=rebalances)
    s.judge()


@pytest.fixture
def mock():
    """PostgreSQL and a broker that fails when it is told to.  Named before
    storm, so that it ends after the daemons."""
    stack = started(broker="mock", only=("postgres", "broker"))
    yield stack
    stack.down()


@row("F16", q=3, f=20, slice=5)
def test_a_spurious_out_of_range(mock, storm, trials):
    """The broker says once that it does not have an offset that it has:
    looked at again, not believed."""
    s = storm(stack=mock, partitions=1, rate=100, readers=0)
    ingest = s.ingest()
    for _ in trials:
        s.advance(1)
        mock.broker.tell(f"errors {FETCH} {OUT_OF_RANGE} 1")
        s.advance(100)
    assert ingest.metrics()["turnout_ingest_partitions_stopped"] == 0
    s.judge()


@row("F25", q=1, f=20, slice=10)
def test_the_database_is_too_slow_for_the_group(storm, trials, directory):
    """A batch takes longer than max.poll.interval.ms, and so does the turn of
    the thread that is the group's member: the group takes its partitions."""
    s = storm(partitions=1, audit=False)
    s.world.query("ALTER ROLE turnout_ingest IN DATABASE " + s.world.name
                  + " SET lock_timeout = '60s'")
    ingest = s.ingest(rdkafka={"session.timeout.ms": "6000",
                               "max.poll.interval.ms": "7000"})
    for _ in trials:
        s.advance(1)
        before = ingest.given_up()
        holder = psycopg2.connect(s.world.dsn)
        holder.cursor().execute(
            "LOCK TABLE turnout.rsvps IN SHARE ROW EXCLUSIVE MODE")
        with syscalls.delayed(ingest.pid(), "futex", 9, directory):
            assert proc.wait_until(
                lambda was=before: ingest.given_up() > was, 30), s.logs()
        holder.close()
        s.advance(100)
    s.judge()


@row("F26", q=1, f=20, slice=5)
def test_the_broker_hangs(storm, servers, trials):
    """It accepts connections and never answers, for longer than a request
    may take; a daemon that is stopped meanwhile stops."""
    s = storm()
    ingest = s.ingest()
    for _ in trials:
        s.advance(1)
        servers.broker.signal(signal.SIGSTOP)
        try:
            time.sleep(12)
            ingest.signal(signal.SIGTERM)
            assert ingest.child.wait(5) == 0
            ingest.forget()
        finally:
            servers.broker.signal(signal.SIGCONT)
        ingest = s.ingest()
        s.advance(100)
    s.judge()


GROUP_ERRORS = [
    (FIND_COORDINATOR, LOADING), (FIND_COORDINATOR, NOT_COORDINATOR),
    (JOIN, NOT_COORDINATOR), (JOIN, UNKNOWN_MEMBER), (JOIN, LOADING),
    (SYNC, ILLEGAL_GENERATION), (SYNC, NOT_COORDINATOR),
    (HEARTBEAT, NOT_COORDINATOR), (HEARTBEAT, ILLEGAL_GENERATION),
    (HEARTBEAT, UNKNOWN_MEMBER), (FETCH, NOT_AUTHORIZED),
]
JOINING = (FIND_COORDINATOR, JOIN, SYNC)


@row("F27", q=11, f=55, slice=11)
def test_the_group_says_no(mock, storm, trials):
    """Each answer twice in a row, to a daemon that joins or to one that reads.
    librdkafka may take most of a minute to get over one; the mock keeps
    5 MiB."""
    s = storm(stack=mock, partitions=1, rate=10, readers=0)
    ingest = s.ingest()
    for trial in trials:
        api, code = GROUP_ERRORS[trial % len(GROUP_ERRORS)]
        s.advance(1)
        if api in JOINING:
            ingest.stop()
        mock.broker.tell(f"errors {api} {code} 2")
        if api in JOINING:
            ingest = s.ingest(start=False)
            ingest.spawn()
        assert proc.wait_until(
            lambda a=api: mock.broker.errors_left(a) == 0, 60, 0.2), (
            f"{api} was not asked for twice\n" + s.logs())
        s.advance(5, seconds=90)
    s.judge()


JUMPS = (3600, -3600, 86400, -86400)  # s


@row("F28", q=4, f=40, slice=20)
def test_the_clock_jumps(storm, trials, directory):
    """An hour or a day, there and back: times of messages are their own,
    times of ours are monotonic."""
    s, clock = storm(), Clock(directory, threads=True)
    ingest = s.ingest(start=False)
    ingest.extra_environment = clock.environment
    ingest.start()
    for trial in trials:
        s.advance(1)
        clock.move(JUMPS[trial % len(JUMPS)])
        s.advance(200)
    # It did jump: so says the time of what it logs at its end.
    ingest.stop()
    told = datetime.datetime.fromisoformat(ingest.logged_lines()[-1].split()[0])
    off = told.timestamp() - time.time() - JUMPS[trials[-1] % len(JUMPS)]
    assert abs(off) < 60, ingest.logged_lines()[-1]
    s.ingest()
    s.judge()
