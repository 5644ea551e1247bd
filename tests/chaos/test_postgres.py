"""Rows F29-F35: PostgreSQL ends, crashes, hangs and is cut off under both
daemons."""

import os
import signal
import threading
import time

import psycopg2
import pytest
import state
from away import (RETRIES, Seen, backends, end_backends, pool_is_back,
                  through, troubles)
from proxy import Proxy
from stacklib import proc

row = pytest.mark.row
ROLES = ("turnout_ingest", "turnout_web")


@row("F29", q=5, f=100)
def test_backends_are_terminated(storm, trials, note):
    """A batch is sent again as a whole; the pool asks again with another
    connection."""
    s = storm(away=True)
    ingest = s.ingest()
    first = troubles(ingest)
    for _ in trials:
        s.advance(1)
        time.sleep(s.moment(0.3))
        seen = Seen(s, ingest, pool=False)
        gone = end_backends(s, *ROLES)
        seen.wait()
        assert proc.wait_until(
            lambda was=gone: backends(s, "turnout_web").items() - was.items(),
            20), s.logs()
        pool_is_back(s)
    note(again=troubles(ingest) - first)
    s.judge()


@row("F30", q=3, f=50, slice=10, telling=True)
def test_restarted_under_load(storm, servers, trials):
    """In the ways that an operator, and a crash, have; a crash takes back
    offsets with their rows.  The pool is back 2 s after PostgreSQL."""
    s = storm(away=True)
    s.ingest()
    s.advance(1)
    for trial in trials:
        time.sleep(s.moment(0.5))
        servers.postgres.restart(("immediate", "fast", "crash")[trial % 3])
        pool_is_back(s)
        s.advance(100)
    s.judge()


@row("F31", q=3, f=30, slice=10)
def test_one_of_its_processes_is_killed(storm, servers, trials):
    """A backend, the checkpointer, the WAL writer: all of PostgreSQL goes
    through crash recovery, under the same postmaster."""
    s = storm(away=True)
    s.ingest()
    s.advance(1)
    for trial in trials:
        kind = ("client backend", "checkpointer", "walwriter")[trial % 3]
        pid, = s.world.query(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = %s"
            " AND pid <> pg_backend_pid() AND (datname IS NULL"
            " OR datname = current_database()) LIMIT 1", kind)[0]
        began = proc.start_time(pid)
        os.kill(pid, signal.SIGKILL)
        assert proc.wait_until(lambda p=pid, b=began:
                               proc.start_time(p) != b, 10)
        s.advance(100)
        pool_is_back(s)
    assert servers.postgres.alive()
    s.judge()


@row("F32", q=1, f=20, slice=10)
def test_everything_is_killed_at_once(storm, servers, trials):
    """synchronous_commit is off for ingest: what is lost is lost with its
    offset."""
    s = storm(away=True)
    for _ in trials:
        ingest = s.ingest()
        s.advance(s.dice.randrange(1, 500))
        servers.postgres.crash()
        ingest.kill()
        servers.postgres.forget()
        servers.postgres.start()
    s.ingest()
    s.judge()


# The table has 30 s; what a client does is over when its time is.
@row("F33", q=2, f=30, slice=10)
def test_a_backend_hangs(storm, trials):
    """SIGSTOP: no timeout of the server fires, the clients' own do; ingest
    goes on with another connection, the pool answers in its time."""
    s = storm(away=True)
    ingest = s.ingest(pg={"timeout_ms": "2000"})
    for _ in trials:
        s.advance(1)
        seen, stopped = Seen(s, ingest), backends(s, *ROLES)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            # A stopped backend may hold the locks of its batch until it is
            # told to end; its socket is gone by then.
            seen.wait()
            time.sleep(s.moment(2))
        finally:
            for pid, began in stopped.items():
                if proc.start_time(pid) == began:
                    os.kill(pid, signal.SIGCONT)
        s.advance(100)
        pool_is_back(s)
    s.judge()


class BlackHole(Proxy):
    """While shut, it forwards nothing and closes nothing: a cable is cut.
    A connection that lost something then is never heard of again."""

    def __init__(self, directory, server):
        super().__init__(directory, server)
        self.open = threading.Event()
        self.open.set()
        self.cut = set()

    def pass_on(self, data, from_client, server, client):
        if not self.open.is_set():
            self.cut.add(client)
        if client in self.cut:
            return True
        return super().pass_on(data, from_client, server, client)


@row("F34", q=1, f=20, slice=10)
def test_the_way_to_it_is_cut(storm, servers, trials, directory):
    """Half-open: what is sent goes nowhere, and nobody says so.  Found by
    our own timeouts."""
    s = storm(readers=0, away=True)
    with BlackHole(directory, servers.postgres.host
                   + "/.s.PGSQL.5432") as proxy:
        s.count, s.fcgi = 3, {"pg": through(proxy, s.world, "turnout_web")}
        s.begin_readers()
        ingest = s.ingest(pg=dict(through(proxy, s.world),
                                  timeout_ms="2000"))
        for _ in trials:
            s.advance(1)
            seen = Seen(s, ingest)
            proxy.open.clear()
            seen.wait()
            time.sleep(s.moment(2))
            proxy.open.set()
            s.advance(100)
            pool_is_back(s)
        assert len(proxy.cut) >= 2 * len(trials)
        s.judge()


class Rival(threading.Thread):
    """Locks what ingest locks, in the wrong order, again and again."""

    def __init__(self, s):
        super().__init__()
        self.dsn, self.over = s.world.dsn, threading.Event()
        self.deadlocks = 0

    def run(self):
        connection = psycopg2.connect(self.dsn)
        cursor = connection.cursor()
        while not self.over.is_set():
            try:
                cursor.execute(
                    "SELECT 1 FROM turnout.event_counts ORDER BY event_id"
                    " DESC LIMIT 50 FOR UPDATE")
                cursor.execute(
                    "SELECT pg_sleep(0.05); SELECT 1 FROM turnout.rsvps"
                    " ORDER BY rsvp_id DESC LIMIT 500 FOR UPDATE")
            except psycopg2.errors.DeadlockDetected:
                self.deadlocks += 1
            connection.rollback()
        connection.close()


@row("F35", q=2, f=500, slice=100)
def test_deadlocks_with_a_rival(storm, trials, note):
    """40P01: the whole batch again, after a pause."""
    s = storm(rate=2000, events=40)
    s.world.query("ALTER ROLE turnout_ingest IN DATABASE " + s.world.name
                  + " SET deadlock_timeout = '20ms'")
    s.world.query(f"ALTER DATABASE {s.world.name}"
                  " SET deadlock_timeout = '200ms'")
    ingest = s.ingest(batch={"max_messages": "500"})
    s.advance(1000)
    rival = Rival(s)
    rival.start()
    try:
        before = ingest.metrics()[RETRIES]
        assert proc.wait_until(lambda: ingest.metrics()[RETRIES] - before
                               >= len(trials), 60 + 3 * len(trials)), s.logs()
    finally:
        rival.over.set()
        rival.join()
    def deadlocks():
        return s.world.query("SELECT deadlocks FROM pg_stat_database"
                             " WHERE datname = current_database()")[0][0]
    # A server's process reports what it counted a second later.
    assert proc.wait_until(lambda: deadlocks() > 0, 20)
    note(retries=ingest.metrics()[RETRIES] - before, deadlocks=deadlocks())
    s.advance(1)
    wrong, _ = state.audit(s.world.dsn)
    assert not wrong
    s.judge()
