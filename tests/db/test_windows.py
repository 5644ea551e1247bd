"""Boards, ranks and histories of any window and filter are what the rows
say, whichever way they are found."""

import os
import random

import pytest
from conftest import NAMES, Database
from psycopg2 import errors
from psycopg2.extras import Json, execute_values
from windows import DAY, HOUR, PREFIXES, T0, WEEK, World

CASES = int(os.environ.get("TURNOUT_CASES") or 400)
FILTER = "%s, %s, %s::bigint, %s, %s, %s, %s::bigint"
BOARD = ("SELECT * FROM turnout.board_window(%s, %s, %s::bigint, %s::bigint, "
         + FILTER + ")")
BY_PATH = ("SELECT rank, event_id, rsvps, headcount"
           " FROM turnout.window_places(turnout.window_best(%s, %s, %s,"
           " %s::bigint, %s::bigint, turnout.event_filter(" + FILTER + "), %s)"
           ", %s) ORDER BY place")
PREVIOUS = ("SELECT * FROM turnout.previous_ranks(%s, %s::bigint,"
            " %s::bigint, " + FILTER + ") ORDER BY 1")
RANK = ("SELECT * FROM turnout.event_rank(%s, %s, %s::bigint, %s::bigint, "
        + FILTER + ", %s)")
HISTORY = "SELECT * FROM turnout.event_history(%s, %s, %s, %s)"


SEED = int(os.environ.get("TURNOUT_SEED") or random.randrange(10**6))


@pytest.fixture(scope="module", params=["flat", "heavy", "tail"])
def world(server, request):
    """A world that the tests of this file look at, and change, in turn."""
    name = f"t{next(NAMES)}"
    server.copy_database(name)
    db = Database(server, name)
    yield World(db, random.Random(f"{SEED} {request.param}"), request.param)
    db.close()


@pytest.fixture
def cursor(world):
    print(f"TURNOUT_SEED={SEED}")
    c = world.db.connect("turnout_web").cursor()
    # The machine may be busy; how long it takes is not asked here.
    c.execute("SET statement_timeout = '60s'")
    yield c
    c.connection.close()


def ask(cursor, sql, *args):
    cursor.execute(sql, args)
    return cursor.fetchall()


def a_change(world):
    """Late data, changed answers, details that move."""
    dice = world.dice
    what = dice.randrange(3)
    if what == 0:
        world.change_rsvps(dice.choice([1, 20, 200]))
    elif what == 1:
        world.change_groups(dice.sample(range(42), 3))
    else:
        world.change_events(dice.sample(world.ids, 5))


def test_a_board_is_the_sorted_rows(world, cursor):
    dice = world.dice
    for case in range(CASES):
        if case % 50 == 49:
            a_change(world)
        measure = dice.choice(["rsvps", "headcount"])
        k = dice.choice([1, 2, 3, 10, 10, 40, 101, 1001])
        window, f = world.a_window(), world.a_filter()
        want = world.board(measure, window, f)
        assert ask(cursor, BOARD, measure, k, *window, *f.values()) == [
            row[1:] for row in want[:k]], (measure, k, window, f)


@pytest.mark.parametrize("path", ["days", "counts", "events", "scan"])
def test_each_way_to_a_board_finds_the_same(world, cursor, path):
    dice = world.dice
    for case in range(CASES // 3):
        if case % 50 == 49:
            a_change(world)
        measure = dice.choice(["rsvps", "headcount"])
        k = dice.choice([1, 1, 2, 5, 10, 60, 1001])
        window, f = world.a_window(), world.a_filter()
        ties = dice.random() < 0.5
        want = world.board(measure, window, f)
        last = want[k - 1][0] if k <= len(want) else len(want)
        got = ask(cursor, BY_PATH, measure, k, ties, *window, *f.values(),
                  path, measure)
        if ties:
            assert got == [row for row in want if row[0] <= last]
        else:
            assert got[:k] == want[:k], (measure, k, window, f)


@pytest.mark.parametrize("others", [25, 60])
def test_an_equal_count_further_down_comes_first_by_its_id(db, others):
    # z counts as many as n, but its bound is a step above; n is behind those
    # whose bound it shares: beyond the list's head (60), or beyond the first
    # exact sums (25).
    rows = [("z", 31, 10), ("n", 31, 0), *(
        (f"m{i:02}", 30, 1) for i in range(others))]
    db.rows("INSERT INTO turnout.rsvps (rsvp_id, event_id, mtime_ms,"
            " response, guests) SELECT row_number() OVER (), e.id, %s, 'yes',"
            " CASE WHEN r = 1 THEN e.guests END FROM unnest(%s, %s, %s) AS e"
            " (id, n, guests), generate_series(1, e.n) AS r",
            T0, *map(list, zip(*rows)))
    for path in ("days", "counts", "scan"):
        for k, want in ((1, ["n"]), (2, ["n", "z"]), (3, ["n", "z", "m00"])):
            found = db.rows(BY_PATH, "rsvps", k, False, T0, T0 + 1000,
                            *[None] * 7, path, "rsvps")
            assert [row[1] for row in found][:k] == want, (path, k)


@pytest.mark.parametrize("ids", ["anywhere", "small first", "great first"])
def test_of_many_events_with_one_yes_the_first_ids_are_found(db, ids):
    """What the first rows say of the ids of all is not always so."""
    dice = random.Random(SEED)
    print(f"TURNOUT_SEED={SEED}")
    many = [dice.choice(PREFIXES) + f"{n:06}"
            for n in dice.sample(range(10 ** 6), 6000)]
    if ids != "anywhere":
        many.sort(reverse=ids == "great first")
    yes = [(e, T0 + n * HOUR // 6000, dice.choice([None, 0, 0, 0, 2]))
           for n, e in enumerate(many)]
    yes += [(e, at + 1, 0) for e, at, _ in dice.sample(yes, 150)]
    cursor = db.connect().cursor()
    execute_values(cursor, "INSERT INTO turnout.rsvps (event_id, mtime_ms,"
                   " guests, response, rsvp_id) VALUES %s",
                   [(*row, "yes", n) for n, row in enumerate(yes)])
    cursor.execute("ANALYZE; SET client_min_messages = debug1")
    counts = {}
    for e, _, guests in yes:
        rsvps, people = counts.get(e, (0, 0))
        counts[e] = rsvps + 1, people + 1 + (guests or 0)
    late = set()
    for n, measure in enumerate(("rsvps", "headcount")):
        board = sorted(((e, *c) for e, c in counts.items()),
                       key=lambda row: (-row[1 + n], row[0]))
        for k in (1, 10, 149, 400, 1000, 1001):
            del cursor.connection.notices[:]
            found = ask(cursor, BOARD, measure, k, T0, T0 + HOUR, *[None] * 7)
            assert found == board[:k], (measure, k)
            if "the rest" in "".join(cursor.connection.notices):
                late.add(k)
    # With the small ids first, the cut is far too low.
    assert (1000 in late) == (ids == "small first"), late


def test_previous_ranks_are_those_of_the_window_before(world, cursor):
    dice = world.dice
    for _ in range(CASES // 4):
        measure = dice.choice(["rsvps", "headcount"])
        window, f = world.a_window(), world.a_filter()
        want = []
        if window[0]:
            before = max(2 * window[0] - window[1], 0), window[0]
            want = sorted(((row[1], row[0])
                           for row in world.board(measure, before, f)
                           if row[0] <= 100), key=lambda r: r[0].encode())
        assert ask(cursor, PREVIOUS, measure, *window, *f.values()) == want


def test_an_events_rank_and_neighbours_are_those_of_the_board(
        world, cursor):
    dice = world.dice
    for _ in range(CASES // 4):
        measure = dice.choice(["rsvps", "headcount"])
        around = dice.choice([0, 1, 5, 20])
        window, f = world.a_window(), world.a_filter()
        board = world.board(measure, window, f)
        event = dice.choice(world.ids + [r[1] for r in board] * 3 + ["none"])
        at = [i for i, row in enumerate(board) if row[1] == event]
        want = board[max(at[0] - around, 0):at[0] + around + 1] if at else []
        assert ask(cursor, RANK, event, measure, *window, *f.values(),
                   around) == want, (event, measure, window, f)


def test_a_rank_beyond_1000_is_not_told(db):
    db.rows("INSERT INTO turnout.rsvps (rsvp_id, event_id, mtime_ms, response)"
            " SELECT 10000 * r + e, 'e' || lpad(e::text, 4, '0'), %s, 'yes'"
            " FROM generate_series(1, 1500) AS e, generate_series(0, CASE"
            " WHEN e <= 990 THEN 2 WHEN e <= 1400 THEN 1 ELSE 0 END) AS r", T0)
    for window in ((None, None), (T0, T0 + 1), (T0, T0 + DAY)):
        def rank(event, around=1, window=window):
            return db.rows(RANK, event, "rsvps", *window, *[None] * 7, around)
        assert rank("e0001") == [(1, "e0001", 3, 3), (1, "e0002", 3, 3)]
        # A tie from rank 991 to place 1400, and what follows it.
        assert rank("e1400") == [(991, "e1399", 2, 2), (991, "e1400", 2, 2),
                                 (1401, "e1401", 1, 1)]
        assert rank("e1401") == [(None, "e1401", 1, 1)]
        assert rank("e1501") == []


def history(world, event, step, window):
    points = []
    for at in range(window[0], window[1], step):
        points.append((at, *world.count(event, (at, at + step))))
    return points


def test_a_history_is_the_rows_by_the_step(world, cursor):
    dice = world.dice
    monday = T0 - 4 * DAY
    for _ in range(CASES // 4):
        event = dice.choice(world.ids + ["none"])
        step = dice.choice([HOUR, DAY, WEEK])
        at = monday + step * dice.randrange(-2, 20)
        window = at, at + dice.choice([1, step, 3 * step + 7, 1000 * step])
        assert ask(cursor, HISTORY, event, step, *window) == history(
            world, event, step, window)


REFUSED = [
    (BOARD, ("people", 1, None, None), "measure"),
    (BOARD, (None, 1, None, None), "measure"),
    (BOARD, ("rsvps", 0, None, None), "k must"),
    (BOARD, ("rsvps", 1002, None, None), "k must"),
    (BOARD, ("rsvps", None, None, None), "k must"),
    (BOARD, ("rsvps", 1, T0, None), "together"),
    (BOARD, ("rsvps", 1, T0, T0), "from_ms < to_ms"),
    (BOARD, ("rsvps", 1, -1, T0), "from_ms < to_ms"),
    (PREVIOUS, ("rsvps", T0, T0 - 1), "from_ms < to_ms"),
    (HISTORY, ("e", DAY + 1, T0, T0 + DAY), "step_ms"),
    (HISTORY, ("e", DAY, T0 + 1, T0 + DAY), "multiple"),
    (HISTORY, ("e", WEEK, T0, T0 + DAY), "multiple"),
    (HISTORY, ("e", HOUR, T0, T0 + 1000 * HOUR + 1), "1000 points"),
    (HISTORY, ("e", None, T0, T0 + DAY), "step_ms"),
    (HISTORY, ("e", DAY, T0, None), "from_ms < to_ms"),
    (BOARD, ("rsvps", 1, None, None, *[None] * 5, "soon", T0), "starts"),
    (BOARD, ("rsvps", 1, None, None, *[None] * 5, "past", None), "now_ms"),
    (RANK, ("e", "rsvps", None, None, *[None] * 7, 21), "around"),
    (RANK, ("e", "rsvps", None, None, *[None] * 7, -1), "around")]


def test_what_cannot_be_asked_is_named(db):
    cursor = db.connect("turnout_web").cursor()
    for sql, args, said in REFUSED:
        args = (*args, *[None] * (sql.count("%s") - len(args)))
        with pytest.raises(errors.InvalidParameterValue, match=said):
            cursor.execute(sql, args)


def test_topics_follow_their_groups(db):
    world = World(db, random.Random(SEED), "flat")
    dice = world.dice
    for _ in range(10):
        world.change_groups(dice.sample(range(45), 10))
    db.rows("DELETE FROM turnout.groups WHERE group_id = 7")
    del world.groups[7]
    by_hand = [{"urlkey": "by-hand", "topic_name": "By hand"}]
    db.rows("UPDATE turnout.groups SET topics = %s WHERE group_id = 8",
            Json(by_hand))
    world.groups[8] = (*world.groups[8][:3], by_hand)
    want = sorted({(t["urlkey"], i) for i, g in world.groups.items()
                   for t in g[3] or [] if len(t["urlkey"]) <= 512})
    assert db.rows("SELECT * FROM turnout.group_topics ORDER BY 1, 2") == want
    db.rows("TRUNCATE turnout.groups")
    assert db.rows("SELECT * FROM turnout.group_topics") == []
