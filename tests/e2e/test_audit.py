"""turnout-ingest audit and recount: damage is found, and repaired."""

import random
import threading
import time

import psycopg2
import pytest
from damage import (DAY, GHOST, LETTER, LOCK, OFFSET, OTHER, REPAIRABLE, T0,
                    UNSEEN, audit, counters, damage, full, recount, start, w,
                    wait_for_a_lock)
from psycopg2.extras import execute_values


def test_a_clean_database_is_all_right(full):
    done = full.command("audit")
    assert done.returncode == 0, done.stdout + done.stderr
    checks = [line.split() for line in done.stdout.splitlines()]
    assert [c[0] for c in checks[:-1]] == [
        "counts", "days", "bounds", "rsvps", "offsets", "dead_letters"]
    assert all(c[4:] == ["0", "differences"] for c in checks[:-1])
    [(n,)] = full.query("SELECT count(*) FROM turnout.rsvps")
    assert f" {n} RSVPs, 0 differences" in done.stdout
    assert done.stderr == ""


def test_an_empty_database_is_all_right(w):
    assert audit(w) == (0, {})
    for words in ([], ["--since", "2017-03-19"]):
        status, lines, last = recount(w, *words)
        assert (status, lines) == (0, []) and last.pop("ms") >= 0
        assert last == {"events": 0, "counts": 0, "days": 0,
                        "repaired": True}


def test_a_recount_of_what_is_right_writes_nothing(full):
    before = full.query("SELECT xmin::text, ctid::text, *"
                        " FROM turnout.event_counts ORDER BY event_id")
    status, lines, last = recount(full)
    assert (status, lines) == (0, [])
    assert last["events"] == len(before) > 0
    assert (last["counts"], last["days"]) == (0, 0)
    assert before == full.query("SELECT xmin::text, ctid::text, * FROM"
                                " turnout.event_counts ORDER BY event_id")


# Damage.

@pytest.mark.parametrize("what", REPAIRABLE)
def test_damage_is_found_and_repaired(full, what):
    name, sql = REPAIRABLE[what]
    before = counters(full)
    damage(full, sql)
    victim = GHOST if "ghost" in sql else full.event
    status, wrong = audit(full)
    assert status == 1 and name in wrong, wrong
    assert {d["row"]["event_id"] for d in wrong[name]["first"]} == {victim}
    told = full.command("audit")
    assert told.returncode == 1 and f"event_id {victim}" in told.stdout

    spoilt = counters(full)
    status, lines, last = recount(full, "--verify")
    assert status == 1 and last["repaired"] is False
    assert {d["row"]["event_id"] for d in lines} == {victim}
    assert counters(full) == spoilt

    again = recount(full)
    assert again[0] == 0 and again[1] == lines
    assert audit(full) == (0, {})
    assert recount(full, "--verify")[0] == 0
    if "unseen" not in what:
        assert counters(full) == before


@pytest.mark.parametrize("what", OTHER)
def test_other_damage_is_found(full, what):
    sql, name, said = OTHER[what]
    damage(full, sql)
    done = full.command("audit")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    [at] = [n for n, line in enumerate(lines) if line.startswith(name + " ")]
    assert "expected" in lines[at + 1]
    assert said in lines[at + 1].partition("found")[2], done.stdout


def test_a_dead_letter_from_before_an_offset_was_set_back_is_no_fault(full):
    full.query(OFFSET % 4 + ";" + LETTER % 7)
    assert audit(full)[0] == 1
    full.query("INSERT INTO turnout.offset_changes"
               " (topic, part, new_offset, reason) VALUES ('t', 3, 5, 'r')")
    assert audit(full) == (0, {})
    full.query(LETTER % 6)
    assert audit(full)[1]["dead_letters"]["differences"] == 1


def test_of_many_differences_the_first_ten_are_told(full):
    full.query("UPDATE turnout.event_counts SET headcount = headcount + 1")
    [(n,)] = full.query("SELECT count(*) FROM turnout.event_counts")
    ids = [e for e, in full.query("SELECT event_id FROM turnout.event_counts"
                                  " ORDER BY 1 LIMIT 10")]
    counts = audit(full)[1]["counts"]
    assert counts["looked_at"] == counts["differences"] == n > 10
    assert [d["row"]["event_id"] for d in counts["first"]] == ids
    first = counts["first"][0]
    assert first["found"]["headcount"] == first["expected"]["headcount"] + 1
    assert f"\n  and {n - 10} more\n" in full.command("audit").stdout
    assert recount(full)[2]["counts"] == n


def test_an_id_cannot_write_to_the_terminal(full):
    full.query("INSERT INTO turnout.event_counts VALUES (%s, 1, 1,"
               " '2017-03-19', '2017-03-19')", "\x1b[2Jx\ny")
    for word in ("audit", "recount"):
        done = full.command(word)
        assert "\x1b" not in done.stdout and "?[2Jx?y" in done.stdout


# Some of it.

def test_one_event_is_repaired_and_no_other(full):
    full.query("UPDATE turnout.event_counts SET rsvps = rsvps + 1,"
               " headcount = headcount + 1")
    status, lines, last = recount(full, "--event", full.event)
    assert (status, last["events"], last["counts"]) == (0, 1, 1)
    assert [d["row"] for d in lines] == [{"event_id": full.event}]
    [(n,)] = full.query("SELECT count(*) FROM turnout.event_counts")
    assert audit(full)[1]["counts"]["differences"] == n - 1


ROW = ("INSERT INTO turnout.rsvps (rsvp_id, event_id, mtime_ms, response)"
       " VALUES (%s, %s, %s, %s)")


@pytest.mark.parametrize("since", [
    "2017-03-19", "2017-03-19T00:00:00Z", "2017-03-19 01:00+01",
    "2017-03-19T00:00"])
def test_since_repairs_what_changed_since(w, since):
    for row in ((1, "old", T0 - 1, "yes"), (2, "new", T0, "yes"),
                (3, "gone", T0 - DAY, "yes"), (4, "day", T0 - 9 * DAY, "yes")):
        w.query(ROW, *row)
    w.query(UNSEEN + "UPDATE turnout.rsvps SET response = 'no',"
            " mtime_ms = %s WHERE rsvp_id = 3", T0 + 5)
    w.query("INSERT INTO turnout.event_days"
            " VALUES ('day', '2017-03-19', 1, 1)")
    w.query("UPDATE turnout.event_counts SET headcount = 9"
            " WHERE event_id IN ('old', 'new')")
    status, lines, last = recount(w, "--verify", "--since", since)
    assert status == 1 and last["events"] == 3
    assert {d["row"]["event_id"] for d in lines} == {"new", "gone", "day"}
    assert recount(w, "--since", since)[0] == 0
    left = audit(w)[1]
    assert {d["row"]["event_id"] for d in left["counts"]["first"]} == {"old"}
    assert "days" not in left


def test_more_events_than_a_slice_are_all_looked_at(w):
    w.query("INSERT INTO turnout.rsvps (rsvp_id, event_id, mtime_ms, response)"
            " SELECT n, 'e' || n %% 2500, %s, 'yes'"
            " FROM generate_series(1, 5000) AS n", T0)
    w.query("UPDATE turnout.event_days SET headcount = headcount + 1")
    w.query("DELETE FROM turnout.event_counts")
    for words in (["--verify"], ["--since", "2017-03-19"]):
        status, lines, last = recount(w, *words)
        assert (last["events"], last["counts"], last["days"]) == (
            2500, 2500, 2500)
        assert len({d["row"]["event_id"] for d in lines}) == 2500
    assert "counts" not in audit(w)[1] and "days" not in audit(w)[1]


# Beside others.

class Writers:
    """with Writers(w): several write RSVPs as the daemons do."""

    UPSERT = ("INSERT INTO turnout.rsvps AS r"
              " (rsvp_id, event_id, mtime_ms, response, guests) VALUES %s"
              " ON CONFLICT (rsvp_id) DO UPDATE SET"
              " event_id = excluded.event_id, mtime_ms = excluded.mtime_ms,"
              " response = excluded.response, guests = excluded.guests")

    def __init__(self, w, seed, count=3):
        self.w, self.seed, self.faults = w, seed, []
        self.batches = 0
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(n,))
                        for n in range(count)]

    def run(self, number):
        dice = random.Random(f"{self.seed} {number}")
        try:
            connection = psycopg2.connect(self.w.conninfo("turnout_ingest"))
            with connection.cursor() as cursor:
                while not self.over.is_set():
                    rows = {n: (n, f"e{dice.randrange(40)}",
                                T0 + dice.randrange(-2 * DAY, 2 * DAY),
                                dice.choice(["yes", "yes", "no"]),
                                dice.choice([None, 0, 3]))
                            for n in dice.sample(range(2000), 60)}
                    execute_values(cursor, self.UPSERT,
                                   [rows[n] for n in sorted(rows)])
                    time.sleep(dice.random() * 0.003)
                    connection.commit()
                    self.batches += 1
            connection.close()
        except psycopg2.Error as why:
            self.faults.append(why)

    def __enter__(self):
        self.w.query("INSERT INTO turnout.events (event_id, group_id,"
                     " content_hash, src_ts, src_part, src_offset)"
                     " SELECT 'e' || n, 1, 1, 1, 1, 1"
                     " FROM generate_series(0, 39) AS n"
                     " ON CONFLICT DO NOTHING")
        for thread in self.threads:
            thread.start()
        deadline = time.monotonic() + 20
        while self.batches < 20 and time.monotonic() < deadline:
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        assert not self.faults and self.batches >= 20


def test_audits_beside_writers_find_nothing(w, dice):
    beside = 0  # audits while which a batch was committed
    with Writers(w, dice.random()) as writers:
        for _ in range(12):
            before = writers.batches
            assert audit(w) == (0, {})
            beside += writers.batches > before
    # Not each: one is over in less time than a busy machine needs for a batch.
    assert beside > 6, "the audit blocks writers"


def test_all_checks_see_one_snapshot(full, start):
    connection = psycopg2.connect(full.dsn)
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE turnout.event_days")
        process = start(full, "audit", "--json")
        wait_for_a_lock(full)  # the check of the counts is behind it
        cursor.execute("UPDATE turnout.event_days SET headcount ="
                       " headcount + 1")
    connection.commit()
    connection.close()
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, out + err
    assert audit(full)[0] == 1


def test_a_recount_beside_writers_leaves_everything_right(w, dice):
    for _ in range(6):
        with Writers(w, dice.random()):
            w.query(LOCK + "UPDATE turnout.event_counts SET"
                    " rsvps = rsvps + 50, headcount = headcount + 99;"
                    " UPDATE turnout.event_days SET"
                    " rsvps = rsvps + 50, headcount = headcount + 99")
            for _ in range(3):
                assert recount(w)[0] == 0
        assert audit(w) == (0, {})


def test_recount_in_an_older_snapshot_is_refused(w):
    connection = psycopg2.connect(w.conninfo("turnout_ingest"))
    connection.set_session(isolation_level="REPEATABLE READ")
    with connection.cursor() as cursor:
        with pytest.raises(psycopg2.Error, match="READ COMMITTED only"):
            cursor.execute("SELECT * FROM turnout.recount(ARRAY['e'])")
    connection.close()
