"""The pool ends, is started again, or gives its socket to another: whoever
was connected is answered."""

import os
import signal
import socket
import subprocess
import threading
import time

import psycopg2
from load import Load
from serving import MANY, NEW, get, site, slow_windows, whole_again
from stacklib import proc
from stacklib.fastcgi import STDOUT, question, records


def test_requests_in_flight_are_answered_before_sigterm_ends_the_pool(site):
    """They wait for a lock when the signal comes."""
    lock = psycopg2.connect(site.postgres.conninfo("postgres"))
    lock.cursor().execute("LOCK TABLE turnout.event_counts"
                          " IN ACCESS EXCLUSIVE MODE")
    answers = []
    threads = [threading.Thread(target=lambda path=path: answers.append(
        get(site, path).status_code)) for path in (next(NEW), next(NEW))]
    for thread in threads:
        thread.start()
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    assert proc.wait_until(
        lambda: int(site.postgres.psql(waiting)[0][0]) == 2, 2, 0.01)
    site.fcgi.signal(signal.SIGTERM)
    time.sleep(0.1)
    lock.rollback()
    lock.close()
    for thread in threads:
        thread.join()
    assert answers == [200, 200]
    assert site.fcgi.child.wait(12) == 0


def connect(site, count):
    """So many questions at the pool's door."""
    waiting = []
    for n in range(count):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(15)
        s.connect(site.fcgi.socket)
        s.sendall(question("/api/topk", f"window={300 + n}d"))
        waiting.append(s)
    return waiting


def test_who_has_connected_is_answered_before_sigterm_ends_the_pool(site):
    """Five for each worker, which has one of them in hand."""
    with slow_windows(site.postgres.conninfo("postgres"), 0.4):
        waiting = connect(site, 15)
        asleep = ("SELECT count(*) FROM pg_stat_activity"
                  " WHERE wait_event = 'PgSleep'")
        assert proc.wait_until(
            lambda: int(site.postgres.psql(asleep)[0][0]) == 3, 5, 0.01)
        site.fcgi.signal(signal.SIGTERM)
        for s in waiting:
            with s:
                raw = b"".join(iter(lambda s=s: s.recv(65536), b""))
            assert b"".join(data for kind, data in records(raw)
                            if kind == STDOUT).startswith(b"Status: 200")
        assert site.fcgi.child.wait(12) == 0


def test_a_restart_under_load_gives_no_5xx_for_what_nginx_has(site):
    some = MANY[:20]
    for path in some:
        assert get(site, path).status_code == 200
    with Load(site.url, some) as load:
        for _ in range(2):
            assert load.wait_for(100)
            site.fcgi.stop()
            assert load.wait_for(50)
            site.fcgi.start()
    assert not load.failed, load.failed[:5]


def test_a_pool_is_replaced_by_another_on_its_socket_without_an_error(
        site, directory):
    """The listening socket is on fd 0, as systemd or spawn-fcgi give it."""
    from stacklib.nginx import Nginx
    path = os.path.join(directory, "s")
    conf = site.fcgi.conf
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        os.chmod(path, 0o666)
        listener.listen(511)
        nginx = Nginx(directory, site.settings["src"], fcgi_socket=path)
        log = open(os.path.join(directory, "pools.log"), "wb")

        def pool():
            return subprocess.Popen([site.fcgi.program, "-c", conf],
                                    stdin=listener, stdout=log, stderr=log)
        one = pool()
        nginx.start()
        try:
            with Load(nginx.url(), MANY) as load:
                for _ in range(3):
                    assert load.wait_for(60)
                    other = pool()
                    time.sleep(0.3)
                    one.send_signal(signal.SIGTERM)
                    assert one.wait(12) == 0
                    one = other
                assert load.wait_for(60)
            assert not load.failed, load.failed[:5]
        finally:
            one.terminate()
            one.wait(12)
            nginx.stop()
            log.close()
