"""Rows F45, F46, F49 and F51: real Redis nodes are killed, stopped, refuse,
forget and are busy.  No request fails, and a node that is itself again is
used again."""

import concurrent.futures
import contextlib
import signal
import threading
import time
import urllib.request

import pytest
import redis as client
from asking import (ERRORS, FRESH, QUERIES, SLOWEST, Askers, Met,
                    metrics)
from serving import slow_windows
from stacklib import proc

row = pytest.mark.row
WORKERS = 3
RETRY = 1.0  # s that a node is left alone: the preset


@pytest.fixture(autouse=True)
def whole_again(servers):
    """A test that fails must not leave the next one without its servers."""
    yield
    for redis in servers.redis:
        if redis.alive():
            redis.signal(signal.SIGCONT)
        else:
            redis.forget()
            redis.start()


def admin(redis):
    """A connection that stays what it is, whatever others may do then."""
    return client.Redis(unix_socket_path=redis.socket, socket_timeout=15,
                        single_connection_client=True)


def wait_until_used(s, nodes):
    """Until each of them has boards of this world."""
    for redis in nodes:
        with admin(redis) as server:
            assert proc.wait_until(lambda at=server: any(
                True for _ in at.scan_iter(s.world.name + ":*")), 20), \
                f"{redis.name} is not used\n" + s.logs()


def stampede(s, clients=30):
    """All ask at once for a board that nobody has, and that takes half a
    second: one question to PostgreSQL."""
    url = s.url + "/api/topk?window=7d"

    def status(_):
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status

    with slow_windows(s.world.dsn, 0.5), \
            concurrent.futures.ThreadPoolExecutor(clients) as everybody:
        counted = Met(s.world)
        assert set(everybody.map(status, range(clients))) == {200}
        assert counted.more(QUERIES) == 1


@row("F45", q=9, f=200, telling=True)
def test_nodes_are_killed(storm, servers, trials, note):
    """One, two or three at a time; they come back empty."""
    s = storm(rate=300)
    s.ingest()
    kills = 0
    with Askers(s.world) as before:
        wait_until_used(s, servers.redis)
        assert before.wait_for(200)
    with Askers(s.world) as askers:
        wait_until_used(s, servers.redis)
        while kills < len(trials):
            some = s.dice.sample(servers.redis, s.dice.randrange(1, 4))
            counted = Met(s.world)
            for redis in some:
                redis.kill()
            kills += len(some)
            counted.wait_for(ERRORS, count=len(some))
            assert askers.wait_for(s.dice.randrange(1, 100))
            for redis in some:
                redis.start()
            wait_until_used(s, some)
    note(kills=kills, p99_ms=askers.percentile(0.99),
         p99_ms_before=before.percentile(0.99),
         slowest_ms=askers.percentile(1))
    askers.judge(slowest=SLOWEST)
    s.judge()
    for redis in servers.redis:
        redis.kill()
        redis.start()
    stampede(s)


# The table has 30 s; what differs is only how often the node is tried.
@row("F46", q=3, f=50, slice=10)
def test_a_node_hangs(storm, servers, trials, note):
    """Each worker loses its time for Redis once, and then no more often than
    it tries the node again."""
    s = storm(rate=300)
    s.ingest()
    faults = 0
    with Askers(s.world) as askers:
        for trial in trials:
            redis = s.dice.choice(servers.redis)
            wait_until_used(s, [redis])
            counted, begin = Met(s.world), time.monotonic()
            redis.signal(signal.SIGSTOP)
            time.sleep(30 if trial == 9 else 1 + s.moment(4))
            met = counted.more(ERRORS)
            tries = (time.monotonic() - begin) / RETRY + 1
            redis.signal(signal.SIGCONT)
            # Where the machine is busy, the other nodes may be late, too.
            assert 1 <= met <= len(servers.redis) * WORKERS * tries, (
                met, tries)
            faults += met
            Met(s.world).wait_for(FRESH, count=10)
    note(tries=round(faults), p99_ms=askers.percentile(0.99),
         slowest_ms=askers.percentile(1))
    askers.judge(slowest=SLOWEST)
    s.judge()


@contextlib.contextmanager
def configured(server, **values):
    """CONFIG SET, and back."""
    names = {name: name.replace("_", "-") for name in values}
    before = {at: server.config_get(at)[at] for at in names.values()}
    try:
        for name, value in values.items():
            server.config_set(names[name], value)
        yield
    finally:
        for name in reversed(names.values()):
            server.config_set(name, before[name])


@contextlib.contextmanager
def out_of_memory(server):
    with configured(server, maxmemory_policy="noeviction", maxmemory=1):
        yield


@contextlib.contextmanager
def replica(server, stale):
    """Of nobody who answers: READONLY, or MASTERDOWN for a GET too."""
    with configured(server, replica_serve_stale_data=stale):
        server.replicaof("127.0.0.1", "1")
        try:
            yield
        finally:
            server.replicaof("NO", "ONE")


@contextlib.contextmanager
def unknown(server):
    """A password that nobody was told: NOAUTH."""
    server.config_set("requirepass", "a secret")
    server.client_kill_filter(_type="normal", skipme=True)
    try:
        yield
    finally:
        server.config_set("requirepass", "")


@contextlib.contextmanager
def forbidden(server):
    """NOPERM."""
    server.execute_command("ACL SETUSER default -get -set")
    try:
        yield
    finally:
        server.execute_command("ACL SETUSER default +@all")


@contextlib.contextmanager
def without_replicas(server):
    with configured(server, min_replicas_to_write=1):
        yield


@contextlib.contextmanager
def busy(server):
    """A slow script: no answer, then BUSY."""
    script = ("local e = redis.call('TIME')[1] + ARGV[1] repeat until"
              " redis.call('TIME')[1] - e >= 0")
    other = client.Redis(
        unix_socket_path=server.connection_pool.connection_kwargs["path"],
        socket_timeout=15)
    with configured(server, busy_reply_threshold=200):
        thread = threading.Thread(
            target=other.eval, args=[script, 0, 2])
        thread.start()
        try:
            yield
        finally:
            thread.join()


# What Redis counts them as.
REFUSALS = {
    "OOM": out_of_memory,
    "READONLY": lambda server: replica(server, "yes"),
    "MASTERDOWN": lambda server: replica(server, "no"),
    "NOAUTH": unknown,
    "NOPERM": forbidden,
    "NOREPLICAS": without_replicas,
    "BUSY": busy,
}


def refused(server, name):
    """How often it has refused for that reason."""
    found = server.info("errorstats").get("errorstat_" + name, "count=0")
    return int(found.partition("=")[2])


@row("F49", q=1, f=10)
def test_a_real_node_refuses(storm, servers, trials):
    """For each of the reasons above: counted, and no request fails."""
    s = storm(rate=300, fcgi={"redis": {"retry_ms": 200}})
    s.ingest()
    with Askers(s.world) as askers:
        for _ in trials:
            for name, refusal in REFUSALS.items():
                redis = s.dice.choice(servers.redis)
                wait_until_used(s, [redis])
                counted = Met(s.world)
                with admin(redis) as server:
                    before = refused(server, name)
                    with refusal(server):
                        # Who is busy would refuse this, too.
                        assert name == "BUSY" or proc.wait_until(
                            lambda was=before: refused(server, name) > was,
                            20), name
                        counted.wait_for(ERRORS, count=3)
                    assert refused(server, name) > before, name
                    server.flushall()
                wait_until_used(s, [redis])
    askers.judge()
    s.judge()


def evictions(server, s):
    """There is hardly memory, and others write."""
    del s
    used = server.info("memory")["used_memory"]
    with configured(server, maxmemory=used + 200000):
        before = server.info("stats")["evicted_keys"]
        for number in range(1000):
            server.set(f"somebody-else:{number}", "x" * 2000, px=60000)
        assert server.info("stats")["evicted_keys"] > before


def emptied(server, s):
    """FLUSHALL, again and again."""
    for _ in range(5):
        server.flushall()
        time.sleep(s.moment(0.5))


def paused(server, s):
    """It answers nobody for a while, as in DEBUG SLEEP."""
    counted = Met(s.world)
    server.execute_command("CLIENT PAUSE", 1500)
    counted.wait_for(ERRORS)
    server.ping()  # answered when the pause is over


def scripted(server, s):
    """A script takes its time."""
    counted = Met(s.world)
    with busy(server):
        counted.wait_for(ERRORS)


@row("F51", q=1, f=12, slice=6)
def test_a_node_forgets_and_dawdles(storm, servers, trials, note):
    """A trial is one of each: the count of the table is that of faults."""
    s = storm(rate=300)
    s.ingest()
    before = metrics(s.world)
    with Askers(s.world) as askers:
        for _ in trials:
            for fault in (evictions, emptied, paused, scripted):
                redis = s.dice.choice(servers.redis)
                wait_until_used(s, [redis])
                with admin(redis) as server:
                    fault(server, s)
                wait_until_used(s, [redis])
    note(errors=metrics(s.world)[ERRORS] - before[ERRORS],
         p99_ms=askers.percentile(0.99), slowest_ms=askers.percentile(1))
    askers.judge()
    s.judge()
