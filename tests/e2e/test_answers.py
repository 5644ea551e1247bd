"""The judge of answers: an answer written by hand is right, and whatever is
changed in it is found."""

import copy

import oracle
import pytest
from messages import message
from oracle.answer import Asked, differences, span

MIDNIGHT = 1489968000000  # 2017-03-20
START = MIDNIGHT + 3600000
STATE = oracle.state_of_file([
    message(1, "a", "Ride", mtime=MIDNIGHT, guests=2, time=START,
            event_url="https://example.org/a",
            group={"group_urlname": "walkers", "group_city": "Oslo",
                   "group_country": "no"},
            venue={"venue_id": 5, "venue_name": "Park", "lat": 59.5,
                   "lon": 10}),
    message(2, "b", mtime=MIDNIGHT + 1, group={"group_id": 8}),
    message(3, "b", mtime=MIDNIGHT - 1, group={"group_id": 8}),
    message(4, "c", mtime=MIDNIGHT + 2, group={"group_id": 8})])
ASKED = Asked("topk", None, {"k": "2", "window": "24h",
                             "to": "2017-03-21T00:00:00Z"})
BODY = {
    "query": {"k": 2, "by": "rsvps", "window": "24h",
              "from": "2017-03-20T00:00:00Z", "to": "2017-03-21T00:00:00Z"},
    "as_of": "2017-03-20T00:59:59.900Z", "version": 4, "stale": False,
    "lag": {"messages": 0, "seconds": 0.1}, "tie_at_cutoff": True,
    "events": [
        {"rank": 1, "previous_rank": None, "event_id": "a", "name": "Ride",
         "url": "https://example.org/a", "starts_at": "2017-03-20T01:00:00Z",
         "rsvps": 1, "headcount": 3,
         "group": {"group_id": 7, "name": "Walkers", "urlname": "walkers",
                   "city": "Oslo", "state": None, "country": "no"},
         "venue": {"venue_id": 5, "name": "Park", "lat": 59.5,
                   "lon": 10}},
        {"rank": 1, "previous_rank": 1, "event_id": "b", "name": "Picnic",
         "url": None, "starts_at": None, "rsvps": 1, "headcount": 1,
         "group": {"group_id": 8, "name": "Walkers", "urlname": None,
                   "city": None, "state": None, "country": None},
         "venue": None}]}


def wrong(change, asked=ASKED, body=BODY):
    """The names of what is wrong after a change of the answer."""
    body = copy.deepcopy(body)
    change(body)
    return [name for name, _, _ in differences(STATE, asked, body)]


def test_an_answer_that_is_right_has_no_differences():
    assert wrong(lambda body: None) == []


def test_a_number_is_told_from_a_truth():
    assert wrong(lambda body: body.update(tie_at_cutoff=1)) == [
        "tie_at_cutoff"]
    assert wrong(lambda body: body.update(stale=0)) == ["stale"]


@pytest.mark.parametrize("path, value, name", [
    (["tie_at_cutoff"], False, "tie_at_cutoff"),
    (["stale"], True, "stale"),
    (["query", "k"], 3, "query.k"),
    (["query", "from"], "2017-03-20T00:00:00.001Z", "query.from"),
    (["query", "country"], "no", "query.country"),
    (["query", "when"], "past", "query.when"),
    (["events", 0, "rank"], 2, "events[0].rank"),
    (["events", 0, "previous_rank"], 1, "events[0].previous_rank"),
    (["events", 1, "previous_rank"], None, "events[1].previous_rank"),
    (["events", 1, "headcount"], 2, "events[1].headcount"),
    (["events", 0, "starts_at"], "2017-03-20T01:00:00.001Z",
     "events[0].starts_at"),
    (["events", 0, "venue", "lat"], 59.6, "events[0].venue.lat"),
    (["events", 0, "group", "lat"], None, "events[0].group.lat"),
    (["events", 1, "venue"], {}, "events[1].venue"),
    (["lag"], {}, None), (["more"], 1, "number of members")])
def test_each_change_of_an_answer_is_found(path, value, name):
    def change(body):
        for step in path[:-1]:
            body = body[step]
        body[path[-1]] = value

    assert (name in wrong(change)) if name else not wrong(change)


@pytest.mark.parametrize("path, name", [
    (["events", 0, "previous_rank"], "events[0].previous_rank"),
    (["events", 1], "number of events"),
    (["events", 0, "group", "state"], "events[0].group.state"),
    (["query", "window"], "query.window")])
def test_what_is_left_out_is_found(path, name):
    def change(body):
        for step in path[:-1]:
            body = body[step]
        del body[path[-1]]

    assert name in wrong(change)


def test_events_in_another_order_are_found():
    assert "events[0].event_id" in wrong(
        lambda body: body["events"].reverse())


def test_a_window_that_slides_ends_where_the_answer_says():
    asked = Asked("topk", None, {"k": "2", "window": "24h"})
    assert wrong(lambda body: None, asked) == []
    assert span(asked, BODY) == (MIDNIGHT, MIDNIGHT + 86400000)
    assert span(ASKED, BODY) is None

    def shifted(body):
        body["query"]["from"] = "2017-03-20T00:00:00.001Z"
        body["query"]["to"] = "2017-03-21T00:00:00.001Z"

    assert "events[0].event_id" in wrong(shifted, asked)


def test_a_city_may_be_told_in_other_letters_and_any_is_left_out():
    asked = Asked("topk", None, {**ASKED.parameters, "k": "1", "city": "OSLO",
                                 "group": "7", "when": "any"})

    def change(body):
        body["query"].update(k=1, city="oslo", group="7")
        del body["events"][1]
        body["tie_at_cutoff"] = False

    assert wrong(change, asked) == []


def test_what_starts_at_the_moment_of_the_answer_is_to_come():
    asked = Asked("topk", None, {**ASKED.parameters, "when": "upcoming"})

    def change(as_of, events):
        def do(body):
            body["query"]["when"] = "upcoming"
            body["as_of"] = as_of
            body["events"] = body["events"][:events]
            body["tie_at_cutoff"] = False
        return do

    for as_of, events in (("2017-03-20T00:59:59.999Z", 1),
                          ("2017-03-20T01:00:00.000Z", 1),
                          ("2017-03-20T01:00:00.001Z", 0)):
        assert wrong(change(as_of, events), asked) == []
        assert "number of events" in wrong(change(as_of, 1 - events), asked)


# The place of an event, and its history.

def entry(rank, number):
    """An event of the answer above on a board of places."""
    out = {**BODY["events"][number], "rank": rank}
    del out["previous_rank"]
    return out


RANK = Asked("rank", "b", {"date": "2017-03-20", "around": "1"})
RANK_BODY = {
    **{name: BODY[name] for name in ("as_of", "version", "stale", "lag")},
    "query": {"around": 1, "by": "rsvps", "date": "2017-03-20",
              "from": "2017-03-20T00:00:00Z", "to": "2017-03-21T00:00:00Z"},
    "event_id": "b", "rank": 1, "beyond": None,
    "events": [entry(1, 0), entry(1, 1), {**entry(1, 1), "event_id": "c"}]}
HISTORY = Asked("history", "b", {
    "step": "1h", "from": "2017-03-19T23:30:00Z",
    "to": "2017-03-20T01:00:00.001Z"})
HISTORY_BODY = {
    **{name: BODY[name] for name in ("as_of", "version", "stale", "lag")},
    "query": {"step": "1h", "from": "2017-03-19T23:00:00Z",
              "to": "2017-03-20T02:00:00Z"},
    "event_id": "b", "points": [
        {"at": "2017-03-19T23:00:00Z", "rsvps": 1, "headcount": 1},
        {"at": "2017-03-20T00:00:00Z", "rsvps": 1, "headcount": 1},
        {"at": "2017-03-20T01:00:00Z", "rsvps": 0, "headcount": 0}]}


@pytest.mark.parametrize("asked, body, name, value", [
    (RANK, RANK_BODY, "rank", 2), (RANK, RANK_BODY, "beyond", 1000),
    (RANK, RANK_BODY, "event_id", "a"), (RANK, RANK_BODY, "stale", True),
    (RANK, RANK_BODY, "events", RANK_BODY["events"][:2]),
    (HISTORY, HISTORY_BODY, "event_id", "a"),
    (HISTORY, HISTORY_BODY, "points", HISTORY_BODY["points"][:2]),
    (HISTORY, HISTORY_BODY, "points", HISTORY_BODY["points"][:2] + [
        {**HISTORY_BODY["points"][2], "headcount": 1}]),
    (HISTORY, HISTORY_BODY, "query", {
        "step": "1h", "from": "2017-03-19T23:30:00Z",
        "to": "2017-03-20T02:00:00Z"})])
def test_places_and_histories_are_judged_too(asked, body, name, value):
    assert wrong(lambda body: None, asked, body) == []
    assert any(name in one for one in wrong(
        lambda body: body.update({name: value}), asked, body))


def test_an_event_that_is_on_no_board_has_no_rank_and_is_not_beyond():
    asked = Asked("rank", "a", {"date": "2017-03-19", "around": "1"})
    body = {**RANK_BODY, "event_id": "a", "rank": None, "events": [],
            "query": {"around": 1, "by": "rsvps", "date": "2017-03-19",
                      "from": "2017-03-19T00:00:00Z",
                      "to": "2017-03-20T00:00:00Z"}}
    assert wrong(lambda body: None, asked, body) == []
    assert wrong(lambda body: body.update(beyond=1000), asked, body) == [
        "beyond"]


def test_a_history_of_no_range_has_all_of_the_events_rsvps():
    asked = Asked("history", "b", {"step": "1h"})
    assert wrong(lambda body: None, asked, HISTORY_BODY) == []

    def later(body):
        body["query"]["from"] = "2017-03-20T00:00:00Z"
        del body["points"][0]

    assert wrong(later, asked, HISTORY_BODY) == ["sum of points"]
