"""turnout.board() is the sorted table, and reads little of it."""

import random

import pytest
from psycopg2.extras import execute_values

MEASURES = {"rsvps": 1, "headcount": 2}


def fill(db, rows):
    c = db.connect()
    with c.cursor() as cursor:
        cursor.execute("TRUNCATE turnout.event_counts")
        execute_values(
            cursor, "INSERT INTO turnout.event_counts"
            " (event_id, rsvps, headcount, first_day, last_day) VALUES %s",
            rows, "(%s, %s, %s, '2017-03-19', '2017-03-19')", page_size=10000)
        cursor.execute("ANALYZE turnout.event_counts")
    return c


def shapes(dice, n):
    """Counts as they may be distributed: (name, a function of nothing)."""
    return [
        ("a tail", lambda: int(1 / (dice.random() + 1e-4) ** 0.7)),
        ("one or two", lambda: dice.randint(1, 2)),
        ("all the same", lambda: 5),
        ("far up", lambda: dice.randint(1, 100000)),
        ("in one step", lambda: dice.choice([64] * 50 + [95])),
    ]


@pytest.mark.parametrize("shape", range(5))
def test_a_board_is_the_sorted_table(db, shape):
    dice = random.Random(shape)
    name, count = shapes(dice, 3000)[shape]
    ids = list({f"{dice.choice(['', 'é', 'Z', 'a_'])}{dice.randrange(10**6)}"
                for _ in range(3000)})
    rows = []
    for event_id in ids:
        rsvps = count()
        rows.append((event_id, rsvps,
                     rsvps + dice.choice([0, 0, 0, 1, 5, 300])))
    with fill(db, rows).cursor() as cursor:
        for measure, column in MEASURES.items():
            want = sorted(rows, key=lambda row: (
                -row[column], row[0].encode()))
            for k in (1, 2, 10, 11, 100, 1001):
                cursor.execute("SELECT * FROM turnout.board(%s, %s)",
                               (measure, k))
                assert cursor.fetchall() == want[:k], (name, measure, k)


@pytest.mark.parametrize("n", [0, 1, 9, 10, 49, 50, 51])
def test_a_table_that_is_shorter_than_the_board(db, n):
    rows = [(f"e{i:03}", 5 + i, 7 + i) for i in range(n)]
    if n:
        fill(db, rows)
    for k in (1, 10, 1001):
        assert db.rows("SELECT * FROM turnout.board('rsvps', %s)", k) \
            == rows[::-1][:k]


def pages(cursor):
    """Pages that a board of 10 reads."""
    cursor.execute("SELECT * FROM turnout.board('rsvps', 10)")
    cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)"
                   " SELECT * FROM turnout.board('rsvps', 10)")
    plan = cursor.fetchone()[0][0]["Plan"]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


def test_a_board_reads_no_more_of_a_longer_table(db):
    read = []
    for n in (20000, 160000):
        dice = random.Random(n)
        rows = []
        for i in range(n):
            rsvps = int(1 / (dice.random() + 1e-6) ** 0.8)
            rows.append((f"e{i}", rsvps, rsvps + dice.randint(0, 2)))
        with fill(db, rows).cursor() as cursor:
            read.append(pages(cursor))
    # 50 entries three times, each on a page of its own at worst.
    assert max(read) <= 200, read
