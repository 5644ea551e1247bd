"""What the pool says, and leaves behind, where PostgreSQL is slow."""

import concurrent.futures
import os
import signal

import psycopg2
import pytest
import requests
from fixtures import imported, started
from stacklib import proc

ASKING = ("SELECT pid FROM pg_stat_activity WHERE usename = 'turnout_web'"
          " AND wait_event_type = 'Lock'")


@pytest.fixture(scope="module")
def site(generate, request):
    """PostgreSQL, turnout-fcgi, nginx and data; no Redis, no cache."""
    stack = started(broker="none", workers=2,
                    only=("postgres", "fcgi", "nginx"))
    request.addfinalizer(stack.down)
    imported(stack, generate(300, seed=1))
    # Long before the pool's own patience ends, also on a busy machine.
    run(stack, "ALTER ROLE turnout_web SET statement_timeout = '300ms'")
    stack.fcgi.stop()
    stack.fcgi.start()
    return stack


@pytest.fixture
def locked(site):
    """Locks a table for a test: whoever asks for it waits."""
    held = []

    def lock(table):
        held.append(psycopg2.connect(site.postgres.conninfo("postgres")))
        held[-1].cursor().execute(
            f"LOCK TABLE turnout.{table} IN ACCESS EXCLUSIVE MODE")

    yield lock
    for connection in held:
        connection.close()


def run(site, sql):
    connection = psycopg2.connect(site.postgres.conninfo("postgres"))
    connection.autocommit = True
    connection.cursor().execute(sql)
    connection.close()


def get(site, path):
    return requests.get(site.url + path, timeout=10)


def said(site, words):
    return [line for line in site.fcgi.logged_lines() if words in line]


def test_a_slow_question_is_not_logged_as_an_outage(site, locked):
    locked("event_counts")
    answer = get(site, "/api/topk?k=3")
    assert answer.status_code == 503 and "Retry-After" in answer.headers
    assert said(site, "PostgreSQL gave a question up: ")
    assert not said(site, "did not answer")
    assert not said(site, "could not connect")


def test_a_form_without_suggestions_is_told_and_has_its_board(site):
    function = "EXECUTE ON FUNCTION turnout.suggestions(integer, integer)"
    run(site, f"REVOKE {function} FROM turnout_web")
    site.fcgi.stop()
    site.fcgi.start()
    try:
        assert get(site, "/?k=7").status_code == 200
    finally:
        run(site, f"GRANT {function} TO turnout_web")
    assert said(site, "no suggestions for the form: ")


def test_a_killed_worker_leaves_no_statement_behind(site, locked):
    """Not even one that may take as long as it likes."""
    role = "ALTER ROLE turnout_web SET statement_timeout = "

    def asking():
        return [int(pid) for pid, in site.postgres.psql(ASKING)]

    run(site, role + "0")
    site.fcgi.stop()
    site.fcgi.start()
    try:
        locked("event_counts")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            pool.submit(get, site, "/api/topk?k=4")
            assert proc.wait_until(asking, 5, 0.01)
            for worker in site.fcgi.workers():
                os.kill(worker, signal.SIGKILL)
            assert proc.wait_until(lambda: not asking(), 10)
    finally:
        run(site, role + "'300ms'")
        site.fcgi.stop()
        site.fcgi.start()
