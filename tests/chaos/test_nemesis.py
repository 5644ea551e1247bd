"""Row F66: everything at once.  A minute of faults picked at random, one or
two at a time, 1 to 5 s each, with pauses; nothing is ever wrong meanwhile,
and when they end all is stored."""

import contextlib
import os
import signal
import time

import pytest
import redis as client
from stacklib import proc

row = pytest.mark.row
MINUTE = 60.0


@contextlib.contextmanager
def stopped(server):
    """SIGSTOP: it has its sockets open and says nothing."""
    server.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.signal(signal.SIGCONT)


@contextlib.contextmanager
def killed(server):
    server.kill()
    try:
        yield
    finally:
        server.start()


class Nemesis:
    """The faults; each is a context that lasts as long as the fault."""

    def __init__(self, s, servers):
        self.s, self.servers = s, servers
        self.ingest = s.ingest()
        self.faults = [
            self.ingest_killed, self.ingest_stopped, self.another_ingest,
            self.kafka_stopped, self.postgres_restarted,
            self.postgres_crashed, self.backends_ended, self.backend_stopped,
            self.redis_killed, self.redis_stopped, self.redis_emptied,
            self.worker_killed, self.pool_rolled]
        self.met = {}

    def pick(self):
        return self.s.dice.choice(self.faults)

    def begin(self, fault, faults):
        self.met[fault.__name__] = self.met.get(fault.__name__, 0) + 1
        faults.enter_context(fault())

    @contextlib.contextmanager
    def ingest_killed(self):
        self.ingest.kill()
        yield
        self.ingest = self.s.ingest(start=False)
        self.ingest.spawn()

    def ingest_stopped(self):
        return stopped(self.ingest)

    @contextlib.contextmanager
    def another_ingest(self):
        other = self.s.ingest(number=2, start=False)
        other.spawn()
        yield
        other.kill()

    def kafka_stopped(self):
        return stopped(self.servers.broker)

    @contextlib.contextmanager
    def postgres_restarted(self):
        self.servers.postgres.restart("fast")
        yield

    @contextlib.contextmanager
    def postgres_crashed(self):
        self.servers.postgres.crash()
        self.servers.postgres.forget()
        try:
            yield
        finally:
            self.servers.postgres.start()

    def backends(self):
        with contextlib.suppress(Exception):  # it may be away
            return [pid for pid, in self.s.world.query(
                "SELECT pid FROM pg_stat_activity WHERE usename IN"
                " ('turnout_ingest', 'turnout_web')"
                " AND datname = current_database()")]
        return []

    @contextlib.contextmanager
    def backends_ended(self):
        for pid in self.backends():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        yield

    @contextlib.contextmanager
    def backend_stopped(self):
        pids = self.backends()
        pid = self.s.dice.choice(pids) if pids else None
        began = pid and proc.start_time(pid)
        if began:
            os.kill(pid, signal.SIGSTOP)
        yield
        if began and proc.start_time(pid) == began:
            os.kill(pid, signal.SIGCONT)

    def node(self):
        return self.s.dice.choice(self.servers.redis)

    def redis_killed(self):
        return killed(self.node())

    def redis_stopped(self):
        return stopped(self.node())

    @contextlib.contextmanager
    def redis_emptied(self):
        with contextlib.suppress(client.RedisError):
            client.Redis(unix_socket_path=self.node().socket,
                         socket_timeout=1).flushall()
        yield

    @contextlib.contextmanager
    def worker_killed(self):
        workers = sorted(self.s.world.fcgi.workers())
        if workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.s.dice.choice(workers), signal.SIGKILL)
        yield

    @contextlib.contextmanager
    def pool_rolled(self):
        self.s.world.fcgi.reload()
        yield


# What cannot happen twice at once, or to a server that is away.
APART = [{"ingest_killed", "ingest_stopped"},
         {"postgres_restarted", "postgres_crashed", "backend_stopped"},
         {"redis_killed", "redis_stopped"}]


def fit(one, other):
    names = {one.__name__, other.__name__}
    return len(names) == 2 and not any(names <= group for group in APART)


@row("F66", q=1, f=60, slice=5)
def test_everything_at_once(storm, servers, trials, note):
    s = storm(rate=400, away=True)
    nemesis = Nemesis(s, servers)
    s.advance(1)
    for _ in trials:
        until = time.monotonic() + MINUTE
        while time.monotonic() < until:
            one, other = nemesis.pick(), nemesis.pick()
            with contextlib.ExitStack() as faults:
                nemesis.begin(one, faults)
                if fit(one, other) and s.dice.random() < 0.5:
                    nemesis.begin(other, faults)
                time.sleep(s.moment(5))
            time.sleep(s.moment(3))
        s.advance(1)
    note(**nemesis.met)
    s.judge()
