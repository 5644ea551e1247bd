"""Rows F50, F52, F53 and F54: what stands in Redis is not what it should be:
poisoned, of another worker's ring, written late, of another clock."""

import os
import socket
import struct
import time

import pytest
import redis as client
from asking import BAD, ERRORS, FRESH, Askers, Met
from fakeredis import NIL, OK, FakeRedis, bulk
from faketime import Clock
from proxy import Proxy
from readers import BOARDS
from stacklib import proc
from values import forged, head_of, whole

row = pytest.mark.row
HOUR = 3600 * 1000  # ms
# Boards that nobody else asks for.
OURS = range(100, 200)


def connect(redis):
    return client.Redis(unix_socket_path=redis.socket, socket_timeout=15)


def set_list(server, key, value):
    server.delete(key)
    server.rpush(key, value, "more")


def set_hash(server, key, value):
    server.delete(key)
    server.hset(key, "field", value)


def set_stream(server, key, value):
    server.delete(key)
    server.xadd(key, {"field": value})


def value_of(make):
    """A poison that is a string: make(value, another's value)."""
    def poison(server, key, value, other):
        server.set(key, make(value, other), keepttl=True)
    return poison


def type_of(make):
    def poison(server, key, value, other):
        del other
        make(server, key, value)
    return poison


# By the numbers of the plan.  P14, a forged answer whose checksum is right,
# is taken: who can write to Redis is trusted.  P15 and P16 come below.
POISONS = {
    "P1": value_of(lambda v, _: b""),
    "P2": value_of(lambda v, _: b"x"),
    "P3": value_of(lambda v, _: forged(v, body_len=1)),
    "P4": value_of(lambda v, _: v[:len(v) // 2]),
    "P5": value_of(lambda v, _: v + b"x"),
    "P6": value_of(lambda v, _: v[:-1] + bytes([v[-1] ^ 1])),
    "P7": value_of(lambda v, other: other),
    "P8": value_of(lambda v, _: forged(v, magic=-1)),
    "P9": value_of(lambda v, _: forged(v, magic=1)),
    "P10": value_of(lambda v, _: forged(v, as_of_ms=HOUR)),
    "P10 too": value_of(lambda v, _: forged(v, stored_ms=HOUR)),
    "P11": value_of(lambda v, _: forged(v, as_of_ms=-HOUR)),
    "P11 too": value_of(lambda v, _: forged(v, stored_ms=-HOUR)),
    "P12": value_of(lambda v, _: v + b"x" * 10_000_000),
    "P13 list": type_of(set_list),
    "P13 hash": type_of(set_hash),
    "P13 stream": type_of(set_stream),
    "P17": value_of(lambda v, _: 12345),
    "P18": value_of(lambda v, _: b"\0" * len(v)),
}


def kept(s, servers, askers, k):
    """A board of ours is asked for until it is kept: (server, key, value)."""
    key = f"{s.world.name}:t1|/api/topk|k={k}|by=rsvps".encode()
    found = []

    def there():
        wrong = askers.ask(None, (k, "rsvps"))
        assert wrong is None, wrong
        for redis in servers.redis:
            server = connect(redis)
            value = server.get(key)
            if whole(value, key):
                found[:] = [server, key, value]
        return bool(found)

    assert proc.wait_until(there, 10), s.logs()
    return found


def string(server, key):
    """A value; None also when it is none."""
    return server.get(key) if server.type(key) == b"string" else None


@row("F50", q=1, f=20)
def test_a_poisoned_value_is_overwritten(storm, servers, trials, note):
    """It is a miss, is counted, and is whole again after one question; no
    node is given up meanwhile, however busy the machine is."""
    s = storm(rate=300, fcgi={"redis": {"timeout_ms": 900}})
    s.ingest()
    s.advance(1000)
    for redis in servers.redis:
        connect(redis).set("session:1", "not ours")
    with Askers(s.world, clients=1, pause=0.02) as askers:
        for _ in trials:
            _, _, other = kept(s, servers, askers, 99)
            for name, poison in POISONS.items():
                k = s.dice.choice(OURS)
                server, key, value = kept(s, servers, askers, k)
                counted = Met(s.world)
                poison(server, key, value, other)
                wrong = askers.ask(None, (k, "rsvps"))
                assert wrong is None, f"{name}: {wrong}"
                assert counted.more(BAD) == 1, name
                assert whole(string(server, key), key), name
                assert server.pttl(key) > 0, name
                assert counted.more(ERRORS) == 0, name
            # P15: it lives no longer than it is good for.
            server.persist(key)
            assert proc.wait_until(lambda: askers.ask(
                None, (k, "rsvps")) is None and server.pttl(key) > 0, 10)
    for redis in servers.redis:  # P16
        assert connect(redis).get("session:1") == b"not ours"
    note(poisons=len(POISONS) * len(trials))
    askers.judge()
    s.judge()


class OneSided(Proxy):
    """Cuts whatever a process among .victims says; .cuts counts it."""

    def __init__(self, directory, redis):
        super().__init__(directory, redis.socket)
        self.victims, self.cuts = set(), 0

    def node(self):
        return "unix:" + self.path

    def pass_on(self, data, from_client, server, client):
        pid, _, _ = struct.unpack("3i", client.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if pid in self.victims:
            self.cuts += 1
            return False
        return super().pass_on(data, from_client, server, client)


@row("F52", q=2, f=20)
def test_workers_do_not_agree_which_node_is_dead(
        storm, servers, trials, directory, note):
    """One cannot reach a node that the others use; all answers are fresh."""
    with OneSided(directory, servers.redis[0]) as proxy:
        os.chmod(proxy.path, 0o666)
        s = storm(rate=300, nodes=[proxy.node()] + [
            r.node() for r in servers.redis[1:]],
            fcgi={"redis": {"retry_ms": 200}})
        s.ingest()
        with Askers(s.world) as askers:
            for _ in trials:
                proxy.victims = {s.dice.choice(
                    sorted(s.world.fcgi.workers()))}
                cuts, counted = proxy.cuts, Met(s.world)
                assert proc.wait_until(
                    lambda was=cuts: proxy.cuts > was + 3, 20)
                time.sleep(s.moment(2))
                counted.wait_for(ERRORS, count=3)
                counted.wait_for(FRESH, count=3)
                proxy.victims = set()
                assert askers.wait_for(30)
        note(cuts=proxy.cuts)
        askers.judge()
        s.judge()


class LateWriter(FakeRedis):
    """Between the workers and a real Redis; some SETs get there late, also
    when their worker has given up.  .written_back counts those that put an
    older value over a newer one."""

    def __init__(self, dice, redis):
        super().__init__(dice)
        self.server = connect(redis)
        self.written_back = 0

    def answer(self, words):
        reply = self.server.execute_command(*words)
        if words[0] == b"GET":
            return bulk(reply)
        return OK if reply else NIL

    def delay(self, sender, words):
        """As a lie: False = done at once."""
        if words[0] != b"SET" or b":lock|" in words[1] \
                or self.dice.randrange(2):
            sender.send(self.answer(words))
            return False
        # Longer than the lock of a refill, which keeps others from writing.
        time.sleep(self.dice.uniform(2.1, 4))
        old = self.server.get(words[1])
        reply = self.answer(words)
        if old and head_of(old)["stored_ms"] \
                > head_of(words[2])["stored_ms"]:
            with self.lock:
                self.written_back += 1
        sender.send(reply)
        return True


@row("F53", q=10, f=500, slice=100)
def test_an_old_value_is_written_back_over_a_newer_one(
        storm, servers, trials, dice, note):
    """Nothing is ever invalidated; what counts is the age in the value."""
    with LateWriter(dice, servers.redis[0]) as writer:
        s = storm(rate=300, readers=1, nodes=[writer.node()] + [
            r.node() for r in servers.redis[1:]],
            fcgi={"redis": {"retry_ms": 10, "timeout_ms": 20},
                  "cache": {"board_ms": 100}})
        s.ingest()
        writer.lie = LateWriter.delay
        boards = [(k, by) for k in OURS for by in ("rsvps", "headcount")]
        with Askers(s.world, boards, pause=0.001) as askers:
            assert proc.wait_until(
                lambda: writer.written_back >= len(trials),
                60 + 5 * len(trials))
        note(written_back=writer.written_back, late=writer.met)
        askers.judge()
        s.judge()


def workers_clock_jumps(s, clock, jump):
    """What is kept is of the future, or too old, in either jump."""
    for seconds in (jump, 0):
        counted = Met(s.world)
        clock.move(seconds)
        counted.wait_for(BAD, count=3)
        time.sleep(s.moment(2))


def redis_clock_jumps(s, server, jump):
    """All that is kept there ends so much sooner or later: a jump forward
    empties it, one back leaves the locks that were held just then.  Redis
    itself does not run under libfaketime."""
    boards = list(server.scan_iter(s.world.name + ":*"))
    for key in boards:
        if jump < 0 and b":lock|" not in key:
            server.set(s.world.name.encode() + b":lock|" + key, 1, px=1000,
                       nx=True)
    for key in server.scan_iter(s.world.name + ":*"):
        left = server.pttl(key)
        if left > 0:
            server.pexpire(key, left - 1000 * jump)
    assert boards
    # Longer than an answer may be passed off while another refills it.
    time.sleep(7)


@row("F54", q=2, f=40, slice=10)
def test_clocks_jump(storm, servers, trials, directory):
    """An hour or a day; no answer is older than it may be."""
    clock = Clock(directory)
    s = storm(rate=300)
    s.ingest()
    # nginx has each of the readers' boards, for as long as there is no pool.
    assert s.readers.wait_for(2 * len(BOARDS))
    s.world.fcgi.stop()
    s.world.fcgi.extra_environment = clock.environment
    s.world.fcgi.start()
    with Askers(s.world) as askers:
        for trial in trials:
            Met(s.world).wait_for(FRESH, count=10)
            jump = s.dice.choice([-86400, -3600, 3600, 86400])
            if trial % 2 == 0:
                workers_clock_jumps(s, clock, jump)
            else:
                redis_clock_jumps(
                    s, connect(s.dice.choice(servers.redis)), jump)
        Met(s.world).wait_for(FRESH, count=10)
    askers.judge()
    s.judge()
