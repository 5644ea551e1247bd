"""The state that the database holds, in the oracle's words, and the audit.

read() takes one REPEATABLE READ snapshot; differences() compares it with an
oracle's State in every column that comes from messages.
"""

import contextlib

import oracle
import psycopg2

QUERIES = {
    "rsvps": "SELECT rsvp_id, event_id, member_id, mtime_ms, response::text,"
             " guests FROM turnout.rsvps",
    "event": "SELECT event_id, src_ts, src_part, src_offset, name, url,"
             " starts_ms, group_id, venue_id FROM turnout.events",
    "group": "SELECT group_id, src_ts, src_part, src_offset, name, urlname,"
             " city, state, country, lat, lon, topics FROM turnout.groups",
    "venue": "SELECT venue_id, src_ts, src_part, src_offset, name, lat, lon"
             " FROM turnout.venues",
    "member": "SELECT member_id, src_ts, src_part, src_offset, name, photo"
              " FROM turnout.members",
    "counts": "SELECT event_id, rsvps, headcount FROM turnout.event_counts",
    "days": "SELECT event_id, day::text, rsvps, headcount"
            " FROM turnout.event_days",
    "bad": "SELECT part, record_offset, reason, value, topic, key,"
           " value_size, value_sha256, record_ts FROM turnout.dead_letters"
           " ORDER BY topic, part, record_offset",
}
KINDS = {"event": oracle.Event, "group": oracle.Group,
         "venue": oracle.Venue, "member": oracle.Member}


class Found:
    """As oracle.State has it, with counts and days as they are stored."""

    def __init__(self, rows):
        self.rsvps = {row[0]: oracle.Rsvp(*row) for row in rows["rsvps"]}
        self.details = {}
        self.places = {}
        for kind, make in KINDS.items():
            for row in rows[kind]:
                content = list(row[4:])
                if kind == "group" and content[-1] is not None:
                    content[-1] = tuple((t.get("urlkey"), t.get("topic_name"))
                                        for t in content[-1])
                self.details[kind, row[0]] = make(*content)
                self.places[kind, row[0]] = tuple(row[1:4])
        self.counts = {row[0]: tuple(row[1:]) for row in rows["counts"]}
        self.days = {tuple(row[:2]): tuple(row[2:]) for row in rows["days"]}
        self.bad = rows["bad"]


@contextlib.contextmanager
def snapshot(dsn):
    connection = psycopg2.connect(dsn)
    try:
        connection.set_session(isolation_level="REPEATABLE READ",
                               readonly=True)
        yield connection.cursor()
    finally:
        connection.close()


def read(dsn):
    rows = {}
    with snapshot(dsn) as cursor:
        for name, sql in QUERIES.items():
            cursor.execute(sql)
            rows[name] = cursor.fetchall()
    return Found(rows)


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


def differences(want, have, details=True, places=True):
    """Lines that tell how the database differs from the oracle; [] = not."""
    lines = (unlike("rsvps", want.rsvps, have.rsvps)
             + unlike("counts", want.counts(), have.counts)
             + unlike("days", want.days(), have.days))
    if details:
        lines += unlike("details", want.details, have.details)
    if details and places:
        lines += unlike("places", want.places, have.places)
    return lines


AUDIT = """
SELECT 'counts' AS what, coalesce(c.event_id, r.event_id),
       c.rsvps, c.headcount, r.n, r.people
  FROM turnout.event_counts c
  FULL JOIN (SELECT event_id, count(*) AS n,
                    sum(1 + coalesce(guests, 0)) AS people
               FROM turnout.rsvps WHERE response = 'yes' GROUP BY 1) r
    ON r.event_id = c.event_id
 WHERE (c.rsvps, c.headcount) IS DISTINCT FROM (r.n, r.people)
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
 LIMIT 10
"""


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
