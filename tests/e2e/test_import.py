"""turnout-ingest import FILE..., the operator's command."""

import gzip
import hashlib
import json
import re
import shutil

import oracle
import pytest
import state
from damage import recount, start
from messages import MTIME
from stacklib import proc
from world import lines_of

GOOD = (b'{"rsvp_id":%d,"mtime":1489925470960,"response":"yes","guests":1,'
        b'"event":{"event_id":"e%d","event_name":"Picnic"},'
        b'"group":{"group_id":7,"group_name":"Walkers"}}')


@pytest.fixture
def w(database, world):
    return world(database)


def good_lines(first, count):
    return [GOOD % (n, n % 3) for n in range(first, first + count)]


def write(path, lines):
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return str(path)


def judge(w, want):
    wrong = state.differences(want, state.read(w.dsn))
    assert not wrong, "\n".join(wrong)


def test_a_capture_is_imported_as_the_oracle_reads_it(w, capture):
    known, path = capture
    done = w.command("import", "-q", path)
    assert done.returncode == 0, done.stderr
    want = oracle.state_of_file(lines_of(path))
    assert len(want.rsvps) == known.rsvps
    judge(w, want)


def test_an_import_of_many_batches_is_what_the_oracle_says(w, one_capture):
    done = w.command("import", "-q", one_capture[1],
                     batch={"max_messages": "100"})
    assert done.returncode == 0, done.stderr
    judge(w, oracle.state_of_file(lines_of(one_capture[1])))


def test_a_file_imported_twice_changes_nothing(w, one_capture):
    path = one_capture[1]
    assert w.command("import", "-q", path).returncode == 0
    before = state.read(w.dsn)
    assert w.command("import", "-q", path).returncode == 0
    after = state.read(w.dsn)
    assert vars(before) == vars(after)


def test_a_plain_file_and_its_gz_are_the_same(w, one_capture, tmp_path):
    plain = tmp_path / "plain.ndjson"
    with gzip.open(one_capture[1]) as f, open(plain, "wb") as g:
        shutil.copyfileobj(f, g)
    done = w.command("import", "-q", str(plain))
    assert done.returncode == 0, done.stderr
    judge(w, oracle.state_of_file(lines_of(str(plain))))


def test_several_files_are_imported_in_their_order(w, tmp_path):
    one = write(tmp_path / "one", good_lines(1, 5))
    two = write(tmp_path / "two", good_lines(6, 5))
    done = w.command("import", "-q", one, two)
    assert done.returncode == 0, done.stderr
    assert w.query("SELECT count(*) FROM turnout.rsvps") == [(10,)]


def test_a_last_line_without_a_newline_counts(w, tmp_path):
    path = tmp_path / "cut"
    path.write_bytes(b"\n".join(good_lines(1, 3)))
    assert w.command("import", "-q", str(path)).returncode == 0
    assert w.query("SELECT count(*) FROM turnout.rsvps") == [(3,)]


def test_an_empty_file_is_no_error(w, tmp_path):
    path = write(tmp_path / "empty", [])
    assert w.command("import", "-q", path).returncode == 0
    assert w.query("SELECT count(*) FROM turnout.rsvps") == [(0,)]


def test_a_bad_line_is_a_dead_letter_and_its_neighbours_are_applied(
        w, tmp_path):
    lines = good_lines(1, 2) + [b"not json", b"\xff\xfe"] + good_lines(3, 2)
    path = write(tmp_path / "mixed.ndjson", lines)
    done = w.command("import", "-q", path)
    assert done.returncode == 0, done.stderr
    have = state.read(w.dsn)
    assert sorted(have.rsvps) == [1, 2, 3, 4]
    assert [(b[0], b[1], bytes(b[3]), b[4]) for b in have.bad] == [
        (-1, 2, b"not json", "import:mixed.ndjson"),
        (-1, 3, b"\xff\xfe", "import:mixed.ndjson")]
    judge(w, oracle.state_of_file(lines))


def test_bad_lines_are_not_doubled_by_a_second_import(w, tmp_path):
    path = write(tmp_path / "bad", [b"{", b"["])
    for _ in range(2):
        assert w.command("import", "-q", path).returncode == 0
    assert w.query("SELECT count(*) FROM turnout.dead_letters") == [(2,)]


def test_the_count_of_lines_is_kept(w, tmp_path):
    path = write(tmp_path / "seven", good_lines(1, 7))
    assert w.command("import", "-q", path).returncode == 0
    [(file, lines, finished)] = w.query(
        "SELECT file, lines, finished_at FROM turnout.imports")
    assert (file.rpartition("/")[2], lines) == ("seven", 7)
    assert finished is not None


@pytest.mark.parametrize("what", ["missing", "directory", "unreadable"])
def test_a_file_that_cannot_be_read_is_named(w, tmp_path, what):
    path = tmp_path / "nothing"
    if what == "directory":
        path.mkdir()
    if what == "unreadable":
        path.symlink_to(path)
    done = w.command("import", "-q", str(path))
    assert done.returncode == 1, done.stderr
    assert "nothing" in done.stderr


def test_a_truncated_gz_fails_and_says_so(w, tmp_path):
    whole = gzip.compress(b"".join(
        line + b"\n" for line in good_lines(1, 2000)))
    path = tmp_path / "cut.gz"
    path.write_bytes(whole[:len(whole) // 2])
    done = w.command("import", "-q", str(path))
    assert done.returncode == 1, done.stderr
    assert "cut.gz" in done.stderr


def test_a_gz_that_is_damaged_fails_and_says_so(w, tmp_path):
    whole = bytearray(gzip.compress(b"".join(
        line + b"\n" for line in good_lines(1, 2000))))
    whole[len(whole) // 2] ^= 0xff
    path = tmp_path / "bent.gz"
    path.write_bytes(whole)
    done = w.command("import", "-q", str(path))
    assert done.returncode == 1, done.stderr
    assert "bent.gz" in done.stderr


def test_import_without_a_file_is_wrong_usage(w):
    done = w.command("import")
    assert done.returncode == 64
    assert re.search(r"(?i)usage|file", done.stderr)


def test_an_import_without_its_database_fails(w, tmp_path):
    path = write(tmp_path / "some", good_lines(1, 1))
    done = w.command("import", "-q", path, pg={
        "conninfo": "host=/nonexistent dbname=turnout", "timeout_ms": "1000"})
    assert done.returncode == 1
    assert done.stderr


def test_a_file_that_cannot_be_read_leaves_the_next_one_alone(w, tmp_path):
    path = write(tmp_path / "seven", good_lines(1, 7))
    done = w.command("import", "-q", str(tmp_path / "nothing"), path)
    assert done.returncode == 1, done.stderr
    assert w.query("SELECT file, lines, finished_at IS NOT NULL"
                   " FROM turnout.imports") == [("seven", 7, True)]


def test_a_long_line_is_measured_whole(w, tmp_path):
    """Of its value 1 MiB is kept, as of one from Kafka."""
    line = b'{"a":"' + b"x" * (3 << 20) + b'"}'
    path = write(tmp_path / "long", good_lines(1, 1) + [line])
    done = w.command("import", "-q", path)
    assert done.returncode == 0, done.stderr
    [(kept, size, digest)] = w.query(
        "SELECT octet_length(value), value_size, value_sha256"
        " FROM turnout.dead_letters")
    assert (kept, size) == (1 << 20, len(line))
    assert bytes(digest) == hashlib.sha256(line).digest()
    done = w.command("dead-letters", "retry", "--all", "--json")
    assert json.loads(done.stdout)["cut"] == 1, done.stdout


def test_a_line_that_never_ends_ends_the_import(w, tmp_path):
    path = write(tmp_path / "endless",
                 good_lines(1, 2) + [b"x" * ((16 << 20) + 1)])
    done = w.command("import", "-q", path)
    assert done.returncode == 1
    assert "line 3 is longer than 16777216 bytes" in done.stderr
    assert sorted(state.read(w.dsn).rsvps) == [1, 2]


@pytest.fixture
def lazy(database):
    """What nobody waits for PostgreSQL writes late."""
    database.postgres.psql("ALTER SYSTEM SET wal_writer_delay = '10s'")
    database.postgres.psql("SELECT pg_reload_conf()")
    yield database.postgres
    database.postgres.psql("ALTER SYSTEM RESET wal_writer_delay")
    database.postgres.psql("SELECT pg_reload_conf()")


def test_what_an_import_says_is_done_a_crash_does_not_take_back(
        lazy, w, tmp_path):
    path = write(tmp_path / "some", good_lines(1, 500) + [b"bad"])
    done = w.command("import", "-q", path)
    assert done.returncode == 0, done.stderr
    lazy.restart("crash")
    assert w.query("SELECT count(*) FROM turnout.rsvps") == [(500,)]
    assert w.query("SELECT count(*) FROM turnout.dead_letters") == [(1,)]
    assert w.query("SELECT lines, finished_at IS NOT NULL"
                   " FROM turnout.imports") == [(501, True)]


def test_an_import_whose_last_lines_a_crash_took_back_fails(w, tmp_path):
    """The row has fewer lines than were stored."""
    w.query("CREATE FUNCTION turnout.lose() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN NEW.lines := 0; RETURN NEW; END $$")
    w.query("CREATE TRIGGER lose BEFORE UPDATE ON turnout.imports"
            " FOR EACH ROW EXECUTE FUNCTION turnout.lose()")
    done = w.command("import", "-q", write(tmp_path / "x", good_lines(1, 5)))
    assert done.returncode == 1
    assert "import it again" in done.stderr
    assert w.query("SELECT finished_at FROM turnout.imports") == [(None,)]


@pytest.mark.parametrize("guests", [0, 3])
def test_a_counter_that_is_too_low_is_blamed_on_no_line(
        w, start, tmp_path, guests):
    """It would come to less than nothing: until a recount, they wait."""
    def lines(response, mtime):
        return [b'{"rsvp_id":%d,"mtime":%d,"response":"%s","guests":%d,'
                b'"event":{"event_id":"E","event_name":"Picnic"},'
                b'"group":{"group_id":7,"group_name":"Walkers"}}'
                % (n, mtime, response, guests)
                for n in (1, 2)]

    first, then = lines(b"yes", MTIME), lines(b"no", MTIME + 5000)
    done = w.command("import", "-q", write(tmp_path / "yes", first))
    assert done.returncode == 0, done.stderr
    w.query("UPDATE turnout.event_counts SET rsvps = 1, headcount = 1")
    second = start(w, "import", "-q", write(tmp_path / "no", then))
    told = second.stderr.readline()
    assert "a counter is wrong: turnout-ingest recount mends it" in told
    assert recount(w)[0] == 0
    assert second.wait(60) == 0, second.stderr.read()
    assert w.query("SELECT count(*) FROM turnout.dead_letters") == [(0,)]
    assert w.query("SELECT response, count(*) FROM turnout.rsvps"
                   " GROUP BY 1") == [("no", 2)]
    assert w.query("SELECT count(*) FROM turnout.event_counts") == [(0,)]


def test_progress_is_plain_lines_where_no_terminal_is(w, tmp_path):
    path = write(tmp_path / "some", good_lines(1, 500))
    done = w.command("import", path)
    assert done.returncode == 0
    assert "\r" not in done.stdout + done.stderr
    assert "500" in done.stdout + done.stderr
