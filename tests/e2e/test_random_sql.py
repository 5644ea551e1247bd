"""Random questions to PostgreSQL itself, as the web's role may ask them: more
RSVPs than a test of the API has time for, so that long windows are not added
up row by row; boards, places, histories.

TURNOUT_REQUESTS=n asks a fifth of n questions of each kind.
"""

import collections
import os
import random
import time

import oracle
import psycopg2
import pytest
from oracle.window import STEPS, Window, instant
from questions import Questions
from spread import Spread, odd_messages
from world import World, lines_of

COUNT = int(os.environ.get("TURNOUT_REQUESTS", "1000")) // 5
MESSAGES, EVENTS = 20000, 8000

FILTERS = "%s, %s, %s, %s, %s, %s, %s"
BOARD = ("SELECT event_id, rsvps, headcount FROM turnout.board_window("
         f"%s, %s, %s, %s, {FILTERS})")
BEFORE = ("SELECT event_id, rank FROM turnout.previous_ranks("
          f"%s, %s, %s, {FILTERS})")
RANK = ("SELECT rank, event_id, rsvps, headcount FROM turnout.event_rank("
        f"%s, %s, %s, %s, {FILTERS}, %s)")
HISTORY = ("SELECT at_ms, rsvps, headcount FROM turnout.event_history("
           "%s, %s, %s, %s)")


class Database:
    """What is asked, and the state that it should answer from."""

    def __init__(self, world, state, dice, now_ms):
        self.state, self.now_ms = state, now_ms
        self.questions = Questions(dice, state, now_ms)
        self.connection = psycopg2.connect(world.conninfo("turnout_web"))
        self.connection.set_session(readonly=True, autocommit=True)
        self.slowest = 0

    def ask(self, sql, *values):
        begin = time.monotonic()
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
            rows = cursor.fetchall()
        self.slowest = max(self.slowest, time.monotonic() - begin)
        return rows

    def arguments(self, asked):
        """(the Question, the window, the filters as arguments)."""
        question = oracle.Question.of(asked.parameters, self.now_ms)
        group = question.group
        is_id = group is not None and group.isdecimal()
        return question, question.window or (None, None), (
            question.country, question.city, int(group) if is_id else None,
            None if is_id else group, question.topic,
            None if question.when == "any" else question.when, self.now_ms)


@pytest.fixture(scope="module")
def filled(database, generate, request):
    """A Database with all messages in it."""
    dice = random.Random(f"{request.config.seed} filled")
    now_ms = int(time.time() * 1000)
    start = time.strftime("%Y-%m-%dT%H:%M:%SZ",
                          time.gmtime(now_ms / 1000 - 30 * 86400))
    path = generate(MESSAGES, seed=dice.randrange(10 ** 6), events=EVENTS,
                    start=start)
    lines = Spread(dice, now_ms).lines(lines_of(path))
    lines += odd_messages(dice, now_ms, 400)
    with open(path, "wb") as f:
        f.write(b"\n".join(lines) + b"\n")
    w = World(database, "filled")
    done = w.command("import", "-q", path)
    assert done.returncode == 0, done.stderr
    w.query("VACUUM ANALYZE")
    return Database(w, oracle.state_of_file(lines), dice, now_ms)


def test_boards_and_the_ranks_before_are_the_oracles(filled):
    seen = collections.Counter()
    for _ in range(COUNT):
        asked = filled.questions.board()
        question, window, filters = filled.arguments(asked)
        rows, tie = question.board(filled.state)
        found = filled.ask(BOARD, question.by, question.k + 1, *window,
                           *filters)
        place = 1 if question.by == "rsvps" else 2
        assert found[:question.k] == [row[2:] for row in rows], asked
        assert tie == (len(found) > question.k and found[-2][place]
                       == found[-1][place]), asked
        found = filled.ask(BEFORE, question.by, *window, *filters)
        assert dict(found) == question.previous_ranks(filled.state), asked
        assert len(dict(found)) == len(found)
        seen.update({"empty": not rows, "ties": tie, "before": bool(found)})
    print(dict(seen), f"slowest {filled.slowest:.2f} s")
    assert seen["empty"] < 0.3 * COUNT
    assert min(seen["ties"], seen["before"]) > 0.1 * COUNT


def test_the_places_of_events_are_the_oracles(filled):
    seen = collections.Counter()
    for _ in range(COUNT):
        asked = filled.questions.rank()
        question, window, filters = filled.arguments(asked)
        want = [(row.rank, *row[2:])
                for row in question.place(filled.state, asked.event_id)]
        found = filled.ask(RANK, asked.event_id, question.by, *window,
                           *filters, question.around)
        assert found == want, asked
        seen.update({"nowhere": not want, "beyond": bool(want) and
                     want[0][0] is None, "near": len(want) > 1})
    print(dict(seen), f"slowest {filled.slowest:.2f} s")
    assert seen["nowhere"] < 0.4 * COUNT
    assert seen["beyond"] > 0
    assert seen["near"] > 0.3 * COUNT


def test_histories_are_the_oracles(filled):
    some = 0
    for _ in range(COUNT):
        asked = filled.questions.history()
        told = asked.parameters
        if "from" not in told:  # a matter of the API
            continue
        window = Window(instant(told["from"]), instant(told["to"]))
        want = oracle.history(filled.state, asked.event_id, told["step"],
                              window)
        found = filled.ask(HISTORY, asked.event_id, STEPS[told["step"]],
                           *window)
        assert found == want, asked
        some += any(rsvps for _, rsvps, _ in want)
    assert some > 0.5 * COUNT
