"""Ingest is killed, stopped, doubled, and its database goes away: the state
stays a function of the messages.  Real Kafka; the oracle judges."""

import os
import signal
import socket
import statistics
import threading
import time

import psycopg2
import pytest
import state
from kafka import out
from messages import MTIME, message, neighbour
from proxy import CommitLoser
from stacklib import proc

KILLS = int(os.environ.get("TURNOUT_KILLS", "10"))
MESSAGES = int(os.environ.get("TURNOUT_KILL_MESSAGES",
                              "200000" if KILLS >= 50 else "10000"))
# So small that a feed takes many batches, and a fault meets one of them.
SMALL = {"batch": {"max_messages": "200"}}


class Auditor:
    """Asks again and again, while faults run, whether counters are the rows,
    and whether offsets only grow.

    After a crash of PostgreSQL they may go back, with their rows: ingest
    does not wait for the disk.
    """

    def __init__(self, world, may_go_back=False):
        self.world = world
        self.may_go_back = may_go_back
        self.wrong = []
        self.looks = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        last = 0
        while not self.over.wait(0.02):
            try:
                wrong, now = state.audit(self.world.dsn)
            except Exception:  # pylint: disable=broad-except
                continue  # PostgreSQL is down just now
            self.looks += 1
            self.wrong += wrong
            if now < last and not self.may_go_back:
                self.wrong.append(f"offsets went back from {last} to {now}")
            last = now

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        assert not self.wrong, self.wrong[:5]
        assert self.looks > 3


def total(world):
    return sum((world.stored() or {}).values())


def wait_total(world, goal, seconds=60):
    assert proc.wait_until(lambda: total(world) >= goal, seconds, 0.005), (
        f"{total(world)} of {goal} stored\n"
        + "\n".join(proc.tail(s.log) for s in world.servers))


def deadlocks(world):
    # Backends report when they end; all of the world's have.
    return world.query("SELECT deadlocks FROM pg_stat_database"
                       " WHERE datname = current_database()")[0][0]


def test_ingest_killed_at_random_ends_as_if_never_killed(
        kafka, world, generate, dice):
    w = world(kafka, partitions=2, settings=SMALL)
    w.send(generate(MESSAGES, seed=dice.randrange(1000), bad=1))
    kills = 0
    goals = sorted(dice.randrange(MESSAGES * 9 // 10) for _ in range(KILLS))
    with Auditor(w):
        for goal in goals:
            # A group of its own: the dead one is a member for 10 s more.
            ingest = w.ingest(start=False, group=f"{w.name}-{kills}")
            ingest.spawn()
            wait_total(w, goal)
            time.sleep(dice.random() * 0.03)
            ingest.kill()
            kills += 1
        w.ingest(group=f"{w.name}-last")
        w.wait_stored(w.ends())
    assert kills == KILLS
    w.judge()


def test_a_member_of_the_group_takes_over_from_one_that_was_killed(
        kafka, world, generate):
    w = world(kafka, settings=SMALL)
    # The broker takes it for alive so long, and lets the next one wait.
    ingest = w.ingest(rdkafka={"session.timeout.ms": "6000"})
    w.send(generate(3000))
    wait_total(w, 200)
    ingest.kill()
    ingest.start()
    w.wait_stored(w.ends(), patience=30)
    w.judge()


@pytest.mark.parametrize("mode", ["fast", "immediate", "crash"])
def test_postgres_is_restarted_in_the_middle_of_a_feed(
        kafka, world, generate, mode):
    w = world(kafka, settings=SMALL)
    ingest = w.ingest()
    with Auditor(w, may_go_back=mode != "fast"):
        w.send(generate(6000, seed=3))
        for part in (1, 2):
            wait_total(w, 2000 * part)
            kafka.postgres.restart(mode)
        w.wait_stored(w.ends())
    w.judge()
    assert ingest.pid() is not None


def test_backends_are_terminated_all_the_time(kafka, world, generate):
    w = world(kafka, settings=SMALL)
    ingest = w.ingest()
    w.send(generate(4000, seed=4))
    with Auditor(w):
        for part in range(1, 9):
            wait_total(w, part * 400)
            w.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE usename = 'turnout_ingest'"
                    " AND datname = current_database()")
        w.wait_stored(w.ends())
    w.judge()
    told = ingest.metrics()
    assert told["turnout_ingest_retries_total"] > 0


def test_a_commit_of_unknown_outcome_is_resolved_from_the_database(
        kafka, world, generate, directory):
    w = world(kafka, settings=SMALL)
    w.send(generate(4000, seed=14, bad=1))
    with CommitLoser(directory, kafka.postgres.host + "/.s.PGSQL.5432") as p:
        ingest = w.ingest(pg={"conninfo": f"host={directory} port=5432"
                              f" dbname={w.name} user=turnout_ingest"})
        with Auditor(w):
            w.wait_stored(w.ends())
        told = ingest.metrics()
        ingest.stop()
    assert p.lost > 1 and p.swallowed > 1
    name = 'turnout_ingest_resolved_total{outcome="%s"}'
    # One commit in hand is answered by nobody when the proxy ends.
    # Not all were of batches: the first start commits, too.
    assert 1 < told[name % "committed"] <= p.swallowed
    assert 1 < told[name % "not_committed"] <= p.lost
    assert told["turnout_ingest_fenced_total"] == 0
    w.judge()


def test_a_commit_is_resolved_by_a_partition_that_went_on(
        kafka, world, directory):
    """The first of the batch's partitions has nothing new."""
    w = world(kafka, partitions=2, settings=SMALL)
    with CommitLoser(directory, kafka.postgres.host + "/.s.PGSQL.5432") as p:
        ingest = w.ingest(pg={"conninfo": f"host={directory} port=5432"
                              f" dbname={w.name} user=turnout_ingest"})
        for n in range(1, 201):
            w.produce([out(neighbour(n), partition=1)], wait=False)
        w.wait_stored(w.ends())
        told = ingest.metrics()
        ingest.stop()
    assert p.swallowed > 1
    assert told['turnout_ingest_resolved_total{outcome="committed"}'] > 1
    assert told["turnout_ingest_fenced_total"] == 0
    w.judge()


def test_ingest_starts_without_postgres_and_waits_for_it(
        kafka, world, generate):
    w = world(kafka)
    w.send(generate(500, seed=5))
    kafka.postgres.stop()
    ingest = w.ingest(start=False)
    ingest.spawn()
    try:
        time.sleep(1.5)
        assert ingest.alive()
    finally:
        kafka.postgres.start()
    w.wait_stored(w.ends())
    w.judge()


def test_a_host_that_says_nothing_is_passed_over(
        kafka, world, generate, directory):
    """libpq waits for it as long as it may, and would begin with it again."""
    w = world(kafka)
    w.send(generate(500, seed=5))
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(directory + "/.s.PGSQL.5432")
        silent.listen(64)
        w.ingest(pg={"timeout_ms": "1000", "conninfo":
                     f"host={directory},{kafka.postgres.host}"
                     f" port=5432 dbname={w.name} user=turnout_ingest"})
        w.wait_stored(w.ends())
    w.judge()


def test_a_stopped_daemon_that_wakes_up_changes_nothing(
        kafka, world, generate):
    """A zombie: another group has read on while it was stopped."""
    w = world(kafka, settings=SMALL)
    w.query("ALTER ROLE turnout_ingest IN DATABASE " + w.name
            + " SET idle_in_transaction_session_timeout = '3s'")
    first = w.ingest()
    w.send(generate(4000, seed=6))
    wait_total(w, 400)
    first.signal(signal.SIGSTOP)
    try:
        w.ingest(number=2, group=f"{w.name}-other")
        # The stopped one may hold locks in a transaction: the server
        # ends it, or the other one does.
        w.wait_stored(w.ends(), patience=60)
    finally:
        first.signal(signal.SIGCONT)
    w.produce([out(neighbour(n)) for n in range(500)])
    # What it had in hand was refused: without that, only the version rule
    # would have saved the state.
    assert proc.wait_until(lambda: first.fenced() > 0, 20)
    w.judge()


# What of a statement its client sent before it was stopped: the first of its
# messages (Parse: no name, the text, no types), or all of it (Query), and then
# it did not take the answer.
HALF_SENT = b"P", b"\0SELECT 1\0\0\0"
NOT_TAKEN = b"Q", b"SELECT repeat('x', 1000) FROM generate_series(1, 9999)\0"


def zombie(w, sent):
    """A daemon that was stopped within its second statement, with the offsets
    locked: idle_in_transaction_session_timeout does not see it."""
    connection = psycopg2.connect(w.conninfo("turnout_ingest"),
                                  application_name="turnout-ingest")
    connection.cursor().execute(
        "SELECT next_offset FROM turnout.ingest_offsets FOR UPDATE")
    kind, text = sent
    os.write(connection.fileno(),
             kind + (len(text) + 4).to_bytes(4, "big") + text)
    return connection


@pytest.mark.parametrize("sent", [HALF_SENT, NOT_TAKEN],
                         ids=["half_sent", "not_taken"])
def test_a_daemon_that_stopped_within_a_statement_holds_up_nobody(
        kafka, world, sent):
    w = world(kafka, settings=SMALL)
    w.query("ALTER ROLE turnout_ingest IN DATABASE " + w.name
            + " SET lock_timeout = '300ms'")
    w.query("ALTER ROLE turnout_ingest IN DATABASE " + w.name
            + " SET idle_in_transaction_session_timeout = '1s'")
    ingest = w.ingest()
    w.produce([out(neighbour(1))])
    # One that is in no transaction holds up nobody, however long it idles.
    idle = psycopg2.connect(w.conninfo("turnout_ingest"),
                            application_name="turnout-ingest")
    sleeper = zombie(w, sent)
    w.produce([out(neighbour(2))], wait=False)
    w.wait_stored(w.ends(), patience=20)
    assert ingest.logged("ended 1 connections of daemons that had stopped")
    sleeper.close()
    idle.cursor().execute("SELECT 1")
    idle.close()
    w.judge()


def test_two_daemons_of_two_groups_by_mistake_give_the_same_state(
        kafka, world, generate):
    w = world(kafka, partitions=2, settings=SMALL)
    w.ingest()
    w.ingest(number=2, group=f"{w.name}-other")
    with Auditor(w):
        w.feed(generate(4000, seed=7))
    w.judge()


@pytest.mark.parametrize("daemons", [2, 4])
def test_daemons_side_by_side_share_the_partitions_without_a_deadlock(
        kafka, world, daemons, dice):
    """RSVPs move from event to event, so that a batch of one daemon counts
    down what a batch of another counts up."""
    w = world(kafka, partitions=4, settings=SMALL)
    for number in range(1, daemons + 1):
        w.ingest(number=number)
    assert proc.wait_until(lambda: all(s.partitions() == 4 // daemons
                                       for s in w.servers), 20)
    records = []
    for number in range(12000):
        rsvp_id = dice.randrange(1, 4000)
        records.append(out(message(
            rsvp_id, f"e{dice.randrange(1500)}", mtime=MTIME + number * 1000,
            guests=dice.randrange(3), response=dice.choice(["yes", "no"]),
            group={"group_id": rsvp_id}), partition=rsvp_id % 4))
    with Auditor(w):
        w.produce(records)
    w.judge()
    told = [server.metrics()["turnout_ingest_messages_total"]
            for server in w.servers]
    assert all(told), f"one had nothing to do: {told}"
    for server in w.servers:
        assert server.stop(timeout=10)
    assert deadlocks(w) == 0


WAITING = ("SELECT wait_event_type, backend_xid, backend_xmin"
           " FROM pg_stat_activity WHERE datname = current_database()"
           " AND application_name = 'turnout-ingest'"
           " AND wait_event_type = 'Lock'")


def test_a_daemon_that_waits_for_its_turn_holds_nothing_back(kafka, world):
    """Neither a transaction id nor a snapshot: the counters' old versions
    could not be cleared away while it waits."""
    w = world(kafka)
    ingest = w.ingest()
    w.produce([out(neighbour(1))])
    other = w.lock("ingest_gate")
    w.produce([out(neighbour(2))], wait=False)
    assert proc.wait_until(lambda: w.query(WAITING), 20)
    assert w.query(WAITING) == [("Lock", None, None)]
    # And what is not stored is behind, though it has been read.
    assert proc.wait_until(lambda: ingest.metrics()[
        "turnout_ingest_lag_messages"] == 1, 20)
    other.close()
    w.wait_stored(w.ends())
    assert proc.wait_until(lambda: ingest.metrics()[
        "turnout_ingest_lag_messages"] == 0, 20)
    w.judge()


def test_a_message_is_visible_soon_when_the_stream_is_slow(kafka, world):
    w = world(kafka)
    w.ingest()
    w.produce([out(neighbour(0))])
    connection = psycopg2.connect(w.dsn)
    connection.autocommit = True
    cursor = connection.cursor()
    took = []
    for number in range(1, 12):
        begin = time.monotonic()
        w.produce([out(neighbour(number))], wait=False)
        sent = time.monotonic()
        while True:
            cursor.execute("SELECT 1 FROM turnout.rsvps WHERE rsvp_id = %s",
                           (500000 + number,))
            if cursor.fetchone():
                break
            assert time.monotonic() - begin < 10
            time.sleep(0.002)
        took.append(time.monotonic() - sent)
    connection.close()
    median = statistics.median(took)
    print(f"visible after {median * 1000:.0f} ms (median of {len(took)},"
          f" worst {max(took) * 1000:.0f} ms)")
    assert median < 1


def test_sigterm_ends_ingest_soon_and_with_0(kafka, world, generate):
    w = world(kafka, settings=SMALL)
    ingest = w.ingest()
    w.send(generate(4000, seed=9))
    wait_total(w, 400)
    begin = time.monotonic()
    ingest.signal(signal.SIGTERM)
    assert ingest.child.wait(10) == 0, proc.tail(ingest.log)
    assert time.monotonic() - begin < 5
    ingest.forget()
    ingest.start()
    w.wait_stored(w.ends())
    w.judge()


def test_an_offset_that_the_broker_does_not_have_stops_the_partition(
        kafka, world, generate):
    """Never a silent reset to the earliest or the latest."""
    w = world(kafka)
    ingest = w.ingest()
    w.feed(generate(200, seed=10))
    ingest.stop()
    w.query("UPDATE turnout.ingest_offsets SET next_offset = 100000,"
            " last_offset = 99999")
    ingest.start()
    assert proc.wait_until(lambda: ingest.metrics().get(
        "turnout_ingest_partitions_stopped") == 1, 15)
    w.produce([out(neighbour(1))], wait=False)
    time.sleep(1)
    assert w.stored() == {0: 100000}
    assert ingest.logged(" error: ")


def test_another_last_record_than_remembered_stops_the_partition(
        kafka, world, generate):
    """As after a topic was deleted and made again under its name."""
    w = world(kafka)
    ingest = w.ingest()
    w.feed(generate(200, seed=11))
    ingest.stop()
    w.query("UPDATE turnout.ingest_offsets SET last_crc = last_crc # 1")
    ingest.start()
    assert proc.wait_until(lambda: ingest.metrics().get(
        "turnout_ingest_partitions_stopped") == 1, 15)
    w.produce([out(neighbour(1))], wait=False)
    time.sleep(1)
    assert w.stored() == {0: 200}


def test_another_cluster_stops_the_partition(kafka, world, generate):
    w = world(kafka)
    ingest = w.ingest()
    w.feed(generate(200, seed=12))
    ingest.stop()
    w.query("UPDATE turnout.ingest_offsets SET cluster_id = 'another'")
    ingest.start()
    assert proc.wait_until(lambda: ingest.metrics().get(
        "turnout_ingest_partitions_stopped") == 1, 15)
    w.produce([out(neighbour(1))], wait=False)
    time.sleep(1)
    assert w.stored() == {0: 200}


def test_a_first_start_at_the_latest_leaves_the_old_alone(
        kafka, world, generate):
    w = world(kafka)
    w.send(generate(100, seed=13))
    w.ingest(kafka={"start": "latest"})
    assert proc.wait_until(lambda: w.stored() == {0: 100}, 20), w.stored()
    w.produce([out(neighbour(1))])
    assert list(state.read(w.dsn).rsvps) == [500001]


def test_a_record_that_the_database_refuses_is_a_dead_letter_alone(
        kafka, world):
    """A constraint that nobody told ingest about."""
    w = world(kafka)
    w.query("ALTER TABLE turnout.events ADD CONSTRAINT no_seven"
            " CHECK (event_id <> 'good7')")
    w.produce([out(neighbour(n)) for n in range(20)], wait=False)
    w.ingest()
    w.wait_stored(w.ends())
    have = state.read(w.dsn)
    assert [(b[1], b[2]) for b in have.bad] == [(7, "db_23514")]
    assert sorted(have.rsvps) == [500000 + n for n in range(20) if n != 7]
    assert len(have.counts) == 19


def test_a_schema_that_is_not_ours_stops_ingest_and_blames_no_message(
        kafka, world):
    w = world(kafka)
    w.query("ALTER TABLE turnout.rsvps RENAME COLUMN guests TO people")
    ingest = w.ingest(start=False)
    ingest.spawn()
    w.produce([out(neighbour(1))], wait=False)
    assert proc.wait_until(lambda: ingest.logged(" error: ")
                           or not ingest.alive(), 20)
    time.sleep(0.5)
    assert w.query("SELECT count(*) FROM turnout.dead_letters") == [(0,)]
    assert sum(w.stored().values()) == 0


def test_details_that_were_deleted_come_back_whole(world, kafka):
    """The daemon has them in mind, and sends no content at first."""
    w = world(kafka)
    w.ingest()
    group = {"group_topics": [{"urlkey": "hiking", "topic_name": "Hiking"}]}
    for rsvp_id in (1, 2):
        w.produce([out(message(rsvp_id, "picnic", group=group))])
        assert w.query("SELECT urlkey FROM turnout.group_topics") == [
            ("hiking",)]
        if rsvp_id == 1:
            w.query("DELETE FROM turnout.groups")
            w.query("DELETE FROM turnout.events")
            assert w.query("SELECT * FROM turnout.group_topics") == []
    w.judge()
