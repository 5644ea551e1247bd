"""A stop loses no work that is as good as done, and makes none up.  What only
a person can mend ends the daemon, too."""

import os
import signal
import time

from kafka import out
from messages import neighbour
from stacklib import proc

HOUR = 3600
SESSION = 10  # seconds, until the group gives up a member that is silent


def read_up_to(ingest, seconds):
    """Whether the record that was read last is not older than this."""
    return 0 < ingest.metrics()["turnout_ingest_lag_seconds"] < seconds


def test_a_right_that_is_missing_ends_the_start(kafka, world):
    """Not a daemon that looks well and reads nothing."""
    w = world(kafka)
    w.query("REVOKE SELECT ON turnout.ingest_offsets FROM turnout_ingest")
    ingest = w.ingest(start=False)
    ingest.spawn()
    assert ingest.child.wait(20) == 1, proc.tail(ingest.log)
    assert ingest.logged("permission denied for table ingest_offsets")
    assert ingest.logged("; stopping")
    ingest.forget()


def waits_for_an_answer(ingest):
    """Its main thread is in poll(), where it waits for PostgreSQL only, and
    stays there."""
    def where():
        with open(f"/proc/{ingest.pid()}/wchan", encoding="ascii") as f:
            return f.read()
    return "poll" in where() and not proc.wait_until(
        lambda: "poll" not in where(), 0.5)


def test_what_was_read_is_stored_before_a_stop(kafka, world):
    w = world(kafka)
    ingest = w.ingest(batch={"max_age_ms": "10000"})
    w.produce([out(neighbour(1))], wait=False)
    assert proc.wait_until(lambda: read_up_to(ingest, HOUR), 20)
    assert w.stored() == {0: 0}
    assert ingest.stop(timeout=5)
    assert w.stored() == {0: 1}
    w.judge()


def test_what_follows_a_batch_that_was_given_up_is_not_stored(kafka, world):
    """It would find the offset where it does not expect it, and say that
    somebody else had moved it."""
    w = world(kafka)
    ingest = w.ingest(batch={"max_messages": "1"})
    # A heartbeat passes, a batch with records does not.
    lock = w.lock("rsvps")
    now = int(time.time() * 1000)
    w.produce([out(neighbour(1), ts=now - 2 * HOUR * 1000),
               out(neighbour(2), ts=now)], wait=False)
    assert proc.wait_until(lambda: w.waiting(), 20)
    assert proc.wait_until(lambda: read_up_to(ingest, HOUR), 20)
    ingest.signal(signal.SIGTERM)
    assert proc.wait_until(lambda: ingest.logged(" info: stopping"), 5, 0.01)
    (pid,), = w.waiting()
    w.query("SELECT pg_terminate_backend(%s)", pid)
    lock.close()
    assert ingest.child.wait(10) == 0, proc.tail(ingest.log)
    assert not ingest.logged("another writer")
    assert w.stored() == {0: 0}
    ingest.forget()
    ingest.start()
    w.wait_stored(w.ends())
    w.judge()


def test_a_stop_does_not_wait_for_a_silent_database(kafka, world):
    """Not even where the main thread waits for it, which looks after stopped
    partitions every two seconds."""
    w = world(kafka)
    ingest = w.ingest()
    w.produce([out(neighbour(1))])
    (backend,), = w.query(
        "SELECT pid FROM pg_stat_activity WHERE application_name ="
        " 'turnout-ingest positions' AND datname = current_database()")
    os.kill(backend, signal.SIGSTOP)
    try:
        assert proc.wait_until(lambda: waits_for_an_answer(ingest), 10, 0.2)
        ingest.signal(signal.SIGTERM)
        assert ingest.child.wait(3) == 0, proc.tail(ingest.log)
    finally:
        os.kill(backend, signal.SIGCONT)
    ingest.forget()


def test_a_stop_that_cannot_wait_tells_the_group(kafka, world):
    """Or the partitions would have no reader until the session is over."""
    w = world(kafka)
    first = w.ingest(batch={"max_messages": "1"})
    w.produce([out(neighbour(1))])
    lock = w.lock("ingest_gate")
    w.produce([out(neighbour(2))], wait=False)
    assert proc.wait_until(lambda: w.waiting(), 20)
    first.signal(signal.SIGTERM)
    assert first.child.wait(5) == 0, proc.tail(first.log)
    assert first.logged("without waiting for PostgreSQL")
    first.forget()
    second = w.ingest(number=2)
    assert proc.wait_until(lambda: second.partitions() == 1, SESSION / 2)
    lock.close()
    w.wait_stored(w.ends())
    w.judge()
