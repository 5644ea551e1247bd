"""turnout-ingest offsets show and set, and a partition that is stopped."""

import json
import re
import shlex
import signal
import time

import pytest
from admin import delete_before, delete_topic
from kafka import out
from messages import neighbour
from stacklib import proc

NOTHING = {"cluster_id": None, "last_offset": None, "low": None,
           "high": None, "lag": None, "lag_seconds": None}


def offsets(w, *words):
    """The command, with the brokers of the world."""
    return w.command("offsets", *words, kafka={"brokers": w.brokers})


def shown(w, status=0):
    done = offsets(w, "show", "--json")
    assert done.returncode == status, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def fed(w, count=10):
    """A world whose daemon has applied some records and is gone."""
    ingest = w.ingest()
    w.produce([out(neighbour(n)) for n in range(count)])
    ingest.stop()
    return ingest


def changes(w):
    return w.query("SELECT topic, part, old_offset, new_offset, reason,"
                   " changed_by FROM turnout.offset_changes"
                   " ORDER BY change_id")


# show.

def test_show_of_what_is_read_to_the_end(kafka, world):
    w = world(kafka, partitions=2)
    fed(w)
    cluster = w.query("SELECT DISTINCT cluster_id FROM turnout.ingest_offsets"
                      " WHERE part = 0")[0][0]
    zero, one = shown(w)
    assert zero == {
        "topic": w.name, "part": 0, "next_offset": 10, "last_offset": 9,
        "low": 0, "high": 10, "lag": 0, "lag_seconds": 0,
        "cluster_id": cluster, "state": "ok"}
    assert (one["next_offset"], one["high"], one["state"]) == (0, 0, "ok")


def test_show_tells_how_far_behind_in_messages_and_seconds(kafka, world):
    w = world(kafka)
    fed(w)
    before = int(time.time() * 1000)
    w.produce([out(neighbour(20), ts=before - 100000),
               out(neighbour(21), ts=before - 50000)], wait=False)
    row, = shown(w)
    assert (row["lag"], row["state"]) == (2, "ok")
    most = 100 + (time.time() * 1000 - before) / 1000
    assert 100 <= row["lag_seconds"] <= most


def test_show_is_a_table(kafka, world):
    w = world(kafka)
    fed(w)
    done = offsets(w, "show")
    assert done.returncode == 0, done.stderr
    head, line = done.stdout.splitlines()
    assert head.split() == [
        "topic", "part", "next_offset", "last_offset", "low", "high", "lag",
        "lag_seconds", "cluster_id", "state"]
    assert line.split()[:4] == [w.name, "0", "10", "9"]


def test_show_of_a_topic_that_was_never_read(kafka, world):
    w = world(kafka, partitions=2)
    assert [(row["part"], row["next_offset"], row["high"], row["state"])
            for row in shown(w)] == [(0, None, 0, "no row yet"),
                                     (1, None, 0, "no row yet")]


def test_show_goes_on_where_only_the_last_record_is_gone(kafka, world):
    """Retention took what was applied; nothing is lost."""
    w = world(kafka)
    fed(w)
    w.produce([out(neighbour(20))], wait=False)
    delete_before(w.brokers, w.name, 10)
    row, = shown(w)
    assert (row["low"], row["lag"], row["state"]) == (10, 1, "ok")


def test_show_without_the_brokers_has_what_is_stored(database, world):
    w = world(database)
    w.query("INSERT INTO turnout.ingest_offsets (topic, part, next_offset)"
            " VALUES (%s, 0, 42)", w.name)
    begin = time.monotonic()
    done = w.command("offsets", "show", "--json")
    assert time.monotonic() - begin < 12
    assert done.returncode == 69
    assert json.loads(done.stdout) == {
        "topic": w.name, "part": 0, "next_offset": 42, **NOTHING,
        "state": "not known: Kafka did not answer"}
    assert len(done.stderr.splitlines()) == 1
    assert "could not ask Kafka" in done.stderr
    assert "127.0.0.1:1" in done.stderr


# A partition that is stopped.

def gone(w):
    w.produce([out(neighbour(n)) for n in range(10, 40)], wait=False)
    delete_before(w.brokers, w.name, 30)


def stopped_line(ingest):
    """The only one."""
    line, = [line for line in ingest.logged_lines()
             if " error: stopped " in line]
    return line


def why_stopped(w):
    (why,), = w.query("SELECT stopped_why FROM turnout.ingest_offsets")
    return why


def update(sql):
    return lambda w: w.query(f"UPDATE turnout.ingest_offsets SET {sql}")


@pytest.mark.parametrize("fault, why, to", [
    (gone, "at offset 10: the log begins at 30: records 10 to 29 are gone",
     "low"),
    (update("next_offset = 1000, last_offset = 999"),
     "at offset 1000: the log ends at 10, before it: it was cut, or the topic"
     " was made anew", "low"),
    (update("last_crc = last_crc # 1"),
     "at offset 10: record 9 is not the one that was applied: the topic was"
     " made anew, or its log was cut", "low"),
    (update("cluster_id = 'another'"),
     "at offset 10: it belongs to Kafka cluster another, and this is", "low"),
], ids=["log-start-moved", "log-cut", "another-record", "another-cluster"])
def test_a_stopped_partition_goes_on_with_the_command_that_it_tells(
        kafka, world, fault, why, to):
    w = world(kafka)
    ingest = fed(w)
    fault(w)
    stored, = w.stored().values()
    row, = shown(w, status=1)
    assert row["state"].startswith("stopped: " + why.partition(": ")[2])
    ingest.start()
    assert proc.wait_until(lambda: ingest.logged(" error: stopped "), 20)
    said = stopped_line(ingest)
    assert f"stopped {w.name}[0] {why}" in said
    # One line has both: what happened, and what continues.
    assert row["state"].partition(": ")[2] == said.partition(
        f"at offset {stored}: ")[2]
    assert proc.wait_until(lambda: why_stopped(w) == said.partition(
        f"at offset {stored}: ")[2], 10)
    command = said.partition("; continue with: turnout-ingest ")[2]
    assert command == (f"offsets set --partition 0 --expect {stored}"
                       f" --to {to} --reason '...'")
    w.produce([out(neighbour(50))], wait=False)
    assert w.stored() == {0: stored}
    done = offsets(w, *shlex.split(command)[1:])
    assert done.returncode == 0, done.stderr
    w.wait_stored(w.ends(), patience=20)
    assert ingest.metrics()["turnout_ingest_partitions_stopped"] == 0
    assert why_stopped(w) is None
    low = 30 if fault is gone else 0
    assert changes(w) == [(w.name, 0, stored, low, "...", "turnout_ingest")]
    have = {row[0] for row in w.query("SELECT rsvp_id FROM turnout.rsvps")}
    kept = set(range(10)) | ({50} | set(range(30, 40)) if fault is gone
                             else {50})
    assert have == {500000 + n for n in kept}
    assert w.query("SELECT last_offset IS NOT NULL, cluster_id <> 'another'"
                   " FROM turnout.ingest_offsets") == [(True, True)]


def test_a_row_tells_what_stops_its_partition_now(kafka, world):
    w = world(kafka)
    ingest = fed(w)
    for change, why in (
            ("last_crc = last_crc # 1", "record 9 is not the one"),
            ("cluster_id = 'another'", "it belongs to Kafka cluster another")):
        w.query(f"UPDATE turnout.ingest_offsets SET {change}")
        ingest.start()
        assert proc.wait_until(
            lambda w=w, why=why: (why_stopped(w) or "").startswith(why), 20)
        assert ingest.stop()


def test_records_that_go_from_under_a_daemon_stop_it_where_it_is_stored(
        kafka, world):
    """It has read on since it began: its place then is not the one to tell."""
    w = world(kafka)
    # What the broker may still answer to, it answers before there is more.
    ingest = w.ingest(rdkafka={"fetch.wait.max.ms": "1"})
    w.produce([out(neighbour(n)) for n in range(10)])
    ingest.signal(signal.SIGSTOP)
    try:
        gone(w)
    finally:
        ingest.signal(signal.SIGCONT)
    assert proc.wait_until(lambda: ingest.logged(" error: stopped "), 20)
    assert "at offset 10: the log begins at 30: records 10 to 29 are gone" in (
        stopped_line(ingest))
    assert w.stored() == {0: 10}
    done = offsets(w, "set", "--partition", "0", "--expect", "10", "--to",
                   "30", "--reason", "they are lost")
    assert done.returncode == 0, done.stderr
    w.wait_stored({0: 40}, patience=20)


# set.

def test_set_moves_a_partition_under_a_daemon_that_runs(kafka, world):
    """Its next batch or heartbeat is fenced, and it reads its place."""
    w = world(kafka)
    ingest = w.ingest()
    w.produce([out(neighbour(n)) for n in range(10)])
    messages = "turnout_ingest_messages_total"
    assert proc.wait_until(lambda: ingest.metrics()[messages] == 10, 20)
    done = offsets(w, "set", "--partition", "0", "--expect", "10", "--to",
                   "low", "--reason", "once more")
    assert done.returncode == 0, done.stderr
    assert proc.wait_until(lambda: ingest.metrics()[messages] == 20, 20)
    w.wait_stored({0: 10})
    w.judge()


def test_set_keeps_who_and_why_and_forgets_the_fingerprint(database, world):
    w = world(database)
    w.query("INSERT INTO turnout.ingest_offsets VALUES"
            " (%s, 3, 42, 'c', 41, 1, 2, 50, now(), 'gone')", w.name)
    done = w.command("offsets", "set", "--partition", "3", "--expect", "42",
                     "--to", "7", "--reason", "it's \"me\"", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]{12}Z",
                        told.pop("changed_at"))
    assert told.pop("login")
    assert told == {
        "change_id": 1, "changed_by": "turnout_ingest", "topic": w.name,
        "part": 3, "old_offset": 42, "new_offset": 7,
        "reason": "it's \"me\""}
    assert changes(w) == [(w.name, 3, 42, 7, "it's \"me\"",
                           "turnout_ingest")]
    assert w.query("SELECT * FROM turnout.ingest_offsets") == [
        (w.name, 3, 7, None, None, None, None, None, None, None)]


@pytest.mark.parametrize("expect", ["41", "none"])
def test_set_with_another_expectation_changes_nothing(
        database, world, expect):
    w = world(database)
    w.query("INSERT INTO turnout.ingest_offsets VALUES"
            " (%s, 0, 42, 'c', 41, 1, 2, 50, '2026-01-01')", w.name)
    before = w.query("SELECT * FROM turnout.ingest_offsets")
    done = w.command("offsets", "set", "--partition", "0", "--expect", expect,
                     "--to", "7", "--reason", "x")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"is 42, not {expect}; nothing was changed" in done.stderr
    assert w.query("SELECT * FROM turnout.ingest_offsets") == before
    assert changes(w) == []


def test_set_makes_a_row_where_none_is(database, world):
    w = world(database)
    words = ["offsets", "set", "--partition", "2", "--to", "7", "--reason",
             "x", "--topic", "other"]
    done = w.command(*words, "--expect", "0")
    assert done.returncode == 1
    assert "is none, not 0" in done.stderr
    assert w.command(*words, "--expect", "none").returncode == 0
    assert w.query("SELECT topic, part, next_offset"
                   " FROM turnout.ingest_offsets") == [("other", 2, 7)]
    assert changes(w) == [("other", 2, None, 7, "x", "turnout_ingest")]


def test_set_to_high_is_the_end_that_the_brokers_have(kafka, world):
    w = world(kafka)
    fed(w)
    w.produce([out(neighbour(n)) for n in range(5)], wait=False)
    done = offsets(w, "set", "--partition", "0", "--expect", "10", "--to",
                   "high", "--reason", "skip them")
    assert done.returncode == 0, done.stderr
    assert w.stored() == {0: 15}
    done = offsets(w, "set", "--partition", "7", "--expect", "none", "--to",
                   "low", "--reason", "x")
    assert done.returncode == 1
    assert "no such partition; nothing was changed" in done.stderr


def test_set_to_low_without_the_brokers_changes_nothing(database, world):
    w = world(database)
    done = w.command("offsets", "set", "--partition", "0", "--expect", "none",
                     "--to", "low", "--reason", "x")
    assert done.returncode == 69
    assert "nothing was changed" in done.stderr
    assert w.stored() == {}


SET = ["--partition=0", "--expect=none", "--to=1", "--reason=x"]
WRONG = [
    *[["set", *SET[:n], *SET[n + 1:]] for n in range(4)],
    [], ["shew"], ["show", "0"], ["show", "--all"],
    ["set", "--partition=-1", "--expect=none", "--to=1", "--reason=x"],
    ["set", "--partition=0", "--expect=none", "--to=-1", "--reason=x"],
    ["set", "--partition=0", "--expect=none", "--to=middle", "--reason=x"],
    ["set", "--partition=0", "--expect=?", "--to=1", "--reason=x"],
    ["set", "--partition=0", "--expect=none", "--to=1", "--reason="],
    ["set", *SET, "y"]]


def test_wrong_usage_is_64_and_changes_nothing(database, world):
    w = world(database)
    for words in WRONG:
        done = w.command("offsets", *words)
        assert (done.returncode, done.stdout) == (64, ""), words
        assert w.stored() == {}, words


def test_a_topic_made_anew_under_the_daemon_is_not_read_on(kafka, world):
    """Not even when it has more records by then than were read of the old
    one: without another look at the last of these, the first would be taken
    for read."""
    w = world(kafka)
    ingest = w.ingest()
    w.produce([out(neighbour(n)) for n in range(10)])
    delete_topic(w.brokers, w.name)
    assert proc.wait_until(lambda: ingest.metrics()[
        "turnout_ingest_end_age_seconds"] > 2, 20)
    kafka.broker.make_topic(w.name, 1)
    w.produce([out(neighbour(n)) for n in range(50, 80)], wait=False)
    assert proc.wait_until(lambda: ingest.logged(" error: stopped "), 30)
    assert w.stored() == {0: 10}
    assert "record 9 is not the one that was applied" in stopped_line(ingest)


def test_a_topic_made_anew_while_the_daemon_sleeps_is_not_read_on(
        kafka, world):
    """Nor when no answer told it: the broker and the connection are the same,
    and there is an end above the place where it reads."""
    w = world(kafka)
    # What the broker may still answer to, it answers before the topic goes.
    ingest = w.ingest(rdkafka={"fetch.wait.max.ms": "1"})
    w.produce([out(neighbour(n)) for n in range(10)])
    ingest.signal(signal.SIGSTOP)
    asleep = time.monotonic()
    try:
        delete_topic(w.brokers, w.name)
        kafka.broker.make_topic(w.name, 1)
        w.produce([out(neighbour(n)) for n in range(50, 80)], wait=False)
        assert proc.wait_until(lambda: time.monotonic() > asleep + 1.5, 3)
    finally:
        ingest.signal(signal.SIGCONT)
    assert proc.wait_until(lambda: ingest.logged(" error: stopped "), 20), (
        w.stored(), ingest.logged_lines())
    assert w.stored() == {0: 10}
    assert "record 9 is not the one that was applied" in stopped_line(ingest)
