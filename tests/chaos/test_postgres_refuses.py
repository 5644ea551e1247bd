"""Rows F36-F44: PostgreSQL is full, read-only, locked, not ours any more,
or another one than a moment ago."""

import os
import shutil
import signal
import subprocess
import time

import psycopg2
import pytest
import state
from fixtures import started
from proxy import Proxy
from stacklib import proc
from stacklib.postgres import Postgres

row = pytest.mark.row
RETRIES = "turnout_ingest_retries_total"
DB_UP = "turnout_ingest_db_up"


def end_backends(s):
    s.world.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                  " WHERE usename = 'turnout_ingest'"
                  " AND datname = current_database()")


def stands(s, ingest):
    """It says that it has no database, or tries a batch again and again."""
    before = ingest.metrics()[RETRIES]

    def refused():
        told = ingest.metrics()
        return told[RETRIES] >= before + 2 or told[DB_UP] == 0

    assert proc.wait_until(refused, 30), s.logs()


@pytest.fixture
def small_disk():
    """A stack of its own whose PostgreSQL has 300 MB in all."""
    stack = started(broker="kafka", only=("postgres", "broker"), postgres={
        "max_wal_size": "64MB", "min_wal_size": "32MB"})
    data = stack.postgres.data
    mounted = False
    try:
        stack.postgres.stop()
        os.rename(data, data + ".save")
        stack.postgres.as_owner(["mkdir", "-m", "0700", data])
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=300m,mode=0700", "turnout",
             data], capture_output=True, text=True, check=False)
        mounted = done.returncode == 0
        if not mounted:
            pytest.skip("mount is refused: " + done.stderr.strip())
        shutil.copystat(data + ".save", data)
        owner = os.stat(data + ".save")
        os.chown(data, owner.st_uid, owner.st_gid)
        subprocess.run(["cp", "-a", data + ".save/.", data], check=True)
        stack.postgres.start()
        yield stack
    finally:
        stack.broker.kill()
        stack.postgres.stop()
        if mounted:
            subprocess.run(["umount", data], check=True)
        stack.down()


@row("F36", q=1, f=20, slice=5)
def test_the_disk_is_full(storm, small_disk, trials):
    """Nothing can be written, WAL neither; it goes on when there is room,
    after a restart where PostgreSQL gave up."""
    s = storm(stack=small_disk, readers=0, audit=False)
    ingest = s.ingest()
    pg = small_disk.postgres
    filler = os.path.join(pg.data, "filler")
    for _ in trials:
        s.advance(100)
        with open(filler, "wb") as f:
            try:
                while True:
                    f.write(b"\0" * 65536)
                    f.flush()
            except OSError:
                pass
        assert proc.wait_until(
            lambda: not pg.alive() or "No space left" in proc.tail(pg.log, 50),
            60)
        time.sleep(s.moment(2))
        os.unlink(filler)
        # A postmaster that could not recover ends; somebody starts it again.
        time.sleep(1)
        if not pg.alive():
            pg.forget()
            pg.start()
        s.advance(100)
    assert ingest.alive()
    s.judge()


@row("F37", q=1, f=10)
def test_it_is_read_only(storm, trials):
    """As a standby is: ingest waits, and asks with a new connection until
    it may write."""
    s = storm(audit=False)
    ingest = s.ingest()
    setting = ("ALTER ROLE turnout_ingest IN DATABASE " + s.world.name + " {}"
               " default_transaction_read_only")
    for _ in trials:
        s.advance(1)
        s.world.query(setting.format("SET") + " = on")
        end_backends(s)
        stands(s, ingest)
        s.world.query(setting.format("RESET"))
        s.advance(100)
    s.judge()


@row("F38", q=1, f=10)
def test_no_connection_is_left(storm, trials):
    """53300, as when max_connections is reached."""
    s = storm(audit=False)
    ingest = s.ingest()
    for _ in trials:
        s.advance(1)
        s.world.query("ALTER ROLE turnout_ingest CONNECTION LIMIT 0")
        try:
            end_backends(s)
            stands(s, ingest)
        finally:
            s.world.query("ALTER ROLE turnout_ingest CONNECTION LIMIT -1")
        s.advance(100)
    s.judge()


@row("F39", q=1, f=30, slice=10)
def test_somebody_holds_a_lock(storm, trials):
    """55P03 by lock_timeout and 57014 by statement_timeout, in turns: the
    whole batch again, readers do not notice."""
    s = storm(audit=False)
    setting = "ALTER ROLE turnout_ingest IN DATABASE " + s.world.name
    for trial in trials:
        s.world.query(f"{setting} SET lock_timeout = '500ms'"
                      if trial % 2 == 0 else
                      f"{setting} RESET lock_timeout;"
                      f" {setting} SET statement_timeout = '500ms'")
        ingest = s.ingest()
        s.advance(1)
        holder = psycopg2.connect(s.world.dsn)
        holder.cursor().execute(
            "LOCK TABLE turnout.rsvps IN SHARE ROW EXCLUSIVE MODE")
        stands(s, ingest)
        holder.close()
        s.advance(100)
        s.world.query(f"{setting} RESET statement_timeout")
        ingest.kill()
    s.ingest()
    s.judge()


WRONG_SCHEMAS = [
    ("ALTER TABLE turnout.rsvps RENAME COLUMN guests TO people",
     "ALTER TABLE turnout.rsvps RENAME COLUMN people TO guests"),
    ("ALTER TABLE turnout.groups RENAME TO crowds",
     "ALTER TABLE turnout.crowds RENAME TO groups"),
    ("ALTER TABLE turnout.event_days RENAME TO event_weeks",
     "ALTER TABLE turnout.event_weeks RENAME TO event_days"),
    ("REVOKE INSERT ON turnout.rsvps FROM turnout_ingest",
     "GRANT INSERT ON turnout.rsvps TO turnout_ingest"),
]


@row("F40", q=4, f=4, slice=4)
def test_the_schema_is_not_ours(storm, trials):
    """A column or a table is missing, a right is gone: ingest stops, and no
    message is blamed for it."""
    s = storm(readers=0, audit=False)
    for trial in trials:
        wrong, right = WRONG_SCHEMAS[trial % len(WRONG_SCHEMAS)]
        ingest = s.ingest()
        s.advance(1)
        s.world.query(wrong)
        assert proc.wait_until(lambda i=ingest: i.logged(" error: ")
                               or not i.alive(), 20), s.logs()
        before = s.stored()
        time.sleep(1)
        assert s.stored() == before
        s.world.query(right)
        ingest.kill()
    s.ingest()
    s.judge()


@row("F41", q=1, f=4)
def test_it_lets_us_in_no_more(storm, trials):
    """The role may not log in: an error, the pool serves what it has and
    readiness goes; no password is logged."""
    s = storm(readers=0, audit=False)
    secret = "correct-horse"
    dsn = s.world.conninfo("turnout_ingest") + f" password={secret}"
    for _ in trials:
        ingest = s.ingest(pg={"conninfo": dsn})
        s.advance(1)
        s.world.query("ALTER ROLE turnout_ingest NOLOGIN")
        try:
            end_backends(s)
            assert proc.wait_until(
                lambda i=ingest: i.logged("not permitted"), 20), s.logs()
            assert ingest.metrics()[DB_UP] == 0
        finally:
            s.world.query("ALTER ROLE turnout_ingest LOGIN")
        s.advance(100)
        with open(ingest.log, encoding="utf-8") as log:
            assert secret not in log.read()
        ingest.kill()
    s.ingest()
    s.judge()


@row("F42", q=1, f=5)
def test_a_counter_is_wrong(storm, trials):
    """By hand, as no trigger would: audit finds it, recount repairs it,
    beside a daemon."""
    s = storm(readers=0, audit=False)
    s.ingest()
    for _ in trials:
        s.advance(500)
        event, = s.world.query(
            "UPDATE turnout.event_counts SET rsvps = rsvps + 1,"
            " headcount = headcount + 1 WHERE event_id = (SELECT event_id"
            " FROM turnout.event_counts ORDER BY rsvps DESC LIMIT 1)"
            " RETURNING event_id")[0]
        found = s.world.command("audit")
        assert found.returncode == 1 and event in found.stdout, found
        mended = s.world.command("recount")
        assert mended.returncode == 0, mended
        found = s.world.command("audit")
        assert found.returncode == 0, found.stdout
    s.judge()


@row("F43", q=1, f=3, slice=1)
def test_somebody_looks_for_long(storm, trials):
    """An old snapshot is held while rows are vacuumed and indexes rebuilt."""
    s = storm(rate=2000)
    s.ingest()
    for _ in trials:
        s.advance(500)
        connection = psycopg2.connect(s.world.dsn)
        connection.set_session(isolation_level="REPEATABLE READ")
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM turnout.rsvps")
        seen = cursor.fetchone()
        s.advance(1000)
        s.world.query("VACUUM turnout.rsvps")
        s.advance(1000)
        cursor.execute("SELECT count(*) FROM turnout.rsvps")
        assert cursor.fetchone() == seen
        connection.close()
        s.world.query("REINDEX TABLE CONCURRENTLY turnout.event_counts")
        s.world.query("VACUUM FREEZE turnout.event_counts")
        s.advance(500)
    s.judge()


@row("F44", q=1, f=10, slice=5)
def test_a_standby_takes_over_that_lost_commits(storm, servers, trials,
                                                directory):
    """Its offset is older than what ingest remembers: it asks anew, and
    reads again what was lost."""
    s = storm(readers=0, audit=False)
    home = s.world.dsn
    for trial in trials:
        standby = Postgres(os.path.join(s.world.dir, f"standby{trial}"),
                           servers.postgres.srcdir)
        with Proxy(directory, servers.postgres.host
                   + "/.s.PGSQL.5432") as proxy:
            ingest = s.ingest(pg={
                "conninfo": f"host={directory} port=5432"
                            f" dbname={s.world.name} user=turnout_ingest"})
            s.advance(100)
            copy_of(servers.postgres, standby)
            s.advance(300)
            ahead = s.stored()
            proxy.server = standby.host + "/.s.PGSQL.5432"
            end_backends(s)
            standby.start()
            standby.psql("SELECT pg_promote()", database="postgres")
            s.world.dsn = home.replace(servers.postgres.host, standby.host)
            assert s.stored() < ahead
            s.reach(ahead)
            wrong, _ = state.audit(s.world.dsn)
            assert not wrong
            s.end_feed()
            s.world.wait_stored(s.world.ends())
            s.world.judge()
            ingest.kill()
        standby.stop(signal.SIGQUIT)
        s.world.dsn = home
        s.begin()
    s.ingest()
    s.judge()


def copy_of(primary, standby):
    """A standby as it is at this moment; it is not started yet."""
    for name in ("log", "run"):
        os.makedirs(os.path.join(standby.dir, name), exist_ok=True)
    os.makedirs(standby.home, exist_ok=True)
    owner = os.stat(primary.home)
    os.chown(standby.home, owner.st_uid, owner.st_gid)
    standby.as_owner(["mkdir", "-p", "-m", "0755", standby.host])
    standby.as_owner([
        os.path.join(primary.bin, "pg_basebackup"), "-h", primary.host, "-U",
        "postgres", "-D", standby.data, "-c", "fast", "-X", "fetch"])
    with open(os.path.join(standby.data, "standby.signal"), "wb"):
        pass
