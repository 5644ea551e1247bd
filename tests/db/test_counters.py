"""Counters and days equal the rows at every committed instant."""

import os
import random
import threading

import psycopg2
import pytest
from psycopg2.extras import execute_values

DAY = 86400000
HOUR = 3600000
T0 = 1489881600000  # 2017-03-19 00:00 UTC

# What differs between the counters and the rows; nothing, always.
WRONG = """
    SELECT 'counts', event_id, n, p, c.rsvps, c.headcount FROM (
        SELECT event_id, count(*) AS n, sum(1 + coalesce(guests, 0)) AS p,
            min(day) AS first, max(day) AS last
        FROM (SELECT *, (to_timestamp(mtime_ms / 1000.0)
            AT TIME ZONE 'UTC')::date AS day FROM turnout.rsvps) AS r
        WHERE response = 'yes' GROUP BY 1) AS r
    FULL JOIN turnout.event_counts AS c USING (event_id)
    WHERE (n, p, first, last) IS DISTINCT FROM
        (c.rsvps::bigint, c.headcount::numeric, c.first_day, c.last_day)
    UNION ALL
    SELECT 'days', event_id || ' ' || day, n, p, c.rsvps, c.headcount FROM (
        SELECT event_id, (to_timestamp(mtime_ms / 1000.0)
            AT TIME ZONE 'UTC')::date AS day,
            count(*) AS n, sum(1 + coalesce(guests, 0)) AS p
        FROM turnout.rsvps WHERE response = 'yes' GROUP BY 1, 2) AS r
    FULL JOIN turnout.event_days AS c USING (event_id, day)
    WHERE (n, p) IS DISTINCT FROM (c.rsvps::bigint, c.headcount::numeric)
    UNION ALL
    SELECT 'hours', event_id || ' ' || day, rsvps, headcount, 0, 0 FROM (
        SELECT d.*, (SELECT ARRAY[array_agg(n), array_agg(p)] FROM (
            SELECT count(r.event_id) AS n,
                count(r.event_id) + coalesce(sum(r.guests), 0) AS p
            FROM generate_series(1, 24) AS h
            LEFT JOIN turnout.rsvps AS r ON r.event_id = d.event_id
                AND r.response = 'yes' AND to_timestamp(r.mtime_ms / 1000.0)
                >= d.day::timestamp AT TIME ZONE 'UTC'
                AND to_timestamp(r.mtime_ms / 1000.0) < d.day::timestamp
                    AT TIME ZONE 'UTC' + h * interval '1 hour'
            GROUP BY h ORDER BY h) AS t) AS totals
        FROM turnout.event_days AS d) AS d
    WHERE hours IS DISTINCT FROM CASE WHEN headcount > 127 THEN totals END"""

UPSERT = """
    INSERT INTO turnout.rsvps AS r
    (rsvp_id, event_id, mtime_ms, response, guests) VALUES %s
    ON CONFLICT (rsvp_id) DO UPDATE SET event_id = excluded.event_id,
    mtime_ms = excluded.mtime_ms, response = excluded.response,
    guests = excluded.guests"""


def put(db, *rows, user="turnout_ingest"):
    """rows: (rsvp_id, event, mtime, response, guests)"""
    c = db.connect(user)
    with c.cursor() as cursor:
        execute_values(cursor, UPSERT, rows, page_size=100000)
    c.close()
    assert db.rows(WRONG) == []


def counts(db):
    return db.rows("SELECT event_id, rsvps, headcount"
                   " FROM turnout.event_counts ORDER BY 1")


def days(db):
    return [(e, str(d), n, p) for e, d, n, p in db.rows(
        "SELECT event_id, day, rsvps, headcount FROM turnout.event_days"
        " ORDER BY 1, 2")]


def test_yes_becomes_no_and_back_and_the_rows_go_at_zero(db):
    put(db, (1, "a", T0, "yes", 2))
    assert counts(db) == [("a", 1, 3)]
    put(db, (1, "a", T0, "no", 2))
    assert counts(db) == [] and days(db) == []
    put(db, (1, "a", T0, "waitlist", 2))
    assert counts(db) == []
    put(db, (1, "a", T0, "yes", None))
    assert counts(db) == [("a", 1, 1)]


def test_an_rsvp_that_moves_takes_its_count_along(db):
    put(db, (1, "a", T0, "yes", 0), (2, "a", T0, "yes", 0))
    put(db, (1, "b", T0, "yes", 4))
    assert counts(db) == [("a", 1, 1), ("b", 1, 5)]


def test_midnight_is_in_utc(db):
    put(db, (1, "a", T0 - 1, "yes", 0), (2, "a", T0, "yes", 0),
        (3, "a", T0 + DAY - 1, "yes", 0))
    assert days(db) == [("a", "2017-03-18", 1, 1), ("a", "2017-03-19", 2, 2)]
    put(db, (2, "a", T0 + DAY, "yes", 0))
    assert days(db) == [("a", "2017-03-18", 1, 1), ("a", "2017-03-19", 1, 1),
                        ("a", "2017-03-20", 1, 1)]


def test_people_may_fall_while_rsvps_rise(db):
    put(db, (1, "a", T0, "yes", 9), (2, "a", T0, "no", 0))
    put(db, (1, "a", T0, "yes", 0), (2, "a", T0, "yes", 0),
        (3, "c", T0, "yes", 1))
    assert counts(db) == [("a", 2, 2), ("c", 1, 2)]


def test_delete_and_truncate_are_followed(db):
    put(db, (1, "a", T0, "yes", 0), (2, "b", T0, "yes", 0))
    db.rows("DELETE FROM turnout.rsvps WHERE rsvp_id = 1")
    assert counts(db) == [("b", 1, 1)]
    db.rows("TRUNCATE turnout.rsvps")
    assert counts(db) == [] and days(db) == []


def test_bounds_hold_what_they_bound(db):
    steps = db.rows("SELECT n, turnout.day_bound(n) FROM"
                    " generate_series(0, 3000) AS n ORDER BY 1")
    assert all(b >= n for n, b in steps)
    assert all(b1 <= b2 for (_, b1), (_, b2) in zip(steps, steps[1:]))
    assert sorted({b for _, b in steps})[:13] == [
        3, 5, 7, 11, 15, 23, 31, 47, 63, 95, 127, 255, 383]


def hours(db, event="a"):
    """What its day adds in each hour, {hour: (RSVPs, people)}; None: it is no
    great day."""
    (totals,), = db.rows("SELECT hours FROM turnout.event_days"
                         " WHERE event_id = %s", event)
    if totals is None:
        return None
    adds = [[b - a for a, b in zip([0, *t], t)] for t in totals]
    return {h: both for h, both in enumerate(zip(*adds)) if both != (0, 0)}


def test_a_day_of_more_than_127_people_has_its_hours(db):
    put(db, (1, "a", T0, "yes", 99), (2, "a", T0 + HOUR - 1, "yes", 26))
    assert hours(db) is None
    put(db, (3, "a", T0 + 23 * HOUR, "yes", 0))
    assert hours(db) == {0: (2, 127), 23: (1, 1)}
    # Another hour, another answer and one more, at once.
    put(db, (1, "a", T0 + HOUR, "yes", 199), (2, "a", T0, "no", 26),
        (4, "a", T0 + 23 * HOUR, "yes", 3))
    assert hours(db) == {1: (1, 200), 23: (2, 5)}
    db.rows("DELETE FROM turnout.rsvps WHERE rsvp_id = 3")
    assert hours(db) == {1: (1, 200), 23: (1, 4)}
    put(db, (1, "a", T0, "yes", 122))
    assert hours(db) is None
    put(db, (4, "a", T0, "yes", 4))
    assert hours(db) == {0: (2, 128)}


def test_rsvps_of_a_great_day_move_from_hour_to_hour(db):
    put(db, (1, "a", T0, "yes", 100), (2, "a", T0 + HOUR, "yes", 100))
    put(db, (1, "a", T0 + HOUR, "yes", 100), (2, "a", T0, "yes", 100))
    assert hours(db) == {0: (1, 101), 1: (1, 101)}
    put(db, (1, "a", T0 + 5 * HOUR, "yes", 100))
    assert hours(db) == {0: (1, 101), 5: (1, 101)}


MERGE = """
    MERGE INTO turnout.rsvps AS r USING (VALUES
        (1, %s + %s, 99), (2, %s, 40)) AS m (id, at, guests)
    ON r.rsvp_id = m.id
    WHEN MATCHED THEN UPDATE SET mtime_ms = m.at
    WHEN NOT MATCHED THEN INSERT (rsvp_id, event_id, mtime_ms, response,
        guests) VALUES (m.id, 'a', m.at, 'yes', m.guests)"""


def test_a_day_becomes_great_by_a_statement_of_several_triggers(db):
    # The first of them finds the rows of all.
    put(db, (1, "a", T0, "yes", 100))
    put(db, (1, "a", T0, "yes", 130), (2, "a", T0 + HOUR, "yes", 40))
    assert hours(db) == {0: (1, 131), 1: (1, 41)}
    db.rows("TRUNCATE turnout.rsvps")
    put(db, (1, "a", T0, "yes", 99))
    db.rows(MERGE, T0, HOUR, T0)
    assert db.rows(WRONG) == []
    assert hours(db) == {0: (1, 41), 1: (1, 100)}


def overtaken(db, row, guests):
    """One who answers yes with so many guests at T0, in a transaction whose
    snapshot is older than that row; it has to fail."""
    late = db.connect()
    late.set_session(isolation_level="REPEATABLE READ", autocommit=False)
    with late.cursor() as cursor:
        cursor.execute("SELECT FROM turnout.rsvps")
        put(db, row)
        with pytest.raises(psycopg2.errors.SerializationFailure):
            cursor.execute("INSERT INTO turnout.rsvps (rsvp_id, event_id,"
                           " mtime_ms, response, guests)"
                           " VALUES (2, 'a', %s, 'yes', %s)", [T0, guests])
    late.rollback()


def test_no_hours_are_made_of_what_an_old_snapshot_does_not_see(db):
    put(db, (1, "a", T0, "yes", 99))
    overtaken(db, (1, "a", T0 + HOUR, "yes", 99), 99)
    put(db, (2, "a", T0, "yes", 99))
    assert hours(db) == {0: (1, 100), 1: (1, 100)}


def test_nor_where_what_it_does_not_see_took_the_day_away(db):
    put(db, (1, "a", T0, "yes", 5))
    overtaken(db, (1, "a", T0, "no", 5), 200)
    assert db.rows(WRONG) == [] and days(db) == []


def test_statements_of_one_transaction_are_added_up(db):
    c = db.connect()
    c.autocommit = False
    with c.cursor() as cursor:
        cursor.execute("SET enable_hashjoin = off")
        for i in range(5):
            execute_values(cursor, UPSERT, [(i, "a", T0 + i * HOUR, "yes", 99)])
            cursor.execute("SELECT current_setting('enable_hashjoin')")
            assert cursor.fetchone() == ("off",)
        cursor.execute("SAVEPOINT s; DELETE FROM turnout.rsvps")
        cursor.execute("ROLLBACK TO s")
        execute_values(cursor, UPSERT, [(0, "a", T0 + HOUR, "yes", 0)])
    c.commit()
    assert db.rows(WRONG) == []
    assert hours(db) == {1: (2, 101), 2: (1, 100), 3: (1, 100), 4: (1, 100)}


def test_so_are_those_that_a_client_sends_as_one(db):
    db.rows("""
        DO $$BEGIN
            FOR i IN 1 .. 3 LOOP
                INSERT INTO turnout.rsvps (rsvp_id, event_id, mtime_ms,
                    response, guests) VALUES (i, 'a', %s, 'yes', 199);
            END LOOP;
        END$$""", T0)
    assert db.rows(WRONG) == []
    assert hours(db) == {0: (3, 600)}


def random_row(dice):
    return (dice.randrange(400), dice.choice([f"e{dice.randrange(60)}", "e0"]),
            T0 + dice.randrange(-3 * DAY, 3 * DAY),
            dice.choice(["yes", "yes", "yes", "no", "waitlist"]),
            dice.choice([None, 0, 0, 1, 7, 60]))


def batch(dice, n):
    return list({r[0]: r for r in (random_row(dice) for _ in range(n))
                 }.values())


def test_any_statements_leave_counters_and_rows_equal(db):
    seed = int(os.environ.get("TURNOUT_SEED") or random.randrange(10**6))
    print(f"TURNOUT_SEED={seed}")
    dice = random.Random(seed)
    great = 0
    for _ in range(120):
        what = dice.random()
        if what < 0.8:
            put(db, *batch(dice, dice.choice([1, 5, 80])))
        elif what < 0.9:
            db.rows("DELETE FROM turnout.rsvps WHERE rsvp_id %% 7 = %s",
                    dice.randrange(7))
        else:
            db.rows("UPDATE turnout.rsvps SET response = 'no', event_id ="
                    " 'e0' WHERE rsvp_id %% 5 = %s", dice.randrange(5))
        assert db.rows(WRONG) == []
        great += db.rows("SELECT count(*) FROM turnout.event_days"
                         " WHERE hours IS NOT NULL")[0][0]
    assert great > 20


@pytest.mark.parametrize("writers", [4])
def test_writers_side_by_side_neither_deadlock_nor_miscount(db, writers):
    faults, done = [], threading.Event()

    def write(number):
        dice = random.Random(number)
        c = db.connect("turnout_ingest").cursor()
        try:
            for _ in range(60):
                # Rows by id, as the daemon sends them; events in any order.
                execute_values(c, UPSERT, sorted(batch(dice, 300)),
                               page_size=100000)
        except Exception as why:  # a deadlock, above all
            faults.append(why)

    def watch():
        c = db.connect().cursor()
        while not done.is_set():
            c.execute(WRONG)
            faults.extend(c.fetchall())

    threads = [threading.Thread(target=write, args=(n,))
               for n in range(writers)]
    watcher = threading.Thread(target=watch)
    for t in [watcher, *threads]:
        t.start()
    for t in threads:
        t.join()
    done.set()
    watcher.join()
    assert faults == []
    assert db.rows(WRONG) == []
    assert db.rows("SELECT deadlocks FROM pg_stat_database WHERE datname ="
                   " current_database()") == [(0,)]
