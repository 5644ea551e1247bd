"""The state that the database holds, and the audit.

read() is the oracle's: one REPEATABLE READ snapshot; differences() tells it
from an oracle's State in every column that comes from messages.
"""

import contextlib

import oracle
import psycopg2
from oracle import read

__all__ = ["audit", "differences", "read", "topics_astray", "unlike"]


def differences(want, have, details=True, places=True, letters=False,
                limit=20):
    """Lines that tell how the database differs from the oracle; [] = not."""
    found = oracle.differences(want, have, details, places, letters)
    lines = [str(one)[:500] for one in found[:limit]]
    if len(found) > limit:
        lines.append(f"and {len(found) - limit} more")
    return lines


def unlike(name, want, have, limit=5):
    """Lines that tell how two dictionaries differ."""
    if want == have:
        return []
    lines = [f"{name}: {len(want)} wanted, {len(have)} found"]
    keys = sorted(set(want) | set(have), key=str)
    for key in keys:
        if want.get(key) != have.get(key):
            lines.append(f"  {key}: wanted {want.get(key)!r},"
                         f" found {have.get(key)!r}")
            if len(lines) > limit:
                break
    return lines


@contextlib.contextmanager
def snapshot(dsn):
    connection = psycopg2.connect(dsn)
    try:
        connection.set_session(isolation_level="REPEATABLE READ",
                               readonly=True)
        yield connection.cursor()
    finally:
        connection.close()


AUDIT = """
SELECT 'counts' AS what, coalesce(c.event_id, r.event_id),
       c.rsvps, c.headcount, r.n, r.people
  FROM turnout.event_counts c
  FULL JOIN (SELECT event_id, count(*) AS n,
                    sum(1 + coalesce(guests, 0)) AS people,
                    DATE '1970-01-01' + (min(mtime_ms) / 86400000)::int AS first,
                    DATE '1970-01-01' + (max(mtime_ms) / 86400000)::int AS last
               FROM turnout.rsvps WHERE response = 'yes' GROUP BY 1) r
    ON r.event_id = c.event_id
 WHERE (c.rsvps, c.headcount, c.first_day, c.last_day)
    IS DISTINCT FROM (r.n, r.people, r.first, r.last)
UNION ALL
SELECT 'days', coalesce(d.event_id, r.event_id),
       d.rsvps, d.headcount, r.n, r.people
  FROM turnout.event_days d
  FULL JOIN (SELECT event_id, count(*) AS n,
                    DATE '1970-01-01' + (mtime_ms / 86400000)::int AS day,
                    sum(1 + coalesce(guests, 0)) AS people
               FROM turnout.rsvps WHERE response = 'yes' GROUP BY 1, 3) r
    ON r.event_id = d.event_id AND r.day = d.day
 WHERE (d.rsvps, d.headcount) IS DISTINCT FROM (r.n, r.people)
UNION ALL
SELECT 'hours', event_id, rsvps, headcount, hours[1][24], hours[2][24]
  FROM turnout.event_days
 WHERE CASE WHEN headcount > 127 THEN (hours[1][24], hours[2][24])
            IS DISTINCT FROM (rsvps, headcount) ELSE hours IS NOT NULL END
 LIMIT 10
"""


TOPICS = """
SELECT urlkey, group_id, t.urlkey IS NULL AS missing
  FROM turnout.group_topics AS t
  FULL JOIN (SELECT DISTINCT k ->> 'urlkey' AS urlkey, group_id
               FROM turnout.groups, jsonb_array_elements(topics) AS k
              WHERE octet_length(k ->> 'urlkey') BETWEEN 1 AND 512) AS g
  USING (urlkey, group_id)
 WHERE t.urlkey IS NULL OR g.urlkey IS NULL LIMIT 10
"""


def topics_astray(dsn):
    """Topics of groups that group_topics has not, or has in excess."""
    with snapshot(dsn) as cursor:
        cursor.execute(TOPICS)
        return cursor.fetchall()


def audit(dsn):
    """Counters that differ from the rows at this instant; [] = none.

    Also the sum of the offsets, by which a caller sees that time passed.
    """
    with snapshot(dsn) as cursor:
        cursor.execute(AUDIT)
        wrong = cursor.fetchall()
        cursor.execute("SELECT coalesce(sum(next_offset), 0)::bigint"
                       " FROM turnout.ingest_offsets")
        return wrong, cursor.fetchone()[0]
