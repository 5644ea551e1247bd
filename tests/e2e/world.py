"""A topic, a database and daemons of their own, on servers that are shared."""

import os
import subprocess
import time

import kafka
import oracle
import psycopg2
import state
from oracle import lines_of
from stacklib import proc
from stacklib.daemons import Fcgi, Ingest
from stacklib.nginx import Nginx


class World:
    def __init__(self, stack, name, partitions=1, settings=None):
        self.stack = stack
        self.name = name
        self.partitions = partitions
        self.settings = settings or {}
        self.src, self.build = stack.settings["src"], stack.settings["build"]
        self.dir = os.path.join(stack.dir, name)
        os.makedirs(self.dir, mode=0o755)
        self.servers = []
        stack.postgres.copy_database(name)
        self.dsn = self.conninfo("postgres")
        if stack.broker is not None:
            self.brokers = stack.broker.brokers()
            stack.broker.make_topic(name, partitions)

    def conninfo(self, user):
        return (f"host={self.stack.postgres.host} port=5432"
                f" dbname={self.name} user={user}")

    def end(self):
        for server in self.servers:
            server.stop(timeout=5)

    def query(self, sql, *values):
        """The rows of one statement, committed."""
        connection = psycopg2.connect(self.dsn)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    # The daemons.

    def ingest(self, number=1, start=True, group=None, **changes):
        """turnout-ingest on this world; changes are sections."""
        server = Ingest(self.dir, self.build, number)
        merged = {"kafka": {"group": group or self.name}}
        for more in (self.settings, changes):
            for section, keys in more.items():
                merged.setdefault(section, {}).update(keys)
        server.configure(self.brokers, self.name,
                         self.conninfo("turnout_ingest"), merged)
        if all(s.name != server.name for s in self.servers):
            self.servers.append(server)
        return server.start() if start else server

    def serve(self, nodes=(), workers=2, prefix="", patient=False, **changes):
        """turnout-fcgi and nginx on this world's database; the URL.  A
        patient one is asked for what it answers, not how soon: a busy
        machine may take four seconds for it."""
        fcgi = Fcgi(self.dir, self.build)
        if patient:
            self.query(f'ALTER ROLE turnout_web IN DATABASE "{self.name}"'
                       " SET statement_timeout = '3900ms'")
            changes = {"pg": {"timeout_ms": 4000},
                       "pool": {"request_timeout_ms": 9000}, **changes}
        fcgi.configure(self.conninfo("turnout_web"), nodes, workers, changes)
        self.servers.append(fcgi.start())
        self.fcgi = fcgi
        self.nginx = Nginx(self.dir, self.src, prefix=prefix)
        self.servers.append(self.nginx.start())
        return self.nginx.url()

    def command(self, *words, **changes):
        """turnout-ingest WORDS on this database; CompletedProcess."""
        server = Ingest(self.dir, self.build, 9)
        server.configure("127.0.0.1:1", self.name,
                         self.conninfo("turnout_ingest"), changes)
        return subprocess.run(
            [server.program, "-c", server.conf, *words], text=True,
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
            timeout=120, env=server.environment())

    # Messages in.

    def feed(self, *files, options=(), patience=60):
        """As tests/stack feed does it."""
        self.wait_stored(self.send(*files, options=options), patience)

    def send(self, *files, options=()):
        feeder = os.path.join(self.build, "tests", "kafkafeed")
        subprocess.run([feeder, "-b", self.brokers, "-t", self.name,
                        *options, *files], stdout=subprocess.DEVNULL,
                       check=True, timeout=120)
        return self.ends()

    def lock(self, table):
        """No batch gets on with this table until the answer is closed."""
        lock = psycopg2.connect(self.conninfo("turnout_ingest"))
        lock.cursor().execute(
            f"LOCK TABLE turnout.{table} IN EXCLUSIVE MODE")
        return lock

    def waiting(self):
        """Rows of one process id: who stores and waits for a lock."""
        return self.query(
            "SELECT pid FROM pg_stat_activity WHERE application_name ="
            " 'turnout-ingest' AND datname = current_database()"
            " AND wait_event_type = 'Lock'")

    def produce(self, records, wait=True):
        """Records of kafka.out(), in order; until they are stored."""
        kafka.produce(self.brokers, self.name, records)
        if wait:
            self.wait_stored(self.ends())

    def ends(self):
        rk = kafka.handle(kafka.CONSUMER, {
            "bootstrap.servers": self.brokers, "group.id": "ends"})
        try:
            return kafka.ends(rk, self.name)
        finally:
            kafka.destroy(rk)

    def stored(self):
        """{partition: next offset} in the database; None while it is away."""
        try:
            return dict(self.query(
                "SELECT part, next_offset FROM turnout.ingest_offsets"
                " WHERE topic = %s", self.name))
        except psycopg2.Error:
            return None

    def wait_stored(self, ends, patience=60):
        """Until all offsets are there; patience is for no progress at all."""
        before, moved = None, time.monotonic()
        while True:
            now = self.stored()
            if now is not None and all(now.get(part, 0) >= end
                                       for part, end in ends.items()):
                return
            if now != before:
                before, moved = now, time.monotonic()
            assert time.monotonic() - moved < patience, (
                f"nothing moved for {patience} s: stored {now}, sent {ends}\n"
                + "\n".join(proc.tail(s.log) for s in self.servers))
            time.sleep(0.02)

    # The judge.

    def log(self):
        """The topic as it stands, for the oracle."""
        return oracle.records_of_topic(self.brokers, self.name)

    def judge(self, **how):
        """Assert that the database is what the log says; both states."""
        want, have = oracle.state_of(self.log()), state.read(self.dsn)
        wrong = state.differences(want, have, letters=True, **how)
        assert not wrong, "\n".join(wrong)
        assert state.topics_astray(self.dsn) == []
        return want, have
