"""Boards asked from the pool itself, past nginx: every question reaches a
worker, and so the Redis ring.  The answers are checked as readers.py does.

    with Askers(s.world, s.dice) as askers:
        before = metrics(s.world)
        ...
        assert askers.wait_for(100)
    askers.judge()
"""

import http.client
import io
import itertools
import socket
import time

from readers import LIMIT, PAUSE, Readers
from stacklib import proc
from stacklib.fastcgi import END, STDOUT, question, records

ERRORS = "turnout_fcgi_redis_errors_total"
BAD = "turnout_fcgi_cache_bad_total"
FRESH = 'turnout_fcgi_cache_total{result="fresh"}'
QUERIES = "turnout_fcgi_db_queries_total"
SLOWEST = 2.5  # s for an answer while a node fails, where two cores do it all

# Enough of them for each node of a ring to have some.
MANY = [(k, by) for k in range(1, 25) for by in ("rsvps", "headcount")]

class Broken(ConnectionError):
    """The answer has no end, or is not as long as it says."""


class Answer:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        self.headers = http.client.parse_headers(
            io.BytesIO(head + b"\r\n\r\n"))
        self.status = int(self.headers.get("Status", "200 OK").split()[0])
        if int(self.headers.get("Content-Length", 0)) != len(self.body):
            raise Broken(f"{len(self.body)} bytes after {head!r}")


def talk(path, uri, query, timeout):
    """All that a worker says."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(timeout)
        s.connect(path)
        try:
            s.sendall(question(uri, query))
            return b"".join(iter(lambda: s.recv(65536), b""))
        except (BrokenPipeError, ConnectionResetError):
            return b""


def ask(path, uri, query="", timeout=10):
    """One request to the pool on that socket.  As nginx does, it asks once
    more when a worker closes and has said nothing: it does so when nobody
    speaks for a moment, which may be this process on a busy machine."""
    raw = talk(path, uri, query, timeout) or talk(path, uri, query, timeout)
    parts = list(records(raw))
    if END not in [kind for kind, _ in parts]:
        raise Broken("the answer has no end")
    return Answer(b"".join(data for kind, data in parts if kind == STDOUT))


def metrics(world):
    """{"name{labels}": value}, of the pool of a world."""
    text = ask(world.fcgi.status_socket, "/metrics").body.decode()
    pairs = (line.rpartition(" ") for line in text.splitlines()
             if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


class Met:
    """How far the counters of a pool went since this was made."""

    def __init__(self, world):
        self.world, self.before = world, metrics(world)

    def more(self, *names):
        now = metrics(self.world)
        return sum(now[name] - self.before[name] for name in names)

    def wait_for(self, *names, count=1, seconds=20):
        found = proc.wait_until(lambda: self.more(*names) >= count, seconds)
        assert found, f"{names}: {self.more(*names)} more, not {count}"


class Askers(Readers):
    fresh = 8.0  # s: in Redis 6, a query 1, and a moment on a busy machine

    def __init__(self, world, boards=None, clients=3, pause=PAUSE):
        super().__init__("http://pool", clients, pause=pause)
        self.world, self.clients = world, clients
        self.paths = itertools.cycle(boards or MANY)
        self.took = []

    def ask(self, _, board):
        """Instead of the one that asks nginx."""
        k, by = board
        time.sleep(self.pause)
        begin = time.monotonic()
        try:
            answer = ask(self.world.fcgi.socket, "/api/topk",
                         f"k={k}&by={by}")
        except OSError as why:
            return repr(why)
        took = time.monotonic() - begin
        self.took.append(took)
        wrong = self.wrong(answer, answer.body, k, by)
        return "too late" if wrong is None and took > LIMIT else wrong

    def percentile(self, share):
        """ms within which that share of the questions was answered."""
        took = sorted(self.took)
        return round(1000 * took[int(share * (len(took) - 1))])

    def judge(self, slowest=LIMIT):
        """No answer was wrong, none slower."""
        assert not self.failed, self.failed[:5]
        assert self.answers and max(self.took) < slowest, max(self.took)
