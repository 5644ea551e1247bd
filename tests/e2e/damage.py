"""What the tests of audit and recount share: worlds with rows, damage to
them, and the commands."""

import json
import subprocess
import time

import pytest
from stacklib.daemons import Ingest

DAY = 86400000
T0 = 1489881600000  # 2017-03-19 00:00 UTC
GHOST = "no-such-event"

# Writes as nobody may: no trigger keeps the counters.
UNSEEN = "SET session_replication_role = replica; "

# As the triggers do, or the writers could be in a deadlock with us.
LOCK = ("SELECT pg_advisory_xact_lock("
        "hashtextextended('turnout.event_counts', 0)); ")

# Damage to event %(event)s, or to GHOST: what the audit calls it, and how.
REPAIRABLE = {
    "a count too high": (
        "counts", "UPDATE turnout.event_counts SET rsvps = rsvps + 1,"
        " headcount = headcount + 1 WHERE event_id = %(event)s"),
    "a headcount too high": (
        "counts", "UPDATE turnout.event_counts SET headcount = headcount + 1"
        " WHERE event_id = %(event)s"),
    "a count missing": (
        "counts", "DELETE FROM turnout.event_counts"
        " WHERE event_id = %(event)s"),
    "a count of no event": (
        "counts", "INSERT INTO turnout.event_counts"
        " VALUES (%(ghost)s, 2, 3, '2017-03-19', '2017-03-20')"),
    "a count of nothing": (
        "bounds", "INSERT INTO turnout.event_counts"
        " VALUES (%(ghost)s, 0, 0, '2017-03-19', '2017-03-19')"),
    "a first day too late": (
        "counts", "UPDATE turnout.event_counts SET first_day = first_day + 1"
        " WHERE event_id = %(event)s"),
    "a last day too early": (
        "counts", "UPDATE turnout.event_counts SET last_day = last_day - 1"
        " WHERE event_id = %(event)s"),
    "a day too high": (
        "days", "UPDATE turnout.event_days SET headcount = headcount + 1"
        " WHERE event_id = %(event)s"),
    "a day missing": (
        "days", "DELETE FROM turnout.event_days WHERE event_id = %(event)s"),
    "a day too many": (
        "days", "INSERT INTO turnout.event_days"
        " VALUES (%(event)s, '2001-01-01', 1, 1)"),
    "a day of no event": (
        "days", "INSERT INTO turnout.event_days"
        " VALUES (%(ghost)s, '2001-01-01', 1, 1)"),
    "hours missing": (
        "days", "UPDATE turnout.event_days SET hours = NULL, hours_made = NULL"
        " WHERE event_id = %(event)s"),
    "an hour too high": (
        "days", "UPDATE turnout.event_days SET hours[1][5] = 99999"
        " WHERE event_id = %(event)s AND hours IS NOT NULL"),
    "hours of a small day": (
        "days", "UPDATE turnout.event_days SET hours_made = now(),"
        " hours = array_fill(1::bigint, ARRAY[2, 24])"
        " WHERE event_id = %(event)s AND hours IS NULL"),
    "rows in another hour unseen": (
        "days", UNSEEN + "UPDATE turnout.rsvps SET mtime_ms = mtime_ms"
        " + 3600000 WHERE rsvp_id = 9100000000000000"),
    "all counters missing": (
        "days", "DELETE FROM turnout.event_counts WHERE event_id = %(event)s;"
        " DELETE FROM turnout.event_days WHERE event_id = %(event)s"),
    "a day of nothing": (
        "bounds", "INSERT INTO turnout.event_days"
        " VALUES (%(event)s, '2001-01-01', 0, 0)"),
    "rows that went unseen": (
        "counts", UNSEEN + "DELETE FROM turnout.rsvps"
        " WHERE event_id = %(event)s"),
    "rows on another day unseen": (
        "days", UNSEEN + "UPDATE turnout.rsvps SET mtime_ms = mtime_ms"
        " - 86400000 WHERE event_id = %(event)s"),
}

OFFSET = ("INSERT INTO turnout.ingest_offsets"
          " (topic, part, next_offset, last_offset) VALUES ('t', 3, 5, %d)")
LETTER = ("INSERT INTO turnout.dead_letters (topic, part, record_offset,"
          " value_size, value_sha256, reason)"
          " VALUES ('t', 3, %d, 0, '', 'empty')")

# What no recount can know: a name in the report, and what it says.
OTHER = {
    "an offset behind its last": (OFFSET % 5, "offsets", "last_offset 5"),
    "a dead letter to come": (
        OFFSET % 4 + ";" + LETTER % 5, "dead_letters", "record_offset 5"),
    "an event without details": (
        "DELETE FROM turnout.events WHERE event_id = %(event)s", "rsvps",
        "events 0"),
    "an RSVP before 1970": (
        UNSEEN + "UPDATE turnout.rsvps SET mtime_ms = -1"
        " WHERE event_id = %(event)s", "rsvps", "mtime_ms -1"),
    "a bound that is out of date": (
        "CREATE OR REPLACE FUNCTION turnout.day_bound(headcount bigint)"
        " RETURNS bigint LANGUAGE sql IMMUTABLE RETURN headcount + 1000",
        "bounds", "bound "),
}


@pytest.fixture
def w(database, world):
    return world(database)


@pytest.fixture
def full(w, generate):
    """A world with some messages in it; w.event is its busiest event, with a
    great day (of more than 127 people) and a small one."""
    done = w.command("import", "-q", generate(3000))
    assert done.returncode == 0, done.stderr
    w.query("INSERT INTO turnout.events (event_id, group_id, content_hash,"
            " src_ts, src_part, src_offset) VALUES ('midnight', 1, 1, 1, 1, 1)")
    w.query("INSERT INTO turnout.rsvps (rsvp_id, event_id, mtime_ms, response)"
            " SELECT 9000000000000000 + n, 'midnight', n, 'yes'"
            " FROM unnest(%s) AS n", [T0 - 1, T0, T0 + DAY - 1, T0 + DAY])
    w.event = w.query("SELECT event_id FROM turnout.event_counts"
                      " ORDER BY rsvps DESC, event_id LIMIT 1")[0][0]
    w.query("INSERT INTO turnout.rsvps (rsvp_id, event_id, mtime_ms, response,"
            " guests) VALUES (9100000000000000, %s, %s, 'yes', 127),"
            " (9100000000000001, %s, %s, 'yes', 0)",
            w.event, T0, w.event, T0 - 99 * DAY)
    return w


@pytest.fixture
def start():
    """start(w, word, ...): the command, running."""
    running = []

    def begin(w, *words):
        server = Ingest(w.dir, w.build, 9)
        server.configure("127.0.0.1:1", w.name, w.conninfo("turnout_ingest"),
                         {})
        running.append(subprocess.Popen(
            [server.program, "-c", server.conf, *words], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=server.environment()))
        return running[-1]

    yield begin
    for one in running:
        one.kill()
        one.communicate()


WAITING = ("SELECT pid FROM pg_stat_activity WHERE datname ="
           " current_database() AND wait_event_type = 'Lock'")


def wait_for_a_lock(w):
    deadline = time.monotonic() + 10
    while not w.query(WAITING):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def damage(w, sql):
    w.query(sql.replace("%(event)s", f"'{w.event}'")
               .replace("%(ghost)s", f"'{GHOST}'"))


def counters(w):
    return (w.query("SELECT event_id, rsvps, headcount, first_day, last_day,"
                    " bound"
                    " FROM turnout.event_counts ORDER BY 1"),
            w.query("SELECT event_id, day, rsvps, headcount, bound, hours"
                    " FROM turnout.event_days ORDER BY 1, 2"))


def objects(done):
    """(exit status, all lines but the last, the last) of a --json."""
    *lines, last = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, lines, last


def audit(w, *words):
    """(exit status, {check: its object} of those with differences)."""
    status, lines, last = objects(w.command("audit", "--json", *words))
    wrong = {c["check"]: c for c in lines if c["differences"] > 0}
    assert last["differences"] == sum(
        c["differences"] for c in wrong.values())
    return status, wrong


def recount(w, *words):
    return objects(w.command("recount", "--json", *words))


# What is right.
