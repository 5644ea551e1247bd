"""What a database holds, read by psql in one snapshot.

Each row comes as one JSON array on a line of its own: no value can be taken
for another, whatever is in it.
"""

import collections
import json
import os
import subprocess

from .grammar import Event, Group, Member, Rsvp, Venue
from .source import Away

# Of the columns of a table, those that come from messages.
QUERIES = {
    "rsvps": "rsvp_id, event_id, member_id, mtime_ms, response, guests"
             " FROM turnout.rsvps",
    "event": "event_id, src_ts, src_part, src_offset, name, url, starts_ms,"
             " group_id, venue_id FROM turnout.events",
    "group": "group_id, src_ts, src_part, src_offset, name, urlname, city,"
             " state, country, lat, lon, topics FROM turnout.groups",
    "venue": "venue_id, src_ts, src_part, src_offset, name, lat, lon"
             " FROM turnout.venues",
    "member": "member_id, src_ts, src_part, src_offset, name, photo"
              " FROM turnout.members",
    "counts": "event_id, rsvps, headcount, first_day, last_day"
              " FROM turnout.event_counts",
    "days": "event_id, day, rsvps, headcount, hours"
            " FROM turnout.event_days",
    "bad": "part, record_offset, reason, encode(value, 'hex'), topic,"
           " encode(key, 'hex'), value_size, encode(value_sha256, 'hex'),"
           " record_ts FROM turnout.dead_letters"
           " ORDER BY topic, part, record_offset",
    "offsets": "topic, part, next_offset FROM turnout.ingest_offsets",
}
KINDS = {"event": Event, "group": Group, "venue": Venue, "member": Member}

Letter = collections.namedtuple(
    "Letter", "part offset reason value topic key size sha256 ts")


class Found:
    """As State has it, with counters and days as they are stored.

    rsvps, details, places, counts, days, and
    spans   {event_id: (first, last)}: its days
    hours   {(event_id, day): (rsvps, headcounts)} of those that have them
    bad     [Letter] by topic, partition and offset
    offsets {(topic, partition): next offset}
    """

    def __init__(self, rows):
        self.rsvps = {row[0]: Rsvp(*row) for row in rows["rsvps"]}
        self.details = {}
        self.places = {}
        for kind, make in KINDS.items():
            for row in rows[kind]:
                content = row[4:]
                if kind == "group":
                    content[-1] = topics(content[-1])
                self.details[kind, row[0]] = make(*content)
                self.places[kind, row[0]] = tuple(row[1:4])
        self.counts = {row[0]: tuple(row[1:3]) for row in rows["counts"]}
        self.spans = {row[0]: tuple(row[3:]) for row in rows["counts"]}
        self.days = {tuple(row[:2]): tuple(row[2:4]) for row in rows["days"]}
        self.hours = {tuple(row[:2]): tuple(row[4]) for row in rows["days"]
                      if row[4] is not None}
        self.bad = [letter(row) for row in rows["bad"]]
        self.offsets = {tuple(row[:2]): row[2] for row in rows["offsets"]}


def letter(row):
    one = Letter(*row)
    return one._replace(**{
        name: None if text is None else bytes.fromhex(text)
        for name, text in (("value", one.value), ("key", one.key),
                           ("sha256", one.sha256))})


def topics(found):
    """As a message's: (urlkey, name) pairs."""
    if not isinstance(found, list):
        return found
    return tuple((t.get("urlkey"), t.get("topic_name"))
                 if isinstance(t, dict) else t for t in found)


def script():
    lines = ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"]
    for name, sql in QUERIES.items():
        columns, table = sql.split(" FROM ")
        lines.append(f"COPY (SELECT json_build_array('{name}', {columns})"
                     f" FROM {table}) TO STDOUT;")
    return "\n".join([*lines, "COMMIT;", ""])


def read(conninfo):
    """What is there now, or Away with what psql says."""
    env = dict(os.environ, PGCLIENTENCODING="UTF8")
    env.setdefault("PGCONNECT_TIMEOUT", "10")
    try:
        done = subprocess.run(
            ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", conninfo],
            input=script().encode(), capture_output=True, check=False,
            env=env)
    except OSError as why:
        raise Away(f"psql: {why.strerror}") from why
    if done.returncode != 0:
        raise Away(done.stderr.decode(errors="replace").strip())
    return Found(rows_of(done.stdout))


def rows_of(output):
    """{name: rows} of what COPY wrote; it doubles each backslash of the JSON,
    which has nothing else that it would escape."""
    rows = {name: [] for name in QUERIES}
    lines = output.replace(b"\\\\", b"\\").split(b"\n")[:-1]
    for row in json.loads(b"[" + b",".join(lines) + b"]"):
        rows[row[0]].append(row[1:])
    return rows
