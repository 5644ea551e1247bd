"""A partition goes from one daemon to another: who had it stores what he has
read of it, who gets it waits for that, and the other partitions go on."""

import contextlib

import psycopg2
from admin import committed, delete_before
from guest import Guest
from kafka import out
from messages import neighbour
from stacklib import proc

POSITIONS = ("SELECT query_start FROM pg_stat_activity WHERE datname ="
             " current_database() AND application_name ="
             " 'turnout-ingest positions' AND pid <> %s")
CLAIMS = ("SELECT pid FROM pg_locks WHERE locktype = 'advisory'"
          " AND objsubid = 2 AND database = (SELECT oid FROM pg_database"
          " WHERE datname = current_database())")


def read_both(w, first, last):
    """Neighbours of these numbers, in turn to both partitions."""
    w.produce([out(neighbour(n), partition=n % 2)
               for n in range(first, last)], wait=False)


def one_daemon(w):
    """It has stored a record of each of two partitions."""
    ingest = w.ingest()
    read_both(w, 0, 2)
    w.wait_stored(w.ends())
    return ingest


@contextlib.contextmanager
def nobody_writes(w):
    """A batch waits, with a record of each partition."""
    lock = w.lock("ingest_gate")
    read_both(w, 2, 4)
    assert proc.wait_until(w.waiting, 20)
    yield
    lock.close()


def test_who_gets_a_partition_waits_for_its_last_batch(kafka, world):
    w = world(kafka, partitions=2)
    first = one_daemon(w)
    (pid,), = set(w.query(CLAIMS))
    with nobody_writes(w):
        second = w.ingest(number=2)
        assert proc.wait_until(lambda: first.partitions() == 1, 20)
        for _ in range(3):  # it asks again and again
            before = w.query(POSITIONS, pid)
            assert proc.wait_until(lambda before=before: w.query(
                POSITIONS, pid) != before, 20)
        assert second.partitions() == 0
        read_both(w, 4, 8)
    assert proc.wait_until(lambda: second.partitions() == 1, 20)
    w.wait_stored(w.ends())
    assert len(set(w.query(CLAIMS))) == 2
    for ingest in (first, second):
        assert ingest.fenced() == 0
        assert not ingest.logged("not released")
    w.judge()


def test_a_partition_that_comes_back_is_read_on(kafka, world):
    """Before the last of it was stored: what follows belongs to it."""
    w = world(kafka, partitions=2)
    ingest = one_daemon(w)
    guest = Guest(w.brokers, w.name, w.name)
    with nobody_writes(w):
        guest.come()
        assert proc.wait_until(lambda: ingest.partitions() == 1, 20)
        guest.leave()
        assert proc.wait_until(lambda: ingest.partitions() == 2, 20)
        read_both(w, 4, 8)
    w.wait_stored(w.ends())
    told = ingest.metrics()
    assert ingest.fenced() == 0
    assert told["turnout_ingest_messages_total"] == 8
    guest.come()
    assert proc.wait_until(lambda: ingest.partitions() == 1, 20)
    # Stored long ago: nothing is waited for.
    assert proc.wait_until(lambda: len(w.query(CLAIMS)) == 1, 20)
    guest.end()
    w.judge()


def test_who_never_releases_a_partition_is_not_waited_for(kafka, world):
    w = world(kafka)
    w.produce([out(neighbour(1))], wait=False)
    other = psycopg2.connect(w.dsn)
    other.cursor().execute(
        "SELECT pg_advisory_lock(hashtext('turnout.ingest_offsets ' || %s),"
        " 0)", (w.name,))
    ingest = w.ingest()
    w.wait_stored(w.ends())
    assert ingest.logged("is not released by who read it")
    other.close()
    w.judge()


def test_a_batch_with_a_partition_that_leaves_does_not_wait_for_more(
        kafka, world):
    w = world(kafka, partitions=2)
    ingest = w.ingest(batch={"max_age_ms": "10000"})
    read_both(w, 0, 2)
    assert proc.wait_until(lambda: ingest.metrics()[
        "turnout_ingest_lag_messages"] == 2, 20)
    guest = Guest(w.brokers, w.name, w.name)
    guest.come()
    assert proc.wait_until(lambda: ingest.partitions() == 1, 8, 0.05)
    w.wait_stored(w.ends(), patience=1)
    guest.end()
    w.judge()


def test_claims_that_went_with_their_connection_are_renewed(kafka, world):
    w = world(kafka, partitions=2)
    one_daemon(w)
    (pid,), = set(w.query(CLAIMS))
    w.query("SELECT pg_terminate_backend(%s)", pid)
    assert proc.wait_until(
        lambda: len(set(w.query(CLAIMS)) - {(pid,)}) == 1, 20)
    assert len(w.query(CLAIMS)) == 2


def test_partitions_whose_last_records_expired_leave_each_other_alone(
        kafka, world):
    """Each is looked into once, whenever it comes, and the other reads on."""
    w = world(kafka, partitions=2)
    assert one_daemon(w).stop(timeout=10)
    for part in (0, 1):
        delete_before(w.brokers, w.name, 1, part)
    guest = Guest(w.brokers, w.name, w.name)
    guest.come()
    assert proc.wait_until(lambda: guest.decided == 1, 20)
    ingest = w.ingest(number=2)

    def expired():
        return sum("retention has removed record" in line
                   for line in ingest.logged_lines())

    assert proc.wait_until(lambda: expired() == 1, 20)
    guest.end()
    assert proc.wait_until(lambda: expired() == 2, 20)
    read_both(w, 2, 4)
    w.wait_stored(w.ends())
    assert expired() == 2


def test_kafka_is_told_later_what_was_stored_while_the_group_decided(
        kafka, world):
    w = world(kafka, partitions=2)
    ingest = one_daemon(w)
    first, second = (Guest(w.brokers, w.name, w.name) for _ in range(2))
    first.come()
    assert proc.wait_until(lambda: ingest.partitions() == 1, 20)
    mine = 0
    first.hang()
    second.come()

    def is_told():
        return committed(w.brokers, w.name, w.name, mine) == w.stored()[mine]

    for n in range(2, 40, 2):  # until the group has begun to decide
        read_both(w, n, n + 2)
        assert proc.wait_until(lambda n=n: n // 2 + 1 in w.stored().values(),
                               20)
        mine = max(w.stored(), key=w.stored().get)
        if not proc.wait_until(is_told, 1):
            break
    else:
        raise AssertionError("the group did not wait for its member")
    second.end()
    first.wake()
    assert proc.wait_until(is_told, 20)
    first.end()
    w.wait_stored(w.ends())


def test_trouble_with_the_group_lasts_until_it_takes_an_offset(kafka, world):
    w = world(kafka)
    ingest = w.ingest()
    w.produce([out(neighbour(1))])
    kafka.broker.kill()
    try:
        assert proc.wait_until(lambda: ingest.logged("_TRANSPORT"), 20)
        # The lag's question fails, too, which takes longer than the loop.
        assert proc.wait_until(lambda: ingest.metrics()[
            "turnout_ingest_end_age_seconds"] > 2, 20)
        assert not ingest.logged("group is back")
    finally:
        kafka.broker.start()
    w.produce([out(neighbour(2))])
    assert proc.wait_until(
        lambda: ingest.logged("the consumer group is back"), 20)
    w.judge()
