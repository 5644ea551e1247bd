"""turnout-ingest audit and recount that go on: a watch, signals, PostgreSQL
away; and wrong usage."""

import json
import signal
import time

import psycopg2
import pytest
from damage import (OFFSET, REPAIRABLE, T0, WAITING, audit, damage,
                    full, recount, start, w, wait_for_a_lock)


def round_of(watch):
    return json.loads(watch.stdout.readline())


def end(process, how=signal.SIGTERM):
    process.send_signal(how)
    out, err = process.communicate(timeout=10)
    return process.returncode, out, err


def test_a_watch_that_found_nothing_ends_with_0(full, start):
    watch = start(full, "audit", "--watch", "--json")
    for _ in range(2):
        one = round_of(watch)
        assert (one["rsvps"] > 0, one["differences"]) == (True, 0)
    assert end(watch) == (0, "", "")


def test_a_watch_sees_damage_and_its_end_and_ends_with_1(full, start):
    watch = start(full, "audit", "--watch", "--json")
    assert round_of(watch)["differences"] == 0
    damage(full, REPAIRABLE["a count too high"][1])
    wrong = round_of(watch)
    assert wrong["check"] == "counts"
    assert wrong["first"][0]["row"] == {"event_id": full.event}
    assert round_of(watch)["differences"] == 1
    assert recount(full)[0] == 0
    while "check" in (one := round_of(watch)) or one["differences"]:
        pass
    assert end(watch, signal.SIGINT)[0] == 1


def test_a_watch_sees_an_offset_that_goes_back(full, start):
    full.query(OFFSET % 4)
    watch = start(full, "audit", "--watch", "--json")
    assert round_of(watch)["differences"] == 0
    with psycopg2.connect(full.dsn) as connection:
        with connection.cursor() as cursor:  # one transaction: it was told
            cursor.execute("UPDATE turnout.ingest_offsets SET next_offset = 4,"
                           " last_offset = NULL")
            cursor.execute(
                "INSERT INTO turnout.offset_changes (topic, part, new_offset,"
                " reason) VALUES ('t', 3, 4, 'r')")
    connection.close()
    assert round_of(watch)["differences"] == 0
    full.query("UPDATE turnout.ingest_offsets SET next_offset = 3")
    wrong = round_of(watch)
    assert wrong["check"] == "offsets_back"
    assert wrong["first"] == [{
        "row": {"topic": "t", "part": 3},
        "expected": {"next_offset": "4 or more"},
        "found": {"next_offset": 3}}]
    assert end(watch)[0] == 1


def test_a_watch_outlives_a_restart_of_postgresql(full, start):
    watch = start(full, "audit", "--watch", "--json")
    round_of(watch)
    full.stack.postgres.restart()
    for _ in range(2):
        assert round_of(watch)["differences"] == 0
    status, _, err = end(watch)
    assert status == 0
    assert "asking again each second" in err
    assert "PostgreSQL is back" in err


@pytest.mark.parametrize("words", [["audit"], ["recount"],
                                   ["audit", "--watch"]])
def test_a_signal_ends_the_wait_for_a_statement(full, start, words):
    with psycopg2.connect(full.dsn) as connection:
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE turnout.event_counts")
            process = start(full, *words)
            wait_for_a_lock(full)
            begin = time.monotonic()
            assert end(process)[0] == 69  # nothing was compared
            assert time.monotonic() - begin < 4
            assert full.query(WAITING) == [], "its statement goes on"
    connection.close()


def test_a_recount_that_was_killed_is_started_again(w, start):
    w.query("INSERT INTO turnout.rsvps (rsvp_id, event_id, mtime_ms, response)"
            " SELECT n, 'e' || n, %s, 'yes'"
            " FROM generate_series(1, 30000) AS n", T0)
    w.query("UPDATE turnout.event_counts SET headcount = headcount + 1")
    process = start(w, "recount", "--json")
    process.stdout.readline()
    process.kill()
    assert process.wait(10) == -signal.SIGKILL
    left = recount(w, "--verify")[2]["counts"]
    assert 0 < left < 30000
    assert recount(w)[2]["counts"] <= left  # a last slice may come after
    assert "counts" not in audit(w)[1]


@pytest.mark.parametrize("words", [["audit"], ["recount"]])
def test_without_its_database_a_command_says_so(w, words):
    done = w.command(*words, pg={
        "conninfo": "host=/nonexistent dbname=turnout", "timeout_ms": "1000"})
    assert done.returncode == 69
    assert "PostgreSQL: " in done.stderr and done.stdout == ""


@pytest.mark.parametrize("words", [
    ["audit", "more"], ["audit", "--frobnicate"],
    ["audit", "--interval", "0"], ["audit", "--interval", "x"],
    ["recount", "more"], ["recount", "--event"], ["recount", "--since"],
    ["recount", "--event", "e", "--since", "2017-03-19"]])
def test_wrong_usage(w, words):
    done = w.command(*words)
    assert done.returncode == 64
    assert "usage: " in done.stderr


@pytest.mark.parametrize("time", ["", "soon", "2017-02-30", "19.3.x"])
def test_a_time_that_is_none_is_wrong_usage(w, time):
    done = w.command("recount", "--since", time)
    assert done.returncode == 64
    assert "SQLSTATE 22" in done.stderr
