"""What the pages ask beyond the API, against the same computed in Python."""

import collections
import itertools
import random

import pytest
from psycopg2.extras import Json, execute_values

DAY = 86400000
NOW = 1489925470960
NO_FILTER = "NULL, NULL, NULL, NULL, NULL, NULL"


def fill(c, rsvps):
    """rsvps: [(event_id, mtime, guests)], all of them yes."""
    execute_values(
        c, "INSERT INTO turnout.rsvps (rsvp_id, event_id, mtime_ms, guests,"
        " response) VALUES %s",
        [(n, event, mtime, guests, "yes")
         for n, (event, mtime, guests) in enumerate(rsvps)])


def counted(rsvps, from_ms, to_ms):
    """{event: (rsvps, headcount)} of a window."""
    found = collections.defaultdict(lambda: (0, 0))
    for event, mtime, guests in rsvps:
        if from_ms <= mtime < to_ms:
            n, heads = found[event]
            found[event] = n + 1, heads + 1 + guests
    return found


def board(rsvps, from_ms, to_ms, measure):
    at = 0 if measure == "rsvps" else 1
    return sorted(counted(rsvps, from_ms, to_ms).items(),
                  key=lambda item: (-item[1][at], item[0].encode())), at


@pytest.fixture
def some(db):
    dice = random.Random(6)
    rsvps = [(f"e{int(dice.expovariate(0.02))}",
              NOW - int(dice.random() ** 2 * 40 * DAY),
              dice.choice([0, 0, 0, 1, 2])) for _ in range(3000)]
    with db.connect().cursor() as c:
        fill(c, rsvps)
    return rsvps, db.connect("turnout_web").cursor()


def test_a_pages_board_counts_those_tied_after_it(some):
    rsvps, c = some
    for measure, days, k in itertools.product(
            ("rsvps", "headcount"), (None, 1, 10), (1, 2, 7, 40, 1000)):
        from_ms = 0 if days is None else NOW - days * DAY
        want, at = board(rsvps, from_ms, NOW + 1, measure)
        args = [None, None] if days is None else [from_ms, NOW + 1]
        c.execute("SELECT * FROM turnout.board_page(%s, %s, %s, %s,"
                  f" {NO_FILTER}, %s)", [measure, k, *args, NOW])
        found = c.fetchall()
        assert [(e, (r, h)) for e, r, h, _ in found] == want[:k]
        tied = 0
        if len(want) > k:
            tied = sum(n[at] == want[k - 1][1][at]
                       for _, n in want[k:k + 100])
        # Not counted where the board was slow, as on a busy machine.
        assert {row[3] for row in found} <= {tied, None if tied else tied}


def test_those_tied_are_counted_to_a_hundred_and_no_further(db):
    with db.connect().cursor() as c:
        fill(c, [(f"e{n:03}", NOW, 0) for n in range(300)])
    c = db.connect("turnout_web").cursor()
    for k, tied in ((10, 100), (200, 100), (250, 50), (300, 0)):
        c.execute("SELECT DISTINCT tied FROM turnout.board_page('rsvps', %s,"
                  f" NULL, NULL, {NO_FILTER}, %s)", (k, NOW))
        assert c.fetchall()[0][0] in {tied, None if tied else tied}, k


def test_the_hours_of_an_event_are_its_rows(some):
    rsvps, c = some
    from_ms = NOW - NOW % 3600000 - 23 * 3600000
    for event in ("e0", "e1", "e50", "none"):
        want = [0] * 24
        for other, mtime, _ in rsvps:
            if other == event and from_ms <= mtime < from_ms + DAY:
                want[(mtime - from_ms) // 3600000] += 1
        c.execute("SELECT turnout.event_hours(%s, %s)", (event, from_ms))
        assert c.fetchone()[0] == want, event


def test_a_plot_that_would_read_too_much_is_not_made(db):
    with db.connect().cursor() as c:
        c.execute("INSERT INTO turnout.rsvps (rsvp_id, event_id, mtime_ms,"
                  " response) SELECT n, 'big', n, 'yes'"
                  " FROM generate_series(0, 20000) AS n")
    c = db.connect("turnout_web").cursor()
    c.execute("SELECT turnout.event_hours('big', 0),"
              " turnout.event_hours('big', 1)")
    whole, less = c.fetchone()
    assert whole is None and less == [20000] + [0] * 23


def test_ranks_in_windows_are_those_of_the_boards(some):
    rsvps, c = some
    for event in ("e0", "e30", "e200", "none"):
        c.execute("SELECT * FROM turnout.event_ranks(%s, 'rsvps', %s,"
                  " 100000)", (event, NOW))
        for window, rank, beyond, n, heads in c.fetchall():
            found = counted(rsvps, NOW - window, NOW)
            if event not in found:
                assert (rank, beyond, n, heads) == (None,) * 4
                continue
            assert (n, heads) == found[event]
            above = sum(other[0] > n for other in found.values())
            assert (rank, beyond) == (above + 1, None)


def test_without_time_a_rank_is_told_to_a_hundred_or_not_at_all(db):
    rsvps = [(f"e{n:03}", NOW - 5, n % 2) for n in range(200)]
    rsvps += [(event, mtime - 1, 0) for event, mtime, _ in rsvps[:150]]
    with db.connect().cursor() as c:
        fill(c, rsvps)
    c = db.connect("turnout_web").cursor()
    ask = "SELECT rank, beyond, rsvps FROM turnout.event_ranks(%s, 'rsvps'," \
        " %s, %s)"
    c.execute(ask, ("e199", NOW, 100000))
    assert c.fetchall() == [(151, None, 1)] * 3
    c.execute(ask, ("e199", NOW, -100000))
    assert c.fetchall() == [(None, None, 1)] * 3


def event_row(event, group, starts, venue=None):
    return event, group, starts, venue, 0, 0, 0, 0


def test_what_is_on_comes_by_its_start_and_is_cut(db):
    rows = [event_row(f"u{n}", 1, NOW + n * 1000, 5) for n in range(9)]
    rows += [event_row(f"p{n}", 1, NOW - 1 - n * 1000) for n in range(4)]
    rows += [event_row("x", 1, None, 5), event_row("other", 2, NOW, 5)]
    random.Random(1).shuffle(rows)
    with db.connect().cursor() as c:
        execute_values(c, "INSERT INTO turnout.events (event_id, group_id,"
                       " starts_ms, venue_id, content_hash, src_ts, src_part,"
                       " src_offset) VALUES %s", rows)
    c = db.connect("turnout_web").cursor()

    def on(group, venue, at_most):
        c.execute("SELECT part, event_id FROM turnout.events_on(%s, %s, %s,"
                  " %s) ORDER BY part, place", (group, venue, NOW, at_most))
        return c.fetchall()

    assert on(1, None, 3) == [(0, "u0"), (0, "u1"), (0, "u2"), (1, "p0"),
                              (1, "p1"), (1, "p2"), (2, "x")]
    assert on(None, 5, 3) == [(0, "other"), (0, "u0"), (0, "u1"), (2, "x")]
    assert on(3, None, 3) == []


def test_what_a_form_suggests_is_counted_over_the_newest_groups(db):
    rows = [(n, f"g{n}", "Oslo" if n % 3 else "OSLO", "NO",
             [{"urlkey": "web", "topic_name": "Web"}]) for n in range(1, 7)]
    rows += [(7, "g7", "Bergen", "no", None), (8, None, None, None, {}),
             (9, "g9", "", "xyz", [{"urlkey": ""}])]
    with db.connect().cursor() as c:
        execute_values(c, "INSERT INTO turnout.groups (group_id, name, city,"
                       " country, topics, content_hash, src_ts, src_part,"
                       " src_offset) VALUES %s", [
                           (*row[:4], None if row[4] is None
                            else Json(row[4]), 0, 0, 0, 0) for row in rows])
    c = db.connect("turnout_web").cursor()
    c.execute("SELECT * FROM turnout.suggestions(10, 100)")
    assert c.fetchall() == [
        ("city", "OSLO", "no", 6, True), ("city", "Bergen", "no", 1, True),
        ("country", "no", None, 7, True), ("topic", "web", "Web", 6, True)]
    c.execute("SELECT * FROM turnout.suggestions(1, 50)"
              " WHERE kind <> 'topic'")
    assert c.fetchall() == [("city", "OSLO", "no", 6, True),
                            ("country", "no", None, 7, True)]
    c.execute("SELECT kind, groups, whole FROM turnout.suggestions(9, 3)")
    assert c.fetchall() == [("city", 1, False), ("country", 1, False)]


def test_the_web_learns_of_dead_letters_only_how_many(db):
    with db.connect().cursor() as c:
        execute_values(c, "INSERT INTO turnout.dead_letters (topic, part,"
                       " record_offset, value, value_size, value_sha256,"
                       " reason) VALUES %s", [
                           ("t", 0, n, b"secret", 6, b"x",
                            "nul" if n < 5 else "syntax")
                           for n in range(7)])
    c = db.connect("turnout_web").cursor()
    c.execute("SELECT reason, letters, whole FROM"
              " turnout.letter_reasons(100)")
    assert c.fetchall() == [("nul", 5, True), ("syntax", 2, True)]
    c.execute("SELECT reason, letters, whole FROM turnout.letter_reasons(3)")
    assert c.fetchall() == [("syntax", 2, False), ("nul", 1, False)]
