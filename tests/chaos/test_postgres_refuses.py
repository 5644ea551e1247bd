"""Rows F36-F44: PostgreSQL is full, read-only, locked, not ours any more,
or another one than a moment ago."""

import contextlib
import os
import shutil
import signal
import subprocess
import time

import psycopg2
import pytest
import state
from asking import ask
from away import DB_UP, Seen, end_backends, pool_is_back, through
from fixtures import started
from proxy import Proxy
from stacklib import proc
from stacklib.postgres import Postgres

row = pytest.mark.row
ROLES = ("turnout_ingest", "turnout_web")


def stands(s, ingest):
    """It says that it has no database, or tries a batch again and again."""
    Seen(s, ingest, pool=False).wait(times=2)


@pytest.fixture
def small_disk():
    """A stack of its own whose PostgreSQL has 300 MB in all.  Named before
    storm, so that it ends after the daemons."""
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
def test_the_disk_is_full(small_disk, storm, trials):
    """Nothing can be written, WAL neither; it goes on when there is room,
    after a restart where PostgreSQL gave up."""
    s = storm(stack=small_disk, away=True)
    ingest = s.ingest()
    pg = small_disk.postgres
    filler = os.path.join(pg.data, "filler")
    for _ in trials:
        s.advance(100)
        before = len(pg.logged_lines())
        with open(filler, "wb") as f:
            try:
                while True:
                    f.write(b"\0" * 65536)
                    f.flush()
            except OSError:
                pass
        assert proc.wait_until(
            lambda was=before: not pg.alive() or any(
                "No space left" in line for line in pg.logged_lines()[was:]),
            60)
        time.sleep(s.moment(2))
        os.unlink(filler)
        # A postmaster that could not recover ends; somebody starts it again.
        if proc.wait_until(lambda: not pg.alive(), 1):
            pg.forget()
            pg.start()
        s.advance(100)
        pool_is_back(s)
    assert ingest.alive()
    s.judge()


@row("F37", q=1, f=10)
def test_it_is_read_only(storm, trials):
    """As a standby is: ingest waits, and asks with a new connection until
    it may write."""
    s = storm()
    ingest = s.ingest()
    setting = ("ALTER ROLE turnout_ingest IN DATABASE " + s.world.name + " {}"
               " default_transaction_read_only")
    for _ in trials:
        s.advance(1)
        s.world.query(setting.format("SET") + " = on")
        end_backends(s, "turnout_ingest")
        stands(s, ingest)
        s.world.query(setting.format("RESET"))
        s.advance(100)
    s.judge()


def take_all(s):
    """Every connection that PostgreSQL has, but for those of the daemons."""
    taken = []
    with pytest.raises(psycopg2.OperationalError, match="too many clients"):
        while True:
            taken.append(psycopg2.connect(s.world.dsn))
            taken[-1].autocommit = True
    return taken


@row("F38", q=1, f=10)
def test_no_connection_is_left(storm, trials):
    """53300: what is free is reserved for superusers."""
    s = storm(away=True, audit=False)
    ingest = s.ingest()
    for _ in trials:
        s.advance(1)
        seen, taken = Seen(s, ingest), take_all(s)
        try:
            # As many as are reserved, so that none of them is let in again.
            taken[0].cursor().execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename IN"
                " ('turnout_ingest', 'turnout_web') ORDER BY usename LIMIT 3")
            seen.wait(times=2)
            assert proc.wait_until(lambda: ingest.logged("remaining conn")
                                   and s.world.fcgi.logged("remaining conn"),
                                   20), s.logs()
        finally:
            for connection in taken:
                connection.close()
        s.advance(100)
        pool_is_back(s)
    s.judge()


@row("F39", q=1, f=30, slice=10)
def test_somebody_holds_a_lock(storm, trials):
    """55P03 by lock_timeout and 57014 by statement_timeout, in turns: the
    whole batch again, readers do not notice."""
    s = storm()
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


SECRET = "correct-horse"

# What is logged, what is done with each role, and what undoes it.
SHUT_OUT = [
    ("not permitted to log in",
     "ALTER ROLE {role} NOLOGIN",
     "ALTER ROLE {role} LOGIN"),
    ("password authentication failed",
     "ALTER ROLE {role} PASSWORD 'another'",
     f"ALTER ROLE {{role}} PASSWORD '{SECRET}'"),
    ("permission denied for database",
     "REVOKE CONNECT ON DATABASE {base} FROM PUBLIC, {role}",
     "GRANT CONNECT ON DATABASE {base} TO PUBLIC, {role}"),
]


@contextlib.contextmanager
def passwords(s):
    """The daemons of this world need theirs."""
    path = os.path.join(s.world.stack.postgres.data, "pg_hba.conf")
    with open(path, encoding="utf-8") as f:
        before = f.read()

    def write(text):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        s.world.query("SELECT pg_reload_conf()")

    for role in ROLES:
        s.world.query(f"ALTER ROLE {role} PASSWORD '{SECRET}'")
    write(f"local {s.world.name} {','.join(ROLES)} scram-sha-256\n" + before)
    try:
        yield {role: {"conninfo": s.world.conninfo(role)
                      + f" password={SECRET}"} for role in ROLES}
    finally:
        write(before)


def are_shut_out(s, ingest, words):
    """Both say so, and readiness goes or tells what is away."""
    seen = Seen(s, ingest)
    end_backends(s, *ROLES)
    seen.wait(times=2)
    for daemon in (ingest, s.world.fcgi):
        assert proc.wait_until(lambda d=daemon: d.logged(words), 30), s.logs()
    assert proc.wait_until(lambda: ingest.metrics()[DB_UP] == 0, 10), s.logs()
    ready = ask(s.world.fcgi.socket, "/readyz")
    assert ready.status == 503 or b"away" in ready.body
    assert SECRET.encode() not in ready.body


@row("F41", q=1, f=4)
def test_it_lets_us_in_no_more(storm, trials):
    """Both say why and try again, the pool serves what it has; no password
    is logged or told."""
    s = storm(readers=0, away=True, audit=False)
    with passwords(s) as conninfos:
        s.count, s.fcgi = 3, {"pg": conninfos["turnout_web"]}
        s.begin_readers()
        ingest = s.ingest(pg=conninfos["turnout_ingest"])
        for trial in trials:
            s.advance(1)
            words, wrong, right = SHUT_OUT[trial % len(SHUT_OUT)]
            try:
                for role in ROLES:
                    s.world.query(wrong.format(role=role, base=s.world.name))
                are_shut_out(s, ingest, words)
            finally:
                for role in ROLES:
                    s.world.query(right.format(role=role, base=s.world.name))
            s.advance(100)
            pool_is_back(s)
        s.judge()
    for daemon in (ingest, s.world.fcgi):
        with open(daemon.log, encoding="utf-8") as log:
            assert SECRET not in log.read()


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
            ingest = s.ingest(pg=through(proxy, s.world))
            s.advance(100)
            copy_of(servers.postgres, standby)
            s.advance(300)
            ahead = s.stored()
            proxy.server = standby.host + "/.s.PGSQL.5432"
            end_backends(s, "turnout_ingest")
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
