"""A session begins when all tables are empty, and VACUUM has seen that they
are. What its triggers read must not grow with the tables that fill up: a plan
made on the first day is no plan for the second."""

import pytest
from psycopg2.extras import execute_values
from test_counters import T0, UPSERT

FULL = 10000  # rows of a table that has filled up: hundreds of pages
OF_ONE = 35  # pages for a row: its keys' way through three levels, some times

NAME = """
    INSERT INTO turnout.groups AS g (group_id, topics, content_hash, src_ts,
    src_part, src_offset) VALUES %s ON CONFLICT (group_id) DO UPDATE SET
    topics = excluded.topics, content_hash = excluded.content_hash"""


def rsvps(first, last, response="yes"):
    return [(n, f"e{n}", T0, response, 0) for n in range(first, last)]


def groups(first, last, topic="all"):
    text = '[{"urlkey": "%s"}, {"urlkey": "t%d"}]'
    return [(n, text % (topic, n), len(topic), 0, 0, n)
            for n in range(first, last)]


@pytest.fixture
def session(db):
    """run(sql, rows, *tables): how many pages of these tables it looked at."""
    db.rows("VACUUM (ANALYZE)")
    connection = db.connect("turnout_ingest")

    def pages(tables):
        return db.rows("""
            SELECT sum(heap_blks_hit + heap_blks_read + idx_blks_hit
                + idx_blks_read)::integer
            FROM pg_statio_user_tables WHERE relname = ANY (%s)""",
                       list(tables))[0][0] if tables else 0

    def run(sql, rows, *tables):
        before = pages(tables)
        with connection.cursor() as cursor:
            execute_values(cursor, sql, rows, page_size=len(rows))
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute("SELECT 1")  # the flush is at its beginning
        return pages(tables) - before

    return run


def test_counting(session):
    run = session
    run(UPSERT, rsvps(0, 1))
    run(UPSERT, rsvps(0, FULL))
    read = run(UPSERT, rsvps(FULL - 1, FULL + 1) + rsvps(6, 7, "no"),
               "event_counts", "event_days")
    assert 0 < read < 3 * OF_ONE


def test_topics_of_groups(session):
    run = session
    # PostgreSQL keeps a plan from the sixth time on.
    run(NAME, groups(0, 10))
    run(NAME, groups(0, 10, "other"))
    run(NAME, groups(0, FULL))
    read = run(NAME, groups(100, 110, "other"), "group_topics")
    assert 0 < read < 10 * OF_ONE
