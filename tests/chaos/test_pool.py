"""Rows F55, F56, F59, F61 and F62: workers are killed, stopped and rolled,
clients dawdle, and nginx has no disk left."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time

import pytest
import requests
from asking import Askers, Met, metrics
from load import Load
from readers import Readers
from stacklib import proc
from stacklib.nginx import Nginx

row = pytest.mark.row
WORKERS = 3
LIMIT = 7.0  # s for any answer while no worker gives one: T of nginx
DIED = "turnout_fcgi_workers_died_total"
KILLED = "turnout_fcgi_workers_killed_total"
STARTED = "turnout_fcgi_workers_started_total"
# More than nginx can hold fresh, so that the workers get work.
MANY = [f"/api/topk?k={k}" for k in range(1, 1001)]
# Nobody has asked for these before: no cache has them.
NEW = iter(f"/api/topk?by=headcount&k={k}" for k in range(101, 1001))
REFUSED = (502, 503, 504)


def workers(s):
    return sorted(s.world.fcgi.workers())


def full(s):
    return len(workers(s)) == WORKERS


@row("F55", q=10, f=1000, slice=250)
def test_workers_are_killed(storm, trials, note):
    """nginx asks another; no client sees it, and the pool is full soon."""
    s = storm(rate=300)
    s.ingest()
    counted, longest = Met(s.world), 0.0
    with Load(s.world.nginx.url(), MANY) as load:
        for _ in trials:
            time.sleep(s.moment(0.4))
            victim, begin = s.dice.choice(workers(s)), time.monotonic()
            os.kill(victim, signal.SIGKILL)
            assert proc.wait_until(lambda gone=victim: full(s)
                                   and gone not in workers(s), 3, 0.01)
            longest = max(longest, time.monotonic() - begin)
            # nginx asks two of them: whoever met this death must not meet
            # the next one.
            assert load.wait_for(4 * len(load.threads))
    died = counted.more(DIED)
    note(died=round(died), longest_ms=round(1000 * longest),
         answers=load.answers)
    assert died >= len(trials)
    assert longest < 1.5
    assert not load.failed, load.failed[:5]
    s.judge()


def ask_new(s):
    """(status, seconds) of a board that no cache has."""
    begin = time.monotonic()
    answer = requests.get(s.world.nginx.url() + next(NEW), timeout=30)
    took = time.monotonic() - begin
    kind = answer.headers["Content-Type"].partition(";")[0]
    assert kind == ("application/json" if answer.status_code == 200
                    else "application/problem+json"), kind
    assert answer.status_code == 200 or (
        answer.status_code in REFUSED and "Retry-After" in answer.headers)
    return answer.status_code, took


def recovers(s):
    """Within 2 s, told by boards that no cache has."""
    assert proc.wait_until(lambda: ask_new(s)[0] == 200, 2), s.logs()


@contextlib.contextmanager
def all_stopped(s):
    """SIGSTOP to all of them; the pool sees only that they do not answer."""
    some = workers(s)
    for pid in some:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in some:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@row("F56", q=1, f=20, slice=10)
def test_all_workers_are_stopped(storm, trials, note):
    """What nginx has, it gives; the rest is refused, late but in time."""
    s = storm(rate=300, away=True, gone=True)
    s.ingest()
    assert s.readers.wait_for(100)
    told = []
    for _ in trials:
        recovers(s)
        counted = Met(s.world)
        with all_stopped(s):
            status, took = ask_new(s)
            told.append((status, round(took, 1)))
            assert took < LIMIT, told
            # One that was stopped in the middle of a request is replaced.
            assert status in REFUSED or counted.more(KILLED) > 0, told
        recovers(s)
    note(told=told[:3])
    s.judge()


@row("F56", q=1, f=20, slice=10)
def test_workers_die_as_soon_as_they_start(storm, trials, note):
    """A crash loop for 3 s: the pool slows down, says so, and recovers."""
    s = storm(rate=300, away=True, gone=True)
    s.ingest()
    assert s.readers.wait_for(100)
    for _ in trials:
        before = metrics(s.world)[STARTED]
        until = time.monotonic() + 3
        while time.monotonic() < until:
            for pid in workers(s):
                with contextlib.suppress(ProcessLookupError):
                    # SIGKILL comes from elsewhere: it would not slow down.
                    os.kill(pid, signal.SIGSEGV)
            time.sleep(0.001)
        # Its longest pause, which ends a crash loop of any length.
        assert proc.wait_until(lambda: full(s), 8), s.logs()
        recovers(s)
        started = metrics(s.world)[STARTED] - before
        note(started=round(started))
        assert started < 60
        assert s.world.fcgi.logged("workers die as soon as they start")
    s.judge()


class Dawdlers:
    """Clients that say and read as little as they can."""

    def __init__(self, port, idle=150, slow=20):
        self.port, self.idle, self.slow = port, idle, slow
        self.sockets, self.readers, self.gone = [], [], 0

    def connect(self, says):
        s = socket.create_connection(("127.0.0.1", self.port))
        s.sendall(says)
        return s

    def __enter__(self):
        head = b"GET /api/topk?k=1000 HTTP/1.1\r\nHost: x\r\n"
        for number in range(self.idle):
            says = (b"", head, b"POST / HTTP/1.1\r\nHost: x\r\n"
                    b"Content-Length: 1000\r\n\r\nx")[number % 3]
            self.sockets.append(self.connect(says))
        for _ in range(self.slow):
            self.readers.append(self.connect(head + b"\r\n"))
        return self

    def __exit__(self, *_):
        for s in self.sockets + self.readers:
            s.close()

    def dawdle(self, seconds):
        """A byte a second from each, and others go away in the middle."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for s in self.readers:
                assert s.recv(1)
            for _ in range(5):
                c = http.client.HTTPConnection("127.0.0.1", self.port)
                c.request("GET", next(NEW))
                c.close()
                self.gone += 1
            time.sleep(1)


# The table has 30 s; what is idle for 5 s, nginx closes.
@row("F59", q=1, f=10)
def test_clients_dawdle(storm, trials, note):
    """nginx absorbs it: no worker waits for a client, others see nothing."""
    s = storm(rate=300)
    s.ingest()
    s.advance(2000)
    for _ in trials:
        with Askers(s.world) as before:
            assert before.wait_for(200)
        with Dawdlers(s.world.nginx.port) as some:
            with Askers(s.world) as askers:
                some.dawdle(4)
            assert askers.answers > 50
        note(gone=some.gone, p99_ms=askers.percentile(0.99),
             p99_ms_before=before.percentile(0.99))
        askers.judge()
        # 2x, and what a machine with two busy cores may add.
        assert askers.percentile(0.99) < 2 * before.percentile(0.99) + 200
    s.judge()


@contextlib.contextmanager
def small_disk(path, size):
    """A tmpfs; a machine that forbids it cannot have this row."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs",
         path], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def fill(path):
    """Until nothing more can be written."""
    with open(os.path.join(path, "junk"), "ab", buffering=0) as f:
        with contextlib.suppress(OSError):
            while True:
                f.write(b"x" * 4096)
    free = os.statvfs(path)
    assert free.f_bavail == 0, free


class Apart(Nginx):
    """Another nginx before the same pool; some of its values differ."""

    def __init__(self, directory, s, **values):
        super().__init__(directory, s.world.src,
                         fcgi_socket=s.world.fcgi.socket)
        self.other_values = values

    def values(self):
        return dict(super().values(), **self.other_values)


@contextlib.contextmanager
def full_disk(path):
    fill(path)
    try:
        yield
    finally:
        os.unlink(os.path.join(path, "junk"))


def cached(nginx, path):
    """Whether nginx had it."""
    answer = requests.get(nginx.url() + path, timeout=10)
    assert answer.status_code == 200
    return answer.headers["X-Turnout-Cache"] == "HIT"


@row("F61", q=1, f=5)
def test_nginx_cannot_write_its_logs(storm, trials, directory, note):
    """Nor its temporary files; nobody sees it but who reads them."""
    s = storm(rate=300)
    s.ingest()
    s.advance(2000)
    with small_disk(directory, "4m"):
        nginx = Apart(directory, s,
                      CACHEDIR=os.path.join(s.world.dir, "cache"))
        nginx.start()
        try:
            with Readers(nginx.url()) as some:
                for _ in trials:
                    assert nginx.requests() > 0
                    with full_disk(directory):
                        logged = nginx.requests()
                        assert some.wait_for(1000)
                        assert not cached(nginx, next(NEW))
                        # There may be room for some in the last block.
                        assert nginx.requests() < logged + 100
                    assert proc.wait_until(
                        lambda was=logged: nginx.requests() > was, 10)
            assert not some.failed, some.failed[:5]
            note(answers=some.answers)
        finally:
            nginx.stop()
    s.judge()


@row("F61", q=1, f=5)
def test_nginx_cannot_write_its_cache(storm, trials, directory, note):
    """What it has it gives, as it does while the pool is away.  What it would
    have to store first it cannot pass on: nginx gives no answer then, rather
    than half of one; so the cache needs a disk that nobody else fills."""
    s = storm(rate=300)
    s.ingest()
    s.advance(2000)
    with small_disk(directory, "4m"):
        nginx = Apart(os.path.join(s.world.dir, "apart"), s,
                      CACHEDIR=os.path.join(directory, "cache"))
        nginx.start()
        try:
            some = Readers(nginx.url())
            # With an update that fails nginx also closes the connection of
            # whoever got the old answer meanwhile.
            some.keep_alive = False

            def refused():
                fill(directory)  # nginx may have removed something
                try:
                    cached(nginx, next(NEW))
                except requests.ConnectionError:
                    return True
                return False

            with some:
                for _ in trials:
                    assert some.wait_for(500)
                    with full_disk(directory):
                        assert some.wait_for(200)
                        assert proc.wait_until(refused, 10)
                    path = next(NEW)
                    assert proc.wait_until(
                        lambda new=path: cached(nginx, new), 10)
            note(answers=some.answers)
            assert not some.failed, some.failed[:5]
        finally:
            nginx.stop()
    s.judge()


@row("F62", q=3, f=50)
def test_nginx_and_the_pool_are_rolled(storm, trials, note):
    """One, the other, or both at once."""
    s = storm(rate=300)
    s.ingest()
    # nginx closes idle connections then, which a client must expect.
    s.readers.keep_alive = False
    with Load(s.world.nginx.url(), MANY, keep_alive=False) as load:
        for trial in trials:
            old = set(workers(s)), proc.children(s.world.nginx.pid())
            rolled = [(workers, old[0]), (
                lambda s: proc.children(s.world.nginx.pid()), old[1])]
            if trial % 3 != 0:
                s.world.nginx.reload()
            if trial % 3 != 1:
                s.world.fcgi.reload()
            if trial % 3 < 2:
                rolled = [rolled[trial % 3]]
            for now, before in rolled:
                assert proc.wait_until(
                    lambda f=now, b=before: f(s) and not b & set(f(s)), 15)
            assert proc.wait_until(lambda: full(s), 5)
            assert load.wait_for(s.dice.randrange(1, 200))
    note(answers=load.answers)
    assert not load.failed, load.failed[:5]
    s.judge()
