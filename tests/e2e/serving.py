"""A whole site whose servers are taken away, and come back."""

import contextlib
import os
import signal

import psycopg2
import pytest
import requests
from fixtures import imported, started
from stacklib import proc

# More than nginx can hold fresh, so that the workers get work.
MANY = [f"/api/topk?k={k}" for k in range(1, 1001)]
# Nobody has asked for these before: no cache has them.
NEW = iter(f"/api/topk?by=headcount&k={k}" for k in range(1, 1001))


@pytest.fixture(scope="module")
def site(generate, request):
    """PostgreSQL, three Redis, turnout-fcgi, nginx, and data in them."""
    stack = started(broker="none", workers=3,
                    only=("postgres", "redis", "fcgi", "nginx"))
    request.addfinalizer(stack.down)
    return imported(stack, generate(3000, seed=1))


@pytest.fixture(autouse=True)
def whole_again(site):
    """A test that fails must not leave the next one without its servers."""
    yield
    for server in site.servers():
        if server.alive():
            server.signal(signal.SIGCONT)
        else:
            server.forget()
            if isinstance(server, type(site.fcgi)) \
                    and os.path.exists(server.socket):
                os.unlink(server.socket)
            server.start()
    assert proc.wait_until(lambda: requests.get(
        site.url + "/readyz", timeout=5).status_code == 200, 10)


def workers(site):
    return site.fcgi.workers()


def get(site, path, **how):
    return requests.get(site.url + path, timeout=10, **how)


@contextlib.contextmanager
def slow_windows(dsn, seconds):
    """A board of a window takes so long; one that is new, at least."""
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SELECT pg_get_functiondef(oid) FROM pg_proc"
                   " WHERE proname = 'board_window'")
    old = cursor.fetchone()[0]
    cursor.execute(old[:old.index("AS $")].replace(
        "LANGUAGE sql", "LANGUAGE plpgsql")
        + f"AS $$BEGIN PERFORM pg_sleep({seconds}); END$$")
    try:
        yield
    finally:
        cursor.execute(old)
        connection.close()
