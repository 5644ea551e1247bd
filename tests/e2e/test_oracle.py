"""The oracle: what it says of messages that were counted by hand, and that
tests/oracle/compare sees what is done to a database."""

import json
import os
import re
import subprocess

import oracle
import pytest
from fixtures import SRC, started
from kafka import out
from messages import MTIME, message, neighbour
from oracle import differ
from world import World, lines_of

BASE = 1489925470000  # a whole second
VENUE = {"venue_id": 5, "venue_name": "Park", "lat": 59.5, "lon": 10}


# What was counted by hand.

def test_a_capture_is_what_was_counted_by_hand(capture):
    known, path = capture
    state = oracle.state_of_file(lines_of(path))
    assert not state.bad
    assert len(state.rsvps) == known.rsvps
    assert sum(1 for _ in state.yes()) == known.yes
    assert len({r.event_id for r in state.rsvps.values()}) == known.events
    assert [(row[1], row[2]) for row in state.board(2)[0]] == known.first
    if known.tie_at_5 is not None:
        assert state.board(5)[1] is known.tie_at_5
    assert sum(n for n, _ in state.counts().values()) == known.yes
    assert sum(n for n, _ in state.days().values()) == known.yes


def rsvp(mtime=BASE, response="yes", guests=0, event="e1", member=1):
    """Of each its least; None = absent."""
    return oracle.Rsvp(1, event, member, mtime, response, guests)


@pytest.mark.parametrize("less, more", [
    (rsvp(BASE), rsvp(BASE + 1)),            # exact beats rounded
    (rsvp(BASE + 499), rsvp(BASE + 500)),    # the next second
    (rsvp(BASE + 500), rsvp(BASE + 1000 + 1)),
    (rsvp(BASE + 1000), rsvp(BASE + 500)),   # the copy is later: a copy
    (rsvp(BASE + 700), rsvp(BASE + 701)),
    (rsvp(response="yes"), rsvp(response="waitlist")),
    (rsvp(response="waitlist"), rsvp(response="no")),
    (rsvp(guests=None), rsvp(guests=0)),
    (rsvp(guests=9), rsvp(guests=10)),
    (rsvp(event="Z"), rsvp(event="a")),      # by bytes
    (rsvp(event="e1"), rsvp(event="e10")),
    (rsvp(event="\uffff"), rsvp(event="\U00010000")),
    (rsvp(member=None), rsvp(member=1)),
    (rsvp(response="no", guests=9), rsvp(BASE + 1, guests=None))])
def test_of_two_versions_the_later_one_wins(less, more):
    assert oracle.version(less) < oracle.version(more)


def test_counters_days_and_boards_of_a_few_messages():
    midnight = 1489968000000  # 2017-03-20
    state = oracle.state_of_file([
        message(1, "b", mtime=midnight - 1, guests=2),
        message(2, "b", mtime=midnight),
        message(3, "a", mtime=midnight, guests=9),
        message(4, "a", mtime=midnight, response="no"),
        message(5, "c", mtime=midnight + 2000),
        message(5, "c", mtime=midnight, response="no"),
        message(6, "d", response="waitlist"),
        message(7, "e", mtime=midnight, guests=3),
        b" \t\r", b"{"])
    assert state.counts() == {
        "a": (1, 10), "b": (2, 4), "c": (1, 1), "e": (1, 4)}
    assert state.days() == {
        ("b", "2017-03-19"): (1, 3), ("b", "2017-03-20"): (1, 1),
        ("a", "2017-03-20"): (1, 10), ("c", "2017-03-20"): (1, 1),
        ("e", "2017-03-20"): (1, 4)}
    assert state.board(9) == ([(1, "b", 2, 4), (2, "a", 1, 10),
                               (2, "c", 1, 1), (2, "e", 1, 4)], False)
    assert state.board(2) == ([(1, "b", 2, 4), (2, "a", 1, 10)], True)
    assert state.board(1, "headcount") == ([(1, "a", 1, 10)], False)
    assert state.board(2, "headcount") == ([(1, "a", 1, 10), (2, "b", 2, 4)],
                                           True)
    assert [(r.offset, why) for r, why in zip(
        state.bad, state.reasons)] == [(9, ("truncated",))]


def test_a_rank_counts_all_that_are_before_it():
    state = oracle.state_of_file(
        [message(n, event) for n, event in enumerate("xxyyzw", 1)])
    assert [row[:2] for row in state.board(4)[0]] == [
        (1, "x"), (1, "y"), (3, "w"), (3, "z")]
    assert [state.board(k)[1] for k in (1, 2, 3, 4)] == [
        True, False, True, False]


def test_equal_counts_are_ordered_by_the_bytes_of_the_id():
    ids = ["A", "Z", "a", "ab", "b", "ba", "\u00e9", "\uffff",
           "\U00010000"]
    state = oracle.state_of_file(
        [message(n, event) for n, event in enumerate(reversed(ids), 1)])
    assert [row[:2] for row in state.board(99)[0]] == [(1, i) for i in ids]


def test_details_are_those_of_the_last_record_of_the_log():
    ts = 1790000000000

    def name_after(*records):
        return oracle.state_of(oracle.Record(
            when, part, offset, message(offset, "e1", name, mtime=mtime))
            for name, when, part, offset, mtime in records).details[
                "event", "e1"].name

    late, early = BASE + 9000, BASE
    assert name_after(("A", ts, 0, 1, late), ("B", ts, 0, 2, early)) == "B"
    assert name_after(("A", ts, 0, 2, early), ("B", ts, 0, 1, late)) == "A"
    assert name_after(("A", ts, 0, 9, late), ("B", ts, 1, 1, early)) == "B"
    assert name_after(("A", ts + 1, 0, 1, early), ("B", ts, 1, 9, late)) == "A"
    # A line of a file has the time of its RSVP.
    assert name_after(("A", None, -1, 1, late), ("B", None, -1, 2, early)) \
        == "A"


@pytest.mark.parametrize("value, reasons", [
    (b'{"rsvp_id":' + b"9" * 5000 + b"}", "rsvp_id_range"),
    (b'{"a":1,"a":' + b"[" * 16 + b"]" * 16 + b',"a":1}', "depth"),
    (b'[{"a":"\\u0000"}', "truncated nul not_object"),
    (b'{"a":"\\\\u0000"}', "missing_rsvp_id"),
    (b'{"a":"\x1f', "control"),
    (b'{"a":"\x7f', "truncated"),
    (b'{"a":1,}', "syntax"),
    (b'{"a":[1,]}', "syntax"),
    (b'{"a"}', "syntax"),
    (b'{"a":1]', "syntax"),
    (b"{} {", "trailing"),
    (b'{"a":-', "truncated"),
    (b'{"a":1.', "truncated"),
    ('{"a":١}'.encode(), "syntax")])
def test_a_bad_message_has_every_reason_that_holds(value, reasons):
    with pytest.raises(oracle.Bad) as refused:
        oracle.parse(value, MTIME)
    wanted = set(reasons.split())
    if wanted & {"rsvp_id_range", "missing_rsvp_id"}:
        assert wanted <= set(refused.value.reasons)
    else:
        assert wanted == set(refused.value.reasons)


def test_of_one_place_and_one_value_the_first_dead_letter_stands():
    """A log that was cut has grown again: the same bytes, a later time."""
    def letters(*records):
        wanted = differ.letters_wanted(oracle.state_of(
            oracle.Record(ts, 0, offset, value) for ts, offset, value
            in records))
        return sorted((key[2], one["record_ts"])
                      for key, one in wanted.items())

    assert letters((1, 5, b"{"), (2, 5, b"{")) == [(5, 1)]
    assert letters((1, 5, b"{"), (2, 5, b"[")) == [(5, 1), (5, 2)]
    assert letters((1, 5, b"{"), (2, 6, b"{")) == [(5, 1), (6, 2)]


# The command.

def compare(*words):
    """(status, the lines of its output, what it says beside them)."""
    done = subprocess.run(
        [os.path.join(SRC, "tests", "oracle", "compare"), *words], text=True,
        stdin=subprocess.DEVNULL, capture_output=True, check=False,
        timeout=120)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout.splitlines(), done.stderr


LINES = [
    message(1, "e1", "Picnic", guests=2, venue=VENUE, time=1491613200500,
            member={"member_id": 42, "member_name": "Zoë", "photo": "p"},
            group={"group_id": 8, "group_city": "Oslo", "group_lat": 59.9,
                   "group_lon": 10.7, "group_topics": [
                       {"urlkey": "x", "topic_name": "X"}]}),
    message(2, "e1", "Picnic", venue=VENUE, time=1491613200500,
            member={"member_id": 42, "member_name": "Zoë", "photo": "p"},
            group={"group_id": 8, "group_city": "Oslo", "group_lat": 59.9,
                   "group_lon": 10.7, "group_topics": [
                       {"urlkey": "x", "topic_name": "X"}]}),
    message(3, "odd id?#%41&", 'Ünï "quoted" \\ \t\n'),
    message(4, "e2", response="no"),
    b"", b"{", b"\xff\xfe", message(5, "e3", guests=1001)]


@pytest.fixture(scope="module")
def clean(database, tmp_path_factory):
    """A database into which LINES were imported, and their file."""
    path = tmp_path_factory.mktemp("oracle") / "lines.ndjson"
    path.write_bytes(b"".join(line + b"\n" for line in LINES))
    w = World(database, "clean")
    done = w.command("import", "-q", str(path))
    assert done.returncode == 0, done.stderr
    return w, str(path)


@pytest.fixture
def damaged(clean, database):
    """damaged(sql): a copy of it, to which the SQL was done; its conninfo."""
    w, path = clean

    def make(sql):
        database.postgres.psql("DROP DATABASE IF EXISTS damaged",
                               database="postgres")
        database.postgres.psql("CREATE DATABASE damaged TEMPLATE clean",
                               database="postgres")
        database.postgres.psql(
            "SET search_path = turnout; SET session_replication_role ="
            f" replica; {sql}", database="damaged")
        return ["--messages", path, "--database",
                w.dsn.replace("dbname=clean", "dbname=damaged")]

    return make


def test_a_clean_database_has_no_differences(clean):
    w, path = clean
    status, lines, said = compare("--messages", path, "--database", w.dsn)
    assert (status, lines) == (0, [])
    assert "4 RSVPs, 2 events with a yes, 3 bad messages" in said
    assert "all is equal" in said


DAMAGE = [
    ("UPDATE rsvps SET response = 'no' WHERE rsvp_id = 1",
     ['rsvps 1 response: expected "yes", found "no"']),
    ("UPDATE rsvps SET guests = NULL, mtime_ms = mtime_ms + 1"
     " WHERE rsvp_id = 2",
     [f"rsvps 2 mtime_ms: expected {MTIME}, found {MTIME + 1}",
      "rsvps 2 guests: expected 0, found nothing"]),
    ("DELETE FROM rsvps WHERE rsvp_id = 4",
     [re.compile(r"rsvps 4: expected \{.*\}, found nothing")]),
    ("INSERT INTO rsvps VALUES (9, 'e9', NULL, 1489925470960, 'no', 0)",
     [re.compile(r"rsvps 9: expected nothing, found \{.*\"e9\".*\}")]),
    ("UPDATE event_counts SET headcount = headcount + 1"
     " WHERE event_id = 'e1'",
     ["event_counts e1 headcount: expected 4, found 5"]),
    ("DELETE FROM event_counts WHERE event_id LIKE 'odd%'",
     ['event_counts "odd id?#%41&": expected {"rsvps": 1, "headcount": 1,'
      ' "first_day": "2017-03-19", "last_day": "2017-03-19"}, found nothing']),
    ("UPDATE event_counts SET first_day = first_day - 1, last_day = '2018-1-1'"
     " WHERE event_id = 'e1'",
     ['event_counts e1 first_day: expected "2017-03-19", found "2017-03-18"',
      'event_counts e1 last_day: expected "2017-03-19",'
      ' found "2018-01-01"']),
    ("UPDATE event_days SET day = day + 1 WHERE event_id = 'e1'",
     ['event_days e1 2017-03-19: expected {"rsvps": 2, "headcount": 4,'
      ' "hours": null}, found nothing',
      'event_days e1 2017-03-20: expected nothing, found {"rsvps": 2,'
      ' "headcount": 4, "hours": null}']),
    ("UPDATE event_days SET hours_made = now(),"
     " hours = array_fill(2::bigint, ARRAY[2, 24]) WHERE event_id = 'e1'",
     ["event_days e1 2017-03-19 hours: expected nothing,"
      f" found {[[2] * 24] * 2}"]),
    ("UPDATE event_days SET headcount = 128 WHERE event_id = 'e1'",
     ["event_days e1 2017-03-19 headcount: expected 4, found 128"]),
    ("UPDATE events SET name = 'Walk', starts_ms = 0 WHERE event_id = 'e1'",
     ['events e1 name: expected "Picnic", found "Walk"',
      "events e1 starts_ms: expected 1491613200500, found 0"]),
    ("UPDATE events SET src_offset = 0 WHERE event_id = 'e1'",
     ["events e1 src_offset: expected 1, found 0"]),
    ("UPDATE events SET name = name || ' ' WHERE event_id LIKE 'odd%'",
     ['events "odd id?#%41&" name: expected "\\u00dcn\\u00ef \\"quoted\\"'
      ' \\\\ \\t\\n", found "\\u00dcn\\u00ef \\"quoted\\" \\\\ \\t\\n "']),
    ("UPDATE groups SET topics = '[]', city = lower(city) WHERE group_id = 8",
     ['groups 8 city: expected "Oslo", found "oslo"',
      'groups 8 topics: expected [["x", "X"]], found []']),
    ("UPDATE venues SET lat = 59.500000000000007",
     ["venues 5 lat: expected 59.5, found 59.50000000000001"]),
    ("UPDATE members SET photo = NULL",
     ['members 42 photo: expected "p", found nothing']),
    ("DELETE FROM members",
     [re.compile(r"members 42: expected \{.*\}, found nothing")]),
    ("DELETE FROM dead_letters WHERE record_offset = 5",
     [re.compile(r"dead_letters import:lines\.ndjson -1 5 [0-9a-f]{64}:"
                 r' expected \{"reason": "truncated", .*\}, found nothing')]),
    ("UPDATE dead_letters SET reason = 'syntax' WHERE record_offset = 6",
     [re.compile(r'dead_letters .* -1 6 .* reason: expected "utf8",'
                 r' found "syntax"')]),
    ("UPDATE dead_letters SET value = 'x' WHERE record_offset = 7",
     [re.compile(r'dead_letters .* -1 7 .* value: expected "7b22.*",'
                 r' found "78"')]),
]


@pytest.mark.parametrize("sql, wanted", DAMAGE,
                         ids=[sql[:36] for sql, _ in DAMAGE])
def test_each_damage_is_found_and_nothing_else(damaged, sql, wanted):
    status, lines, said = compare(*damaged(sql))
    assert status == 1
    assert len(lines) == len(wanted), lines
    for line, want in zip(lines, wanted):
        if isinstance(want, str):
            assert line == want
        else:
            assert want.fullmatch(line), line
    assert f"{len(wanted)} differences" in said


def test_a_difference_as_json_says_the_same(damaged):
    status, lines, _ = compare("--json", *damaged(DAMAGE[0][0]))
    assert status == 1
    assert [json.loads(line) for line in lines] == [
        {"table": "rsvps", "key": [1], "column": "response",
         "expected": "yes", "found": "no"}]


def test_of_members_only_the_id_may_be_kept(damaged):
    words = damaged("UPDATE members SET name = NULL, photo = NULL")
    assert compare(*words)[0] == 1
    assert compare("--no-members", *words)[:2] == (0, [])


def test_what_the_api_answers_is_compared(database, world, one_capture):
    w = world(database)
    assert w.command("import", "-q", one_capture[1]).returncode == 0
    words = ["--messages", one_capture[1], "--database", w.dsn,
             "--api", w.serve()]
    status, lines, said = compare(*words)
    assert (status, lines) == (0, []), said


def test_a_wrong_answer_of_the_api_is_found(clean, damaged, database, world):
    """The board of a database is compared with messages it has not had."""
    _, path = clean
    w = world(database)
    assert w.command("import", "-q", path).returncode == 0
    w.query("UPDATE turnout.events SET name = 'Walk', starts_ms = 0"
            " WHERE event_id = 'e1'")
    _, *words = damaged("SELECT 1")
    status, lines, _ = compare("--messages", *words, "--api", w.serve())
    assert status == 1
    assert 'api /api/topk?k=1&by=rsvps events[0].name: expected "Picnic",' \
        ' found "Walk"' in lines
    assert 'api /api/events/e1 starts_at: expected' \
        ' "2017-04-08T01:00:00.500Z", found "1970-01-01T00:00:00Z"' in lines
    assert all(line.startswith("api ") for line in lines)
    # Eight boards of all time, the event; and others have it, too.
    assert len([line for line in lines if line.startswith((
        "api /api/topk?k=1", "api /api/topk?k=5", "api /api/events/e1 "))
        and "window" not in line and "&date" not in line
        and "&from" not in line]) == 2 * (8 + 1)
    assert any("group=" in line for line in lines)


def test_a_missing_answer_and_a_false_tie_are_found(
        clean, database, world, tmp_path):
    _, path = clean
    w = world(database)
    done = w.command("import", "-q", path)
    assert done.returncode == 0, done.stderr
    more = tmp_path / "more"
    more.write_bytes(message(6, "e6") + b"\n" + message(7, "e6") + b"\n")
    status, lines, _ = compare("--messages", path, str(more), "--database",
                               w.dsn, "--api", w.serve())
    assert status == 1
    assert "api /api/events/e6 status: expected 200, found 404" in lines
    assert "api /api/topk?k=1&by=rsvps tie_at_cutoff: expected true," \
        " found false" in lines
    assert "api /api/topk?k=10&by=rsvps number of events: expected 3," \
        " found 2" in lines
    for asked in ("window=90m", "window=7d", "date=", "from=", "/rank?",
                  "/history?"):
        assert any(asked in line for line in lines), asked


# Through a topic.

def test_a_topic_is_compared_as_far_as_it_is_applied(request, generate):
    stack = started(broker="mock", only=("postgres", "broker"), partitions=3)
    request.addfinalizer(stack.down)
    w = World(stack, "rsvps", partitions=3)  # all that the mock has
    request.addfinalizer(w.end)
    ingest = w.ingest()
    w.feed(generate(500, seed=5))
    w.produce([out(b"{", key=b"k"), out(None), out(b"", partition=1),
               out(neighbour(1), partition=2)])
    words = ["--topic", w.name, "--brokers", w.brokers, "--database", w.dsn]
    status, lines, said = compare(*words)
    assert (status, lines) == (0, []), said
    assert "3 bad messages" in said and "not applied" not in said

    ingest.stop()
    w.produce([out(neighbour(2))], wait=False)
    status, lines, said = compare(*words)
    assert (status, lines) == (0, []), said
    assert "1 records of rsvps are not applied yet" in said

    w.query("UPDATE turnout.dead_letters SET key = NULL")
    status, lines, _ = compare(*words)
    assert status == 1
    assert len(lines) == 1 and re.fullmatch(
        r'dead_letters rsvps 0 .* key: expected "6b", found nothing', lines[0])


# Who cannot be asked.

def test_a_database_that_is_away_is_told(clean):
    status, lines, said = compare("--messages", clean[1], "--database",
                                  "host=/nonexistent dbname=turnout")
    assert (status, lines) == (69, [])
    assert "/nonexistent" in said


def test_an_api_that_is_away_is_told(clean):
    status, lines, said = compare("--messages", clean[1], "--database",
                                  clean[0].dsn, "--api", "http://127.0.0.1:1")
    assert (status, lines) == (69, [])
    assert "127.0.0.1:1" in said


def test_a_broker_that_is_away_is_told(clean):
    status, lines, said = compare(
        "--topic", "x", "--brokers", "127.0.0.1:1", "--database",
        clean[0].dsn)
    assert (status, lines) == (69, [])
    assert "compare: " in said


@pytest.mark.parametrize("words", [
    [], ["--database", "x"], ["--messages", "x"], ["--unknown"],
    ["--database", "x", "--topic", "t"],
    ["--database", "x", "--brokers", "b"],
    ["--database", "x", "--messages", "/nonexistent"]])
def test_wrong_usage_is_told(words):
    status, lines, said = compare(*words)
    assert (status, lines) == (64, [])
    assert "usage: compare" in said


def test_help_says_what_it_does():
    status, lines, _ = compare("--help")
    assert status == 0
    text = "\n".join(lines)
    for word in ("--messages", "--topic", "--database", "--api", "--json",
                 "64", "69"):
        assert word in text
