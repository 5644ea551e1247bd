"""Clients that ask for boards all the time and check every answer.

What is checked, by the names of the invariants: one snapshot whose age is
told and bounded (I15, I17), the total order, ranks and tie (I16), the answer
of the question that was asked (I18, I20), a well-formed answer in time (I21),
JSON that a strict parser takes (I23).
"""

import datetime
import http.client
import json
import threading
import time

from load import Load

BOARDS = [(k, by) for k in (1, 2, 3, 5, 10, 20, 50, 100)
          for by in ("rsvps", "headcount")]
PATHS = [f"/api/topk?k={k}&by={by}" for k, by in BOARDS]
FRESH = 18.0   # s: in Redis 6, a query 1, nginx's copy 1, its update 10
STALE = 315.0  # s: cache.stale_ms and what nginx adds
LIMIT = 5.0    # s for one answer
# The same while no worker answers: nginx asks two of them, and then gives what
# it has, for as long as stale-if-error says, which is STALE, too.
GONE_LIMIT = 7.0


def refuse_constant(text):
    raise ValueError(f"{text} is no JSON")


def order(event, by):
    return (-event[by], event["event_id"].encode())


def wrong_board(body, k, by):
    """What is wrong with the events of an answer; None = nothing."""
    events = body["events"]
    if body["query"] != {"k": k, "by": by}:
        return f"the answer to {body['query']}"
    if len(events) > k:
        return f"{len(events)} events"
    keys = [order(e, by) for e in events]
    if keys != sorted(set(keys)):
        return "not in order"
    for place, event in enumerate(events):
        first = next(i for i, e in enumerate(events) if e[by] == event[by])
        if event["rank"] != first + 1:
            return f"rank {event['rank']} at place {place + 1}"
        if not 0 < event["rsvps"] <= event["headcount"]:
            return f"counts of {event['event_id']}"
    if not isinstance(body["tie_at_cutoff"], bool):
        return "no tie_at_cutoff"
    return None


def wrong_age(body, now, kept):
    as_of = datetime.datetime.fromisoformat(body["as_of"]).timestamp()
    age = now - as_of
    if age < -2:
        return f"as_of lies {-age:.1f} s ahead"
    limit = STALE if body["stale"] or kept else FRESH
    return f"{age:.1f} s old, stale is {body['stale']}" if age > limit \
        else None


class Readers(Load):
    """As Load; an answer that is wrong in any way is a failed one.

    away: a 503 that says when to come again is right; gone: so is what nginx
    has, since no worker may answer.
    """

    def __init__(self, url, clients=3, away=False, gone=False):
        super().__init__(url, PATHS, clients)
        self.away, self.gone = away, gone
        self.stale = self.refused = 0
        self.seen = threading.Lock()

    def ask(self, connection, path):
        k, by = BOARDS[PATHS.index(path[path.index("/api/"):])]
        begin = time.monotonic()
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            raw = answer.read()
        except (OSError, http.client.HTTPException) as why:
            return repr(why)
        took = time.monotonic() - begin
        wrong = self.wrong(answer, raw, k, by)
        if wrong is None and took > (GONE_LIMIT if self.gone else LIMIT):
            wrong = "too late"
        return wrong

    def wrong(self, answer, raw, k, by):
        kind = answer.headers.get_content_type()
        try:
            body = json.loads(raw, parse_constant=refuse_constant)
        except ValueError as why:
            return f"{answer.status} {kind}: {why}: {raw[:80]!r}"
        if (answer.status == 503 and self.away) or (
                answer.status in (502, 504) and self.gone):
            with self.seen:
                self.refused += 1
            if kind != "application/problem+json" \
                    or not answer.headers.get("Retry-After", "").isdigit():
                return f"{answer.status} {kind} without Retry-After"
            return None
        if answer.status != 200 or kind != "application/json":
            return f"{answer.status} {kind} {raw[:200]!r}"
        if body["stale"]:
            with self.seen:
                self.stale += 1
        kept = self.gone and \
            answer.headers.get("X-Turnout-Cache") in ("STALE", "UPDATING")
        return wrong_board(body, k, by) or wrong_age(body, time.time(), kept)
