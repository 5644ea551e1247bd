"""What the oracle answers to questions that were answered by hand: windows,
filters, the ranks before, places, histories."""

import oracle
import pytest
from messages import message
from oracle import window
from oracle.board import ranks

MIDNIGHT = 1489968000000  # 2017-03-20T00:00:00Z, a Monday
HOUR = 3600000
DAY = 24 * HOUR
OSLO = {"group_id": 1, "group_urlname": "walkers", "group_city": "Oslo",
        "group_country": "no", "group_topics": [
            {"urlkey": "hiking", "topic_name": "Hiking"},
            {"urlkey": "dogs", "topic_name": "Dogs"}]}
ODESA = {"group_id": 2, "group_urlname": "лыжи", "group_city": "Одеса",
         "group_country": "UA", "group_topics": []}
ATHENS = {"group_id": 3, "group_urlname": "Walkers", "group_city": "ΑΘΗΝΑΣ",
          "group_country": "gr", "group_topics": [
              {"urlkey": "Hiking", "topic_name": "hiking"}]}
NOWHERE = {"group_id": 4}


def state_of(*rows):
    """Of (event, mtime[, guests[, group[, start]]])."""
    lines = []
    for number, row in enumerate(rows, 1):
        event, mtime, guests, group, start = (
            *row, *(0, {}, None)[len(row) - 2:])
        time = {} if start is None else {"time": start}
        lines.append(message(number, event, mtime=mtime, guests=guests,
                             group=group, **time))
    state = oracle.state_of_file(lines)
    assert not state.bad
    return state


def board(state, now_ms=MIDNIGHT, **parameters):
    """[(rank, event, rsvps, headcount)] of a question."""
    parameters = {name.rstrip("_"): str(value)
                  for name, value in parameters.items()}
    rows, _ = oracle.Question.of(parameters, now_ms).board(state)
    return [(row.rank, *row[2:]) for row in rows]


# Times.

@pytest.mark.parametrize("text, ms", [
    ("2017-03-20T00:00:00Z", MIDNIGHT),
    ("2017-03-20t00:00:00z", MIDNIGHT),
    ("2017-03-20T00:00:00.5Z", MIDNIGHT + 500),
    ("2017-03-20T00:00:00.05Z", MIDNIGHT + 50),
    ("2017-03-19T23:59:59.999Z", MIDNIGHT - 1),
    ("2017-03-20T02:00:00+02:00", MIDNIGHT),
    ("2017-03-19T18:30:00.001-05:30", MIDNIGHT + 1),
    ("2017-03-19T23:59:60Z", None), ("2017-02-29T00:00:00Z", None),
    ("2016-02-29T00:00:00Z", 1456704000000),
    ("2017-03-20T00:00:00", None), ("2017-03-20 00:00:00Z", None)])
def test_an_instant_is_what_the_standard_says(text, ms):
    if ms is None:
        with pytest.raises(ValueError):
            window.instant(text)
    else:
        assert window.instant(text) == ms
        assert window.instant(window.written(ms)) == ms


def test_a_window_is_half_open_and_the_one_before_touches_it():
    one = window.day("2017-03-20")
    assert one == (MIDNIGHT, MIDNIGHT + DAY)
    assert [ms in one for ms in (MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + DAY - 1,
                                 MIDNIGHT + DAY)] == [False, True, True,
                                                      False]
    assert one.before() == window.day("2017-03-19")
    assert oracle.Window(10, 13).before() == (7, 10)


@pytest.mark.parametrize("parameters, begin, end", [
    ({"window": "90m"}, MIDNIGHT - 90 * 60000, MIDNIGHT),
    ({"window": "24h"}, MIDNIGHT - DAY, MIDNIGHT),
    ({"window": "7d", "to": "2017-03-21T00:00:00.001Z"},
     MIDNIGHT - 6 * DAY + 1, MIDNIGHT + DAY + 1),
    ({"date": "2017-03-19"}, MIDNIGHT - DAY, MIDNIGHT),
    ({"from": "2017-03-20T00:00:00Z", "to": "2017-03-20T00:00:00.001Z"},
     MIDNIGHT, MIDNIGHT + 1)])
def test_each_way_to_say_a_window(parameters, begin, end):
    assert oracle.Question.of(parameters, MIDNIGHT).window == (begin, end)


# Boards of windows.

def test_a_window_counts_to_the_millisecond():
    state = state_of(("a", MIDNIGHT - 1), ("b", MIDNIGHT, 2),
                     ("c", MIDNIGHT + DAY - 1), ("d", MIDNIGHT + DAY))
    assert board(state, date="2017-03-20") == [(1, "b", 1, 3),
                                               (1, "c", 1, 1)]
    assert board(state, date="2017-03-20", by="headcount") == [
        (1, "b", 1, 3), (2, "c", 1, 1)]
    assert board(state, MIDNIGHT + 1, window="1m") == [
        (1, "a", 1, 1), (1, "b", 1, 3)]
    assert board(state, MIDNIGHT, window="1m") == [(1, "a", 1, 1)]
    assert board(state, from_="2017-03-20T00:00:00.001Z",
                 to="2017-03-20T23:59:59.999Z") == []


def test_the_measure_decides_the_order_in_a_window_too():
    state = state_of(("a", MIDNIGHT, 9), ("b", MIDNIGHT), ("b", MIDNIGHT),
                     ("a", MIDNIGHT - 1), ("a", MIDNIGHT - 1))
    assert board(state, date="2017-03-20", k=1) == [(1, "b", 2, 2)]
    assert board(state, date="2017-03-20", k=1, by="headcount") == [
        (1, "a", 1, 10)]
    assert board(state, k=1) == [(1, "a", 3, 12)]


def test_a_tie_is_told_of_the_window_and_not_of_all_time():
    state = state_of(("a", MIDNIGHT), ("b", MIDNIGHT), ("b", MIDNIGHT - 1),
                     ("c", MIDNIGHT - 1))

    def tie(**parameters):
        return oracle.Question.of(parameters, MIDNIGHT).board(state)[1]

    assert tie(k="1") is False
    assert tie(k="2") is True
    assert tie(k="1", date="2017-03-20") is True
    assert tie(k="2", date="2017-03-20") is False
    assert tie(k="1", date="2017-03-20", by="headcount") is True


# Filters.

PLACES = state_of(
    ("oslo", MIDNIGHT, 0, OSLO), ("odesa", MIDNIGHT, 0, ODESA),
    ("athens", MIDNIGHT, 0, ATHENS), ("nowhere", MIDNIGHT, 0, NOWHERE))


@pytest.mark.parametrize("parameters, events", [
    ({"country": "NO"}, "oslo"), ({"country": "ua"}, "odesa"),
    ({"country": "se"}, ""),
    ({"city": "oslo"}, "oslo"), ({"city": "OSLO"}, "oslo"),
    ({"city": "одеса"}, "odesa"), ({"city": "ОДЕСА"}, "odesa"),
    # The small sigma at the end of a word is another letter.
    ({"city": "αθηνας"}, "athens"), ({"city": "Αθηνασ"}, "athens"),
    ({"city": "osl"}, ""), ({"city": "Oslo "}, ""), ({"city": ""}, ""),
    ({"city": "oslo", "country": "gr"}, ""),
    ({"city": "oslo", "country": "no"}, "oslo"),
    ({"group": "2"}, "odesa"), ({"group": "лыжи"}, "odesa"),
    ({"group": "walkers"}, "oslo"), ({"group": "Walkers"}, "athens"),
    ({"group": "9"}, ""),
    ({"topic": "hiking"}, "oslo"), ({"topic": "dogs"}, "oslo"),
    ({"topic": "Hiking"}, "athens"), ({"topic": "Dogs"}, ""),
    ({"topic": "hiking", "group": "3"}, "")])
def test_each_filter_lets_its_events_through(parameters, events):
    found = board(PLACES, **parameters)
    assert [row[1] for row in found] == events.split()
    assert [row[1] for row in board(PLACES, date="2017-03-20",
                                    **parameters)] == events.split()


def test_an_event_is_where_its_last_record_says():
    state = oracle.state_of_file([
        message(1, "e", mtime=MIDNIGHT, group=OSLO),
        message(2, "e", mtime=MIDNIGHT + 1, group=ODESA)])
    assert board(state, city="Oslo") == []
    assert board(state, city="Одеса") == [(1, "e", 2, 2)]


def test_an_event_that_starts_now_is_to_come_and_one_without_a_time_neither():
    state = state_of(("a", MIDNIGHT, 0, {}, MIDNIGHT - 1),
                     ("b", MIDNIGHT, 0, {}, MIDNIGHT),
                     ("c", MIDNIGHT, 0, {}, MIDNIGHT + 1), ("d", MIDNIGHT))
    for when, events in (("past", "a"), ("upcoming", "bc"), ("week", "bc"),
                         ("any", "abcd")):
        assert "".join(row[1] for row in board(state, when=when)) == events


def test_a_week_is_over_at_the_millisecond():
    state = state_of(("a", MIDNIGHT, 0, {}, MIDNIGHT + 7 * DAY - 1),
                     ("b", MIDNIGHT, 0, {}, MIDNIGHT + 7 * DAY))
    assert [row[1] for row in board(state, when="week")] == ["a"]
    assert [row[1] for row in board(state, when="upcoming")] == ["a", "b"]


# The window before.

def test_the_previous_rank_is_of_the_window_before_under_the_same_filters():
    before, after = MIDNIGHT - 1, MIDNIGHT
    state = state_of(
        ("a", after, 0, OSLO), ("a", before, 0, OSLO),
        ("b", after, 0, OSLO), ("b", before, 9, OSLO),
        ("b", before - DAY, 0, OSLO),  # two days before: not asked
        ("c", after, 0, OSLO),
        ("d", before, 1, ODESA), ("d", before, 1, ODESA),
        ("d", after, 0, ODESA))

    def previous(**parameters):
        rows, _ = oracle.Question.of(
            {"date": "2017-03-20", **parameters}, 0).board(state)
        return {row.event_id: row.previous_rank for row in rows}

    assert previous() == {"a": 2, "b": 2, "c": None, "d": 1}
    assert previous(by="headcount") == {"a": 3, "b": 1, "c": None, "d": 2}
    assert previous(city="oslo") == {"a": 1, "b": 1, "c": None}
    assert previous(k="1") == {"a": 2}
    assert set(previous(country="no", by="headcount").values()) == {2, 1,
                                                                    None}


def test_the_previous_rank_ends_at_rank_100_with_all_who_share_it():
    rows = []
    for number in range(99):  # 99 events with two each come first
        rows += [(f"b{number:03}", MIDNIGHT - 1)] * 2
    rows += [("x", MIDNIGHT - 1), ("y", MIDNIGHT - 1)]
    now = [("b000", MIDNIGHT), ("x", MIDNIGHT), ("y", MIDNIGHT),
           ("z", MIDNIGHT)]
    state = state_of(*rows, *now)
    answer, _ = oracle.Question.of({"date": "2017-03-20"}, 0).board(state)
    assert [row.previous_rank for row in answer] == [1, 100, 100, None]
    state = state_of(*rows, ("b999", MIDNIGHT - 1), ("b999", MIDNIGHT - 1),
                     *now)
    answer, _ = oracle.Question.of({"date": "2017-03-20"}, 0).board(state)
    assert [row.previous_rank for row in answer] == [1, None, None, None]


def test_ranks_count_all_that_are_before():
    assert ranks({"a": (1, 1), "b": (3, 3), "c": (3, 4), "d": (2, 9)}) == {
        "b": 1, "c": 1, "d": 3, "a": 4}
    assert ranks({"a": (1, 1), "b": (3, 3), "c": (3, 4), "d": (2, 9)},
                 "headcount") == {"d": 1, "c": 2, "b": 3, "a": 4}
    assert ranks({}) == {}


# The place of one event.

def place(state, event, **parameters):
    rows = oracle.Question.of(
        {name: str(value) for name, value in parameters.items()},
        MIDNIGHT).place(state, event)
    return [(row.rank, row.event_id) for row in rows]


def test_neighbours_are_those_beside_it_in_the_order_of_the_board():
    state = state_of(*[(event, MIDNIGHT) for event in "aaabbccde"])
    assert place(state, "c") == [(2, "c")]
    assert place(state, "c", around=1) == [(2, "b"), (2, "c"), (4, "d")]
    assert place(state, "a", around=2) == [(1, "a"), (2, "b"), (2, "c")]
    assert place(state, "e", around=20) == [
        (1, "a"), (2, "b"), (2, "c"), (4, "d"), (4, "e")]
    assert place(state, "f") == []
    assert place(state, "a", date="2017-03-19") == []


def test_a_rank_beyond_1000_is_not_told():
    rows = []
    for number in range(999):
        rows += [(f"b{number:04}", MIDNIGHT)] * 2
    state = state_of(*rows, ("x", MIDNIGHT), ("y", MIDNIGHT))
    assert place(state, "y", around=1) == [(1000, "x"), (1000, "y")]
    state = state_of(*rows, ("b9999", MIDNIGHT), ("b9999", MIDNIGHT),
                     ("x", MIDNIGHT))
    assert place(state, "b9999", around=1) == [
        (1, "b0998"), (1, "b9999"), (1001, "x")]
    assert place(state, "x", around=1) == [(None, "x")]


# Histories.

def test_a_history_has_each_step_and_zeros_where_nobody_came():
    state = state_of(("a", MIDNIGHT - 1, 4), ("a", MIDNIGHT),
                     ("a", MIDNIGHT + HOUR), ("a", MIDNIGHT + DAY),
                     ("a", MIDNIGHT + 7 * DAY), ("b", MIDNIGHT + 2 * DAY))
    whole = oracle.Window(MIDNIGHT - DAY, MIDNIGHT + 2 * DAY)
    assert oracle.history(state, "a", "1d", whole) == [
        (MIDNIGHT - DAY, 1, 5), (MIDNIGHT, 2, 2), (MIDNIGHT + DAY, 1, 1)]
    assert oracle.history(state, "a", "1h", oracle.Window(
        MIDNIGHT - HOUR, MIDNIGHT + 3 * HOUR)) == [
            (MIDNIGHT - HOUR, 1, 5), (MIDNIGHT, 1, 1),
            (MIDNIGHT + HOUR, 1, 1), (MIDNIGHT + 2 * HOUR, 0, 0)]
    assert oracle.history(state, "nobody", "1d", whole) == [
        (MIDNIGHT + number * DAY, 0, 0) for number in (-1, 0, 1)]


def test_a_week_begins_on_monday():
    sunday = ("a", MIDNIGHT - 1)
    state = state_of(sunday, ("a", MIDNIGHT), ("a", MIDNIGHT + 7 * DAY - 1),
                     ("a", MIDNIGHT + 7 * DAY))
    assert oracle.history(state, "a", "1w", oracle.Window(
        MIDNIGHT - 7 * DAY, MIDNIGHT + 14 * DAY)) == [
            (MIDNIGHT - 7 * DAY, 1, 1), (MIDNIGHT, 2, 2),
            (MIDNIGHT + 7 * DAY, 1, 1)]
