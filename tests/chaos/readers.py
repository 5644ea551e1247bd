"""Clients that ask for boards all the time and check every answer.

What is checked, by the names of the invariants: one snapshot whose age is
told and bounded, and that no older one had more (I15, I17), the total order,
ranks and tie, as long as it can be (I16), the answer of the question that was
asked (I18, I20), a well-formed answer in time (I21), JSON that a strict parser
takes (I23).  Whether the first k are the right ones the oracle says, when all
is stored (storm.py).
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
# s between two questions of one client: what it costs to ask is not to slow
# down those who answer, on the same two cores.
PAUSE = 0.005
# s: as_of is when a statement began, and its snapshot may be a moment younger.
LATER = 1.0


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
    tie = body["tie_at_cutoff"]
    if not isinstance(tie, bool) or (tie and len(events) < k):
        return f"tie_at_cutoff is {tie}"
    return None


def snapshot(body):
    """When it was taken, in seconds since 1970."""
    return datetime.datetime.fromisoformat(body["as_of"]).timestamp()


def wrong_age(body, now, limit):
    age = now - snapshot(body)
    if age < -2:
        return f"as_of lies {-age:.1f} s ahead"
    return f"{age:.1f} s old, stale is {body['stale']}" if age > limit \
        else None


class Earlier:
    """What earlier answers said; threads share it.

    versions: they only grow.  A PostgreSQL that crashed may have lost its
    last commits, which ingest then stores again: what was told of them is
    forgotten.
    """

    def __init__(self, versions):
        self.versions = versions
        self.newest = (0.0, 0)  # snapshot and version
        self.longest = []  # snapshots, each with more events than any before
        self.since = 0.0  # the first snapshot after commits were lost
        self.last = {}  # by question: its newest, and the events
        self.lock = threading.Lock()

    def wrong(self, body, k, by):
        """Whether it contradicts them; if not, it is one of them."""
        with self.lock:
            return self.compare(snapshot(body), body["version"],
                                body["events"], (k, by))

    def compare(self, at, version, events, question):
        if self.newest[0] + LATER < at and version < self.newest[1]:
            if self.versions:
                return f"version {version} after {self.newest[1]}"
            self.longest, self.since = [], at
        known = self.events_until(at - LATER)
        # RSVPs are taken back, too, but not those of half of the events.
        if len(events) < min(question[0], known // 2):
            return f"{len(events)} events, there were {known}"
        before, same = self.last.get(question, ((0.0, 0), None))
        if before == (at, version) and same != events:
            return "two answers from one snapshot"
        if before < (at, version):
            self.last[question] = ((at, version), events)
        self.newest = max(self.newest, (at, version))
        if at >= self.since and len(events) > self.events_until(at):
            self.longest.append((at, len(events)))
        return None

    def events_until(self, at):
        return max((n for told, n in self.longest if told <= at), default=0)


class Readers(Load):
    """As Load; an answer that is wrong in any way is a failed one.

    away: a 503 that says when to come again is right; gone: so is what nginx
    has, since no worker may answer.  pause: s between two questions of one
    client.
    """

    fresh = FRESH

    def __init__(self, url, clients=3, away=False, gone=False, pause=PAUSE):
        super().__init__(url, PATHS, clients)
        self.away, self.gone, self.pause = away, gone, pause
        self.earlier = Earlier(versions=not away)
        self.stale = self.refused = 0
        self.seen = threading.Lock()

    def ask(self, connection, path):
        k, by = BOARDS[PATHS.index(path[path.index("/api/"):])]
        time.sleep(self.pause)
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
        limit = STALE if body["stale"] or kept else self.fresh
        return (wrong_board(body, k, by)
                or wrong_age(body, time.time(), limit)
                or self.earlier.wrong(body, k, by))
