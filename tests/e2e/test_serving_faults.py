"""Redis, workers, PostgreSQL and the pool itself go away under load."""

import http.client
import os
import re
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis as client
from load import Load
from page import Page
from serving import (MANY, NEW, get, site, slow_windows, whole_again,
                     workers)
from stacklib import proc
from stacklib.fastcgi import question


def told(site, name):
    """A counter of the pool."""
    return float(re.search(rf"^turnout_fcgi_{name} (\S+)$",
                           get(site, "/metrics").text, re.M)[1])


def errors_of_postgres(site):
    return told(site, "db_errors_total")


def test_all_redis_are_killed_under_load_and_no_request_fails(site):
    with Load(site.url, MANY) as load:
        for redis in site.redis:
            redis.kill()
            assert load.wait_for(100)
        assert load.wait_for(200)
        for redis in site.redis:
            redis.start()
        assert load.wait_for(200)
    assert not load.failed, load.failed[:5]
    assert load.slowest < 3


def test_a_redis_that_hangs_slows_little_and_fails_nothing(site):
    with Load(site.url, MANY) as load:
        site.redis[0].signal(signal.SIGSTOP)
        load.slowest = 0.0
        assert load.wait_for(300)
        slowest = load.slowest
        site.redis[0].signal(signal.SIGCONT)
        assert load.wait_for(100)
    assert not load.failed, load.failed[:5]
    print(f"slowest answer with a hanging Redis: {slowest * 1000:.0f} ms")
    assert slowest < 1


def poisons(value, other):
    """What may stand in a key instead of what we put there."""
    return [b"", b"x", value[:-1], value + b"x", value[:20],
            bytes([value[0] ^ 1]) + value[1:],
            value[:-5] + bytes([value[-5] ^ 1]) + value[-4:],
            other, b"\0" * len(value), value[::-1], None]


def test_a_poisoned_cache_is_a_miss(site):
    """Each board is asked for in two ways: nginx, which has its own copy of
    the first, knows nothing of the second; Redis sees one key."""
    known = {k: get(site, f"/api/topk?k={k}").json()["events"]
             for k in range(300, 344)}
    servers = [client.Redis(unix_socket_path=r.socket) for r in site.redis]
    entries = [(server, key, server.get(key))
               for server in servers for key in server.keys("*")
               if b":lock|" not in key]  # they come and go
    assert len(entries) >= len(known)
    for number, (server, key, value) in enumerate(entries):
        some = poisons(value, entries[number - 1][2])
        poison = some[number % len(some)]
        if poison is None:
            server.delete(key)
            server.rpush(key, "a", "list")
        else:
            server.set(key, poison, keepttl=True)
    for k, events in known.items():
        answer = get(site, f"/api/topk?by=rsvps&k={k}")
        assert answer.status_code == 200
        assert answer.json()["events"] == events, k


def test_workers_are_killed_under_load_and_no_request_fails(site, dice):
    with Load(site.url, MANY) as load:
        for _ in range(12):
            os.kill(dice.choice(sorted(workers(site))), signal.SIGKILL)
            assert proc.wait_until(lambda: len(workers(site)) == 3, 1)
            time.sleep(0.15)
        assert load.wait_for(15)
    assert not load.failed, load.failed[:5]


def half_an_answer(listener):
    """A FastCGI server whose process dies in the middle of its answer."""
    head = (b"Status: 200\r\nContent-Type: application/json\r\n"
            b"Content-Length: 60000\r\n\r\n")
    half = head + b'{"half":"' + b"x" * 30000
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.recv(65536)
        connection.sendall(b"\1\6\0\1" + len(half).to_bytes(2, "big")
                           + b"\0\0" + half)
        connection.close()


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_an_answer_that_broke_off_is_never_passed_as_a_whole_one(
        site, encoding):
    site.fcgi.stop()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(site.fcgi.socket)
    os.chmod(site.fcgi.socket, 0o777)
    listener.listen(8)
    thread = threading.Thread(target=half_an_answer, args=(listener,))
    thread.start()
    try:
        connection = http.client.HTTPConnection(
            "127.0.0.1", site.nginx.port, timeout=10)
        connection.request("GET", next(NEW),
                           headers={"Accept-Encoding": encoding})
        answer = connection.getresponse()
        assert answer.getheader("Content-Encoding", "identity") == encoding
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            answer.read()
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        os.unlink(site.fcgi.socket)
        site.fcgi.start()


def test_a_worker_that_hangs_is_replaced(site):
    """Its request is retried or answered late, but answered."""
    before = workers(site)
    victim = sorted(before)[0]
    os.kill(victim, signal.SIGSTOP)
    try:
        with Load(site.url, MANY) as load:
            assert load.wait_for(100, seconds=30)
        assert not load.failed, load.failed[:5]
    finally:
        try:
            os.kill(victim, signal.SIGCONT)
        except ProcessLookupError:
            pass


def test_sighup_rolls_the_pool_under_load_without_an_error(site):
    with Load(site.url, MANY) as load:
        for _ in range(3):
            before = workers(site)
            site.fcgi.reload()
            assert proc.wait_until(
                lambda old=before: len(workers(site)) == 3
                and not workers(site) & old, 10)
            assert load.wait_for(50)
    assert not load.failed, load.failed[:5]


def marked(answer):
    """Whether a page says that it is old."""
    return any(names.get("class") == "stale"
               for _, names in Page(answer.text).elements)


def wait_until_redis_has(site, *boards):
    """Boards are asked for until Redis has them: a worker that finds Redis
    slow goes without, and nginx asks again only when its own copy is old."""
    def there():
        for path, k in boards:
            assert get(site, f"{path}?k={k}").status_code == 200
        keys = {key for redis in site.redis for key in client.Redis(
            unix_socket_path=redis.socket).keys("*")}
        return all(f"turnout:t1|{path}|k={k}|by=rsvps".encode() in keys
                   for path, k in boards)
    assert proc.wait_until(there, 15, 0.2)


def test_stale_answers_are_served_while_postgres_is_away(site):
    board, page = "/api/topk?k=123", "/?k=123"
    known = get(site, board).json()
    assert known["stale"] is False
    assert not marked(get(site, page))
    # /readyz asks for the first board.
    wait_until_redis_has(site, ("/api/topk", 123), ("/", 123),
                         ("/api/topk", 10))
    site.postgres.stop()
    try:
        assert proc.wait_until(
            lambda: get(site, board).json()["stale"] is True, 8, 0.1)
        answer = get(site, board)
        assert answer.status_code == 200
        assert answer.json()["events"] == known["events"]
        assert answer.json()["as_of"] >= known["as_of"]
        assert proc.wait_until(lambda: marked(get(site, page)), 8, 0.1)
        assert get(site, page).status_code == 200

        unknown = next(NEW)
        nothing = get(site, unknown)
        assert nothing.status_code == 503
        assert nothing.headers["Content-Type"].split(";")[0] \
            == "application/problem+json"
        assert int(nothing.headers["Retry-After"]) > 0
        problem = nothing.json()
        assert problem["status"] == 503
        for word in ("SELECT", "postgres", "socket", "/tmp", "libpq"):
            assert word.lower() not in nothing.text.lower()
        assert get(site, "/?k=765&by=headcount").status_code == 503
        assert get(site, "/healthz").status_code == 200
        # A Redis that was slow once is left alone for a second.
        assert proc.wait_until(
            lambda: "away" in get(site, "/readyz").text, 3, 0.1)
        assert get(site, "/readyz").status_code == 200
        with Load(site.url, [board, page], clients=2) as load:
            assert load.wait_for(100)
        assert not load.failed, load.failed[:5]
        for redis in site.redis:
            client.Redis(unix_socket_path=redis.socket).flushall()
        # Now it cannot answer the first question either.
        assert get(site, "/readyz").status_code == 503
    finally:
        site.postgres.start()
    assert proc.wait_until(
        lambda: get(site, board).json()["stale"] is False, 8, 0.1)
    assert proc.wait_until(
        lambda: get(site, "/readyz").status_code == 200, 5)
    assert get(site, unknown).status_code == 200


def test_a_503_is_not_remembered(site):
    path = next(NEW)
    site.postgres.stop()
    try:
        assert get(site, path).status_code == 503
    finally:
        site.postgres.start()
    assert proc.wait_until(
        lambda: get(site, path).status_code == 200, 6, 0.05)


def test_a_postgres_that_hangs_does_not_hang_a_request(site):
    backends = [int(row[0]) for row in site.postgres.psql(
        "SELECT pid FROM pg_stat_activity WHERE usename = 'turnout_web'")]
    assert backends
    for pid in backends:
        os.kill(pid, signal.SIGSTOP)
    try:
        for path in (next(NEW), next(NEW), next(NEW), next(NEW)):
            begin = time.monotonic()
            status = get(site, path).status_code
            assert status in (200, 503)
            assert time.monotonic() - begin < 4
    finally:
        for pid in backends:
            os.kill(pid, signal.SIGCONT)
    assert proc.wait_until(
        lambda: get(site, next(NEW)).status_code == 200, 5)


def test_one_worker_looks_for_a_silent_postgres_and_the_others_answer(site):
    """Were all to look, each would wait a second of every two."""
    boards = [f"/api/topk?k={k}" for k in range(200, 260)]
    for path in boards:
        assert get(site, path).status_code == 200
    wait_until_redis_has(site, *(("/api/topk", k) for k in range(200, 260)))
    silent = [site.postgres.pid()] + [int(row[0]) for row in (
        site.postgres.psql("SELECT pid FROM pg_stat_activity"
                           " WHERE usename = 'turnout_web'"))]
    for pid in silent:
        os.kill(pid, signal.SIGSTOP)
    try:
        with Load(site.url, boards, clients=6) as load:
            before = errors_of_postgres(site)
            assert proc.wait_until(
                lambda: errors_of_postgres(site) >= before + 3, 20)
            before, begin = errors_of_postgres(site), time.monotonic()
            time.sleep(6)
            looked = errors_of_postgres(site) - before
            seconds = time.monotonic() - begin
        assert not load.failed, load.failed[:5]
    finally:
        for pid in reversed(silent):
            os.kill(pid, signal.SIGCONT)
    # One after the other, each waits a second before and a second for it.
    assert looked <= seconds / 2 + 2


def test_postgres_is_restarted_under_load_and_cached_boards_stand(site):
    some = MANY[:20]
    for path in some:
        assert get(site, path).status_code == 200
    with Load(site.url, some) as load:
        site.postgres.restart("immediate")
        assert load.wait_for(100)
    assert not load.failed, load.failed[:5]


def test_clients_that_say_nothing_do_not_hold_workers(site):
    """Silent connections to the FastCGI socket itself."""
    idle = []
    try:
        for _ in range(6):
            s = socket.socket(socket.AF_UNIX)
            s.connect(site.fcgi.socket)
            s.sendall(b"\x01\x01\x00")  # a part of a header
            idle.append(s)
        assert proc.wait_until(
            lambda: get(site, "/api/topk?k=555").status_code == 200, 15)
    finally:
        for s in idle:
            s.close()


OPERATORS = ("/healthz", "/readyz", "/metrics", "/status")


def test_operators_are_answered_when_all_workers_are_busy(site):
    busy = workers(site)
    for pid in busy:
        os.kill(pid, signal.SIGSTOP)
    try:
        for path in OPERATORS:
            answer = get(site, path)
            assert answer.status_code == 200, path
            assert answer.elapsed.total_seconds() < 1, path
            if path == "/metrics":  # whoever answers this is not among them
                told = re.findall(r"^turnout_fcgi_workers\{.*\} (\d+)$",
                                  answer.text, re.MULTILINE)
                assert sum(map(int, told)) == 3, told
    finally:
        for pid in busy:
            os.kill(pid, signal.SIGCONT)


def test_the_operators_worker_is_replaced_and_others_stand_in(site):
    one, = proc.children(site.fcgi.pid()) - workers(site)
    assert proc.name_of(one) == "turnout-status"
    os.kill(one, signal.SIGKILL)
    assert proc.wait_until(
        lambda: len(proc.children(site.fcgi.pid()) - {one}) == 4, 5)
    away = site.fcgi.status_socket + ".away"
    os.rename(site.fcgi.status_socket, away)
    try:
        for path in OPERATORS:
            assert get(site, path).status_code == 200, path
    finally:
        os.rename(away, site.fcgi.status_socket)


def test_a_worker_that_libfcgi_crashes_is_replaced(site):
    """FCGI_GET_VALUES with a name often enough ends a worker of libfcgi
    2.4.2; nobody but nginx can connect, and the pool goes on."""
    name = b"\x0f\x01FCGI_MPXS_CONNS1" * 12
    record = b"\x01\x09\x00\x00" + len(name).to_bytes(2, "big") + b"\0\0"
    for _ in range(3):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(1)
            s.connect(site.fcgi.socket)
            try:
                s.sendall(record + name)
                s.recv(100)
            except OSError:
                pass
    assert proc.wait_until(lambda: len(workers(site)) == 3, 6)
    for path in MANY[600:620]:
        assert get(site, path).status_code == 200


def test_a_client_that_goes_away_leaves_nothing_behind(site):
    place = site.nginx.port
    for k in range(700, 760):
        connection = http.client.HTTPConnection("127.0.0.1", place)
        connection.request("GET", f"/api/topk?k={k}")
        connection.close()
    assert get(site, "/api/topk?k=760").status_code == 200
    assert len(workers(site)) == 3


def test_a_question_that_was_given_up_is_not_answered(site):
    """As nginx gives up what waits for five seconds: what waits behind it
    would wait for its answer."""
    before = [told(site, f"{name}_total")
              for name in ("db_queries", "requests_aborted")]
    stopped = workers(site)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    for k in range(761, 801):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(site.fcgi.socket)
            s.sendall(question("/api/topk", f"k={k}"))
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    assert proc.wait_until(
        lambda: told(site, "requests_aborted_total") == before[1] + 40, 10)
    assert told(site, "db_queries_total") == before[0]
    assert get(site, "/api/topk?k=801").status_code == 200


def test_a_lock_is_no_question(site):
    """An event's id may be any text, "1:lock", too: what is behind a key may
    not make the name of its lock."""
    servers = [client.Redis(unix_socket_path=r.socket) for r in site.redis]
    path = "/api/topk?window=298d"

    def locks():
        assert get(site, path).status_code == 200
        return [key for server in servers for key in server.keys("*lock*")]

    assert not locks()
    found = []
    with slow_windows(site.postgres.conninfo("postgres"), 0.5):
        assert proc.wait_until(lambda: found.extend(locks()) or found, 10)
    assert all(re.match(rb"[^:|]*:lock\|", key) for key in found), found


def test_what_is_too_wide_is_not_asked_by_everybody(site):
    """Each time it would cost a worker, and the database, as long as a
    question may take."""
    path = "/api/topk?window=299d"
    before = told(site, "db_queries_total")
    with (slow_windows(site.postgres.conninfo("postgres"), 5),
          ThreadPoolExecutor(40) as pool):
        answers = list(pool.map(lambda _: get(site, path), range(40)))
    assert {answer.status_code for answer in answers} == {503}
    assert told(site, "db_queries_total") - before < 8
    assert proc.wait_until(lambda: get(site, path).status_code == 200, 20)
