"""Boards, ranks and histories are found through indexes, and read no more
of a longer table."""

import re

from test_windows import (BOARD, BY_PATH, HISTORY, PREVIOUS, RANK)
from windows import DAY, HOUR, T0, WEEK

MOST = 3000  # pages, of the dearest question
# What a board, a rank and a history are asked for, by what finds them.
WATCHED = {
    "an hour": (BOARD, ("rsvps", 10, T0 + 7, T0 + HOUR)),
    "a day": (BOARD, ("headcount", 10, T0 + 7, T0 + DAY + 7)),
    "all time": (BOARD, ("rsvps", 10, None, None)),
    "days by lists": (BY_PATH, ("rsvps", 10, False, T0 + 7, T0 + 3 * DAY + 7,
                                *[None] * 7, "days", "rsvps")),
    "all by counts": (BY_PATH, ("rsvps", 10, True, T0 + 7, T0 + 3 * DAY + 7,
                                *[None] * 7, "counts", "rsvps")),
    "a country": (BY_PATH, ("rsvps", 10, False, T0 + 7, T0 + 3 * DAY + 7,
                            "US", *[None] * 6, "days", "rsvps")),
    "a group": (BOARD, ("rsvps", 10, T0 + 7, T0 + 3 * DAY + 7, None, None,
                        17)),
    "a city": (BOARD, ("rsvps", 10, T0 + 7, T0 + 3 * DAY + 7, None,
                       "CITY 3")),
    "a topic": (BOARD, ("rsvps", 10, T0 + 7, T0 + 3 * DAY + 7, None, None,
                        None, None, "t3")),
    "a rank": (RANK, ("e00000", "rsvps", T0 + 7, T0 + 3 * DAY + 7,
                      *[None] * 7, 5)),
    "ranks before": (PREVIOUS, ("rsvps", T0 + DAY, T0 + 2 * DAY)),
    "hours": (HISTORY, ("e00001", HOUR, T0, T0 + 100 * HOUR)),
    "weeks": (HISTORY, ("e00001", WEEK, T0 - 4 * DAY, T0 + 30 * DAY)),
}

# A hundred events of size in four days, ten of them with great days; then ever
# more small ones, later.
GROW = """
    INSERT INTO turnout.groups (group_id, country, city, topics,
        content_hash, src_ts, src_part, src_offset)
    SELECT g, CASE WHEN g < 60 THEN 'us' ELSE 'c' || g END, 'City ' || g,
        jsonb_build_array(jsonb_build_object('urlkey', 't' || g)), 0, 0, 0, 0
    FROM generate_series(%(old)s / 10, %(new)s / 10 - 1) AS g;
    INSERT INTO turnout.events (event_id, group_id, starts_ms, content_hash,
        src_ts, src_part, src_offset)
    SELECT 'e' || lpad(e::text, 5, '0'), CASE WHEN e < 100 THEN e / 2
        ELSE e / 10 END, 0, 0, 0, 0, 0
    FROM generate_series(%(old)s, %(new)s - 1) AS e;
    INSERT INTO turnout.rsvps (rsvp_id, event_id, mtime_ms, response, guests)
    SELECT e * 1000 + r, 'e' || lpad(e::text, 5, '0'), %(t0)s
        + CASE WHEN e >= 100 THEN 40 ELSE 0 END * 86400000::bigint
        + (e * 1000 + r)::bigint * 79245433 %% 345600000, 'yes',
        CASE WHEN e < 10 THEN 9 END
    FROM generate_series(%(old)s, %(new)s - 1) AS e,
        generate_series(0, CASE WHEN e < 100 THEN 200 - e ELSE 1 END) AS r"""


def grown(db, old, new):
    with db.connect().cursor() as cursor:
        cursor.execute(GROW, {"old": old, "new": new, "t0": T0})
        cursor.execute("VACUUM (ANALYZE)")


def question(sql, args):
    return sql, (*args, *[None] * (sql.count("%s") - len(args)))


def pages(cursor, sql, args):
    """Pages that a question reads when its plans are made."""
    cursor.execute(sql, args)
    assert cursor.fetchall()
    cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + sql, args)
    plan = cursor.fetchone()[0][0]["Plan"]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


def test_no_question_reads_more_of_a_longer_table(db):
    grown(db, 0, 2000)
    short = {}
    cursor = db.connect().cursor()
    for name, asked in WATCHED.items():
        short[name] = pages(cursor, *question(*asked))
    grown(db, 2000, 40000)
    longer = {}
    for name, asked in WATCHED.items():
        longer[name] = pages(cursor, *question(*asked))
        print(name, short[name], longer[name])
    # A level more of each index, and what few entries share a page with.
    assert [name for name in WATCHED
            if longer[name] > 1.5 * short[name] + 20] == []
    assert max(longer.values()) <= MOST, longer


def test_no_plan_reads_a_table_from_end_to_end(db):
    grown(db, 0, 3000)
    cursor = db.connect().cursor()
    cursor.execute("""
        LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0;
        SET auto_explain.log_nested_statements = on;
        SET client_min_messages = log""")
    seen = set()
    for name, asked in WATCHED.items():
        del cursor.connection.notices[:]
        cursor.execute(*question(*asked))
        plans = "".join(cursor.connection.notices)
        assert "Index" in plans, name
        assert not re.findall(r"(?:Seq|Bitmap Heap) Scan on .*", plans), name
        seen.update(re.findall(r"Scan using (\w+)", plans))
    # Each index is there for somebody; the pairs keep the edges to theirs.
    assert seen >= {
        "rsvps_mtime_yes", "rsvps_event_mtime_yes", "event_days_bound",
        "event_days_pkey", "event_counts_bound", "groups_city",
        "events_group", "group_topics_pkey", "groups_pkey", "events_pkey"}
