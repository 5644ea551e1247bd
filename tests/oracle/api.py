"""What the API answers, compared with what the messages say.

A cache may answer with what was true a moment ago, so an answer that differs
is asked for again, for a few seconds.
"""

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request

from .board import MEASURES
from .differ import Difference
from .source import Away
from .window import written

SIZES = (1, 5, 10, 100)
SAMPLE = 20   # events that are asked for one by one
PATIENCE = 5  # seconds


class Api:
    """url is where the site begins: URL/api/topk has the board.  patience:
    s in which an answer may still differ."""

    def __init__(self, url, patience=PATIENCE):
        self.url = url.rstrip("/")
        # What the environment says of proxies is not meant for this.
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}))
        self.until = time.monotonic() + patience

    def get(self, path):
        """(status, the JSON or None)."""
        try:
            with self.opener.open(self.url + path, timeout=30) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as answer:
            return answer.code, None
        except (OSError, ValueError, http.client.HTTPException) as why:
            raise Away(f"{self.url}: {why}") from why
        try:
            return status, json.loads(body)
        except ValueError:
            return status, None

    def compare(self, path, judge):
        """Differences of the answer; judge(its JSON) gives (name, expected,
        found) of each."""
        while True:
            status, body = self.get(path)
            if body is None:
                out = [Difference("api", (path,), "status", 200, status)]
            else:
                out = [Difference("api", (path,), *rest)
                       for rest in judge(body)]
            if not out or time.monotonic() > self.until:
                return out
            time.sleep(0.2)


def unlike(name, want, have):
    """(name, expected, found) of each value that is wanted and differs; what
    is null may be left out."""
    if isinstance(want, dict) and isinstance(have, dict):
        for key, value in want.items():
            yield from unlike(f"{name}.{key}" if name else key, value,
                              have.get(key))
    elif isinstance(want, list) and isinstance(have, list):
        if len(want) != len(have):
            yield f"number of {name}", len(want), len(have)
        for number, pair in enumerate(zip(want, have)):
            yield from unlike(f"{name}[{number}]", *pair)
    elif want != have or isinstance(want, bool) != isinstance(have, bool):
        yield name, want, have


def holds(want):
    """A judge of answers that must hold this at least."""
    return lambda body: unlike("", want, body)


def event_of(want, event_id, rsvps, headcount):
    """An event as an answer tells it."""
    event = want.details["event", event_id]
    group = want.details["group", event.group_id]
    venue = want.details.get(("venue", event.venue_id))
    return {
        "event_id": event_id, "name": event.name, "url": event.url,
        "starts_at": written(event.starts_ms),
        "rsvps": rsvps, "headcount": headcount,
        "group": {"group_id": event.group_id, "name": group.name,
                  "urlname": group.urlname, "city": group.city,
                  "state": group.state, "country": group.country},
        "venue": venue and {"venue_id": event.venue_id, **venue._asdict()}}


def board_of(want, k, by):
    rows, tie = want.board(k, by)
    events = []
    for rank, *row in rows:
        # All time has nothing before it.
        events.append({"rank": rank, "previous_rank": None,
                       **event_of(want, *row)})
    return {"query": {"k": k, "by": by}, "stale": False,
            "tie_at_cutoff": tie, "events": events}


def sample(want):
    """Events from all over the board, and some that have no yes."""
    counts = want.counts()
    ordered = [row[1] for row in want.board(len(counts))[0]]
    ordered += sorted(id_ for kind, id_ in want.details
                      if kind == "event" and id_ not in counts)
    step = max(1, len(ordered) // SAMPLE)
    return {event_id: counts.get(event_id, (0, 0))
            for event_id in ordered[::step][:SAMPLE] + ordered[-2:]}


def differences(want, url, patience=PATIENCE):
    """[Difference] of the boards and of some events."""
    api = Api(url, patience)
    out = []
    for by in MEASURES:
        for k in SIZES:
            out += api.compare(f"/api/topk?k={k}&by={by}",
                               holds(board_of(want, k, by)))
    for event_id, counts in sample(want).items():
        path = "/api/events/" + urllib.parse.quote(event_id, safe="")
        out += api.compare(path, holds(event_of(want, event_id, *counts)))
    return out
