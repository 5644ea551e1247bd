"""turnout-ingest dead-letters list, show, retry and drop."""

import json
import random
import subprocess
import threading

import oracle
import psycopg2
import pytest
import state
from messages import MTIME, message, neighbour
from proxy import CommitHolder, CommitLoser
from stacklib import proc
from stacklib.daemons import Ingest

FEW = [("syntax", "rsvps", 4, b"{"), ("type_mtime", "rsvps", 9, b'{"a":1}'),
       ("syntax", "import:old.gz", 2, b"\\ \x00\x7f\xff\n"),
       ("empty", "rsvps", 11, None)]


@pytest.fixture
def w(database, world):
    return world(database)


INSERT = (
    "INSERT INTO turnout.dead_letters (topic, part, record_offset, record_ts,"
    " key, value, value_size, value_sha256, reason, received_at)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, sha256(%s), %s, %s)"
    " RETURNING dead_letter_id")


def row(value, reason="syntax", topic="rsvps", part=0, offset=0, ts=MTIME,
        size=None, received="2026-03-01 12:00:00+00"):
    """The values of a row, as a daemon writes it.  Another grammar than
    today's may have refused the message."""
    return (topic, part, offset, ts, b"k\x00",
            None if value is None else psycopg2.Binary(value),
            len(value or b"") if size is None else size,
            psycopg2.Binary(value or b""), reason, received)


def put(w, *values, **more):
    """Insert a row(); its number."""
    return w.query(INSERT, *row(*values, **more))[0][0]


def put_few(w):
    return [put(w, value, reason, topic, offset=offset,
                received=f"2026-03-0{n + 1} 12:00:00+00")
            for n, (reason, topic, offset, value) in enumerate(FEW)]


def letters(w, *words):
    return w.command("dead-letters", *words)


def listed(w, *words):
    """The ids that list --json gives."""
    done = letters(w, "list", "--json", *words)
    assert done.returncode == 0, done.stderr
    return [json.loads(line)["id"] for line in done.stdout.splitlines()]


def left(w):
    return [one[0] for one in w.query(
        "SELECT dead_letter_id FROM turnout.dead_letters ORDER BY 1")]


def process(w, *words):
    """A command that runs beside the test; w.command() wrote its
    configuration."""
    server = Ingest(w.dir, w.build, 9)
    return subprocess.Popen(
        [server.program, "-c", server.conf, *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=server.environment())


def good(count, order):
    """Records of one RSVP each, whose details depend on their order."""
    return [oracle.Record(MTIME + n // 3, n % 2, 100 + n, message(
        n + 1, f"e{n % 7}", f"Picnic {n}", mtime=MTIME + n * 1000,
        group={"group_id": n % 5 + 1, "group_name": f"Walkers {n}"}))
            for n in order.sample(range(count), count)]


def put_records(w, records):
    """Insert them in this order; their numbers."""
    ids = []
    connection = psycopg2.connect(w.dsn)
    with connection, connection.cursor() as cursor:
        for r in records:
            cursor.execute(INSERT, row(
                r.value, "response", part=r.partition, offset=r.offset,
                ts=r.ts))
            ids += cursor.fetchone()
    connection.close()
    return ids


def judge(w, records):
    wrong = state.differences(oracle.state_of(records), state.read(w.dsn))
    assert not wrong, "\n".join(wrong)


# list and show.

def test_list_has_a_line_a_letter(w):
    ids = put_few(w)
    done = letters(w, "list")
    assert done.returncode == 0, done.stderr
    head, *lines = [line.split() for line in done.stdout.splitlines()]
    assert head == ["id", "received_at", "topic", "part", "offset", "reason",
                    "size", "detail"]
    assert [line[0] for line in lines] == [str(id) for id in ids]
    assert lines[1][1:] == ["2026-03-02T12:00:00.000Z", "rsvps", "0", "9",
                            "type_mtime", "7"]


def test_list_of_none_is_a_head_alone(w):
    assert len(letters(w, "list").stdout.splitlines()) == 1
    assert listed(w) == []


FILTERS = [
    (["--reason", "syntax"], [0, 2]),
    (["--topic", "rsvps"], [0, 1, 3]),
    (["--reason", "syntax", "--topic", "rsvps"], [0]),
    (["--since", "2026-03-02 12:00"], [1, 2, 3]),
    (["--since", "2026-03-02 14:00+02"], [1, 2, 3]),
    (["--since", "2026-03-02 12:00:01"], [2, 3]),
    (["--until", "2026-03-02 12:00"], [0]),
    (["--until", "2026-03-02 12:00:01"], [0, 1]),
    (["--since", "2026-03-02", "--until", "2026-03-03"], [1]),
    (["--limit", "2"], [2, 3]),
    (["--reason", "nothing"], []),
]


def test_list_is_filtered(w):
    ids = put_few(w)
    for words, which in FILTERS:
        assert listed(w, *words) == [ids[n] for n in which], words


def test_show_tells_everything_and_nothing_that_a_terminal_obeys(w):
    ids = put_few(w)
    done = letters(w, "show", str(ids[2]))
    assert done.returncode == 0, done.stderr
    told = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert told["value"] == r"\x5c \x00\x7f\xff\x0a"
    assert told["key"] == r"k\x00"
    assert told["topic"] == "import:old.gz"
    assert told["record_time"] == "2017-03-19T12:11:10.960Z"
    assert told["size"] == "6"


def test_show_raw_is_the_value_byte_for_byte(w):
    value = bytes(range(256)) * 40
    one = put(w, value)
    letters(w, "list")
    out, err = process(w, "dead-letters", "show", "--raw",
                       str(one)).communicate(timeout=60)
    assert out == value, err


def test_show_json_has_the_value_in_hexadecimal(w):
    one = put(w, b"\xff\x00")
    done = letters(w, "show", "--json", str(one))
    told = json.loads(done.stdout)
    assert (told["value_hex"], told["key_hex"]) == ("ff00", "6b00")


@pytest.mark.parametrize("how", [[], ["--raw"], ["--json"]])
def test_show_tells_a_time_that_is_none(w, how):
    """Nanoseconds, from a producer that takes them for milliseconds."""
    number = put(w, b"{", ts=1489925470960000000)
    done = letters(w, "show", str(number), *how)
    assert done.returncode == 0, done.stderr
    assert ("1489925470960000000" in done.stdout) == (how != ["--raw"])


def test_show_of_what_is_not_there_fails(w):
    done = letters(w, "show", "12")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no dead letter 12" in done.stderr


# retry.

def test_retry_gives_the_state_as_if_nothing_had_been_refused(w):
    """In two halves, the later one first: details keep their place."""
    records = good(40, random.Random(1))
    ids = put_records(w, records)
    later = [str(id) for id, r in zip(ids, records) if r.offset >= 120]
    assert letters(w, "retry", *later).returncode == 0
    judge(w, [r for r in records if r.offset >= 120])
    done = letters(w, "retry", "--all")
    assert (done.returncode, done.stdout) == (0, "applied 20\n"), done.stderr
    judge(w, records)
    assert left(w) == []


def test_retry_of_a_line_of_a_file_keeps_its_place(w):
    put(w, message(1, "e", "of the file"), topic="import:old.gz", part=-1,
        offset=7, ts=None)
    assert letters(w, "retry", "--all").returncode == 0
    assert w.query("SELECT src_ts, src_part, src_offset FROM turnout.events"
                   ) == [(MTIME, -1, 7)]


def test_retry_twice_changes_nothing(w):
    records = good(10, random.Random(2))
    put_records(w, records)
    assert letters(w, "retry", "--all").returncode == 0
    before = vars(state.read(w.dsn))
    # As after a restore: they are there again.
    put_records(w, records)
    done = letters(w, "retry", "--all")
    assert (done.returncode, done.stdout) == (0, "applied 10\n")
    assert vars(state.read(w.dsn)) == before
    done = letters(w, "retry", "--all")
    assert done.returncode == 0
    assert "no dead letter" in done.stdout


def test_what_is_refused_again_stays_as_it_was(w):
    ids = put_few(w)
    put(w, neighbour(1), offset=50)
    whole = ("SELECT d::text FROM turnout.dead_letters AS d"
             " ORDER BY dead_letter_id")
    before = w.query(whole)
    done = letters(w, "retry", "--all")
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[:2] == [
        "applied 1", "still refused 3: truncated 1, missing_rsvp_id 1,"
        " nul 1"]
    assert done.stdout.splitlines()[2].startswith("cannot be retried 1")
    assert left(w) == ids
    assert w.query(whole) == before[:4]


def test_retry_takes_what_the_filters_choose(w):
    put(w, neighbour(1), "response", offset=1)
    two = put(w, neighbour(2), "syntax", offset=2)
    done = letters(w, "retry", "--reason", "response", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == {
        "applied": 1, "refused": 0, "cut": 0, "reasons": {}}
    assert left(w) == [two]


def test_a_value_that_is_not_whole_is_not_retried(w):
    one = put(w, neighbour(1), size=2000000)
    done = letters(w, "retry", "--all", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["cut"] == 1
    assert left(w) == [one]
    assert state.read(w.dsn).rsvps == {}


def test_what_the_database_refuses_stays_alone(w):
    w.query("ALTER TABLE turnout.events ADD CONSTRAINT no_seven"
            " CHECK (event_id <> 'good7')")
    ids = [put(w, neighbour(n), "response", offset=n) for n in range(20)]
    done = letters(w, "retry", "--all")
    assert done.returncode == 1
    assert done.stdout == "applied 19\nstill refused 1: db_23514 1\n"
    assert left(w) == [ids[7]]
    assert w.query("SELECT reason FROM turnout.dead_letters") == [
        ("response",)]
    assert w.query("SELECT count(*) FROM turnout.event_counts") == [(19,)]


def test_more_letters_than_a_slice_are_all_retried(w):
    """Some are refused, some are large; slices go past them."""
    large = message(1, "large", description="x" * 60000)
    put_records(w, [oracle.Record(MTIME, 0, n, large) for n in range(150)])
    w.query("INSERT INTO turnout.dead_letters (topic, part, record_offset,"
            " value, value_size, value_sha256, reason) SELECT 'rsvps', 1, n,"
            " '{', 1, sha256('{'), 'truncated' FROM generate_series(1, 1100)"
            " AS n")
    put(w, neighbour(1), part=2)
    done = letters(w, "retry", "--all")
    assert done.stdout == "applied 151\nstill refused 1100: truncated 1100\n"
    assert len(left(w)) == 1100
    assert sorted(state.read(w.dsn).rsvps) == [1, 500001]


def test_a_letter_without_a_value_hides_none_before_it(w):
    """It comes where the slice is full: what was left out is next."""
    for n in range(5):
        put(w, b"{" + b" " * 1048575, "truncated", offset=n)
    put(w, neighbour(1), "response", offset=5)
    put(w, None, "empty", offset=6)
    done = letters(w, "retry", "--all", "--json")
    told = json.loads(done.stdout)
    assert (told["applied"], told["refused"] + told["cut"]) == (1, 6)
    assert sorted(state.read(w.dsn).rsvps) == [500001]


def test_two_retries_at_the_same_time_apply_each_once(w):
    """Both have read the letters before one of them takes the first."""
    records = good(700, random.Random(3))
    ids = put_records(w, records)
    letters(w, "list")
    holder = psycopg2.connect(w.dsn)
    with holder.cursor() as cursor:
        cursor.execute("SELECT FROM turnout.dead_letters"
                       " WHERE dead_letter_id = %s FOR UPDATE", (ids[0],))
        two = [process(w, "dead-letters", "retry", "--all", "--json")
               for _ in range(2)]
        assert proc.wait_until(lambda: w.query(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type"
            " = 'Lock' AND usename = 'turnout_ingest'"
            " AND datname = current_database()") == [(2,)], 8)
    holder.rollback()
    holder.close()
    told = [one.communicate(timeout=60) for one in two]
    assert [one.returncode for one in two] == [0, 0], told
    assert sum(json.loads(out)["applied"] for out, _ in told) == 700
    assert left(w) == []
    judge(w, records)


def test_a_letter_that_somebody_has_locked_holds_up_no_daemon(w, tmp_path):
    w.query("ALTER ROLE turnout_ingest IN DATABASE " + w.name
            + " SET lock_timeout = '60s'")
    first, _ = put_records(w, good(2, random.Random(5)))
    w.command("dead-letters", "list", pg={"timeout_ms": "100000"})
    line = tmp_path / "line"
    line.write_bytes(neighbour(1))
    holder = psycopg2.connect(w.dsn)
    with holder.cursor() as cursor:
        cursor.execute("SELECT FROM turnout.dead_letters"
                       " WHERE dead_letter_id = %s FOR UPDATE", (first,))
        retry = process(w, "dead-letters", "retry", "--all")
        assert proc.wait_until(w.waiting, 8)
        done = w.command("import", "-q", str(line),
                         pg={"timeout_ms": "5000"})
        assert retry.poll() is None
    assert (done.returncode, done.stderr) == (0, "")
    holder.rollback()
    holder.close()
    assert retry.communicate(timeout=60)[0] == b"applied 2\n"
    assert left(w) == []


def test_a_letter_that_went_while_its_commit_was_lost_is_not_applied(
        w, directory):
    """The commit has not happened; somebody drops one letter before retry
    asks about it."""
    records = good(5, random.Random(6))
    ids = put_records(w, records)
    server = w.stack.postgres.host + "/.s.PGSQL.5432"
    with CommitHolder(directory, server) as proxy:
        w.command("dead-letters", "list", pg={
            "conninfo": f"host={directory} port=5432 dbname={w.name}"
            " user=turnout_ingest"})
        proxy.arm(reply=False)
        retry = process(w, "dead-letters", "retry", "--all")
        assert proxy.held.wait(10)
        dropper = psycopg2.connect(w.dsn)
        drop = threading.Thread(target=lambda: dropper.cursor().execute(
            f"DELETE FROM turnout.dead_letters WHERE dead_letter_id = {ids[0]}"
        ) or dropper.commit())
        drop.start()
        assert proc.wait_until(lambda: w.query(
            "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"), 8)
        proxy.release()
        drop.join()
        dropper.close()
        told = retry.communicate(timeout=60)
    assert (retry.returncode, told[0]) == (0, b"applied 4\n"), told
    assert left(w) == []
    judge(w, records[1:])


def test_commits_that_are_not_answered_apply_each_letter_once(w, directory):
    """One happens and its answer is lost, the next does not happen."""
    records = good(1200, random.Random(4))
    put_records(w, records)
    server = w.stack.postgres.host + "/.s.PGSQL.5432"
    with CommitLoser(directory, server, every=2) as proxy:
        done = w.command("dead-letters", "retry", "--all", pg={
            "conninfo": f"host={directory} port=5432 dbname={w.name}"
            " user=turnout_ingest"})
    assert (proxy.swallowed, proxy.lost) == (3, 2)
    assert (done.returncode, done.stdout) == (0, "applied 1200\n"), done.stderr
    assert left(w) == []
    judge(w, records)


# drop.

def test_drop_takes_what_was_chosen_and_says_how_many(w):
    ids = put_few(w)
    done = letters(w, "drop", str(ids[1]), "999")
    assert (done.returncode, done.stdout) == (0, "dropped 1\n"), done.stderr
    assert left(w) == [ids[0], ids[2], ids[3]]
    done = letters(w, "drop", "--reason", "syntax", "--until", "2026-03-02",
                   "--json")
    assert json.loads(done.stdout) == {"dropped": 1}
    assert left(w) == [ids[2], ids[3]]
    assert letters(w, "drop", "--all").stdout == "dropped 2\n"
    assert left(w) == []


def test_more_letters_than_one_statement_may_delete_are_dropped(w):
    w.query("INSERT INTO turnout.dead_letters (topic, part, record_offset,"
            " value_size, value_sha256, reason)"
            " SELECT 'rsvps', 0, n, 0, '', 'empty'"
            " FROM generate_series(1, 2500) AS n")
    w.query("CREATE FUNCTION turnout.slow() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN PERFORM pg_sleep(0.001); RETURN OLD; END $$")
    w.query("CREATE TRIGGER slow BEFORE DELETE ON turnout.dead_letters"
            " FOR EACH ROW EXECUTE FUNCTION turnout.slow()")
    done = w.command("dead-letters", "drop", "--all",
                     pg={"timeout_ms": "2000"})
    assert (done.returncode, done.stdout) == (0, "dropped 2500\n"), (
        done.stderr)
    assert left(w) == []


# What must not happen by mistake.

WRONG = [
    [], ["retire"], ["retry"], ["drop"], ["retry", "--json"],
    ["drop", "--all", "1"], ["retry", "--all", "--reason", "syntax"],
    ["retry", "x"], ["drop", "1", "2x"], ["drop", "--limit", "1", "--all"],
    ["retry", "--since", "some day"], ["list", "--since", "some day"],
    ["list", "--limit", "0"], ["list", "--colour"], ["list", "--raw"],
    ["show"], ["show", "1", "2"], ["show", "--raw", "--json", "1"]]


def test_wrong_usage_is_64_and_changes_nothing(w):
    ids = put_few(w)
    for words in WRONG:
        done = letters(w, *words)
        assert (done.returncode, done.stdout) == (64, ""), words
        assert left(w) == ids, words


def test_without_its_database_it_fails_and_says_so(w):
    done = w.command("dead-letters", "retry", "--all", pg={
        "conninfo": "host=/nonexistent dbname=turnout"})
    assert done.returncode == 69
    assert "could not connect" in done.stderr
