"""One answer of the API, held against the messages value by value.

What the messages do not say is taken from the answer: when it was computed,
and where a window ends that has no other end.  Whether these are true is the
business of who asked.
"""

import collections

from .api import event_of
from .question import BEYOND, Question, history
from .window import STEPS, Window, instant, length, written

FILTERS = ("country", "city", "group", "topic", "when")
COMMON = {"query", "as_of", "lag", "version", "stale"}
MOST_POINTS = 1000

# kind: a key of JUDGES; event_id: of history and rank, else None;
# parameters: {name: value}, both text.
Asked = collections.namedtuple("Asked", "kind event_id parameters")


def differences(state, asked, body):
    """[(name, expected, found)]; [] = the answer is right.  What is to come
    and what is past is so at as_of."""
    return JUDGES[asked.kind](state, asked, body, instant(body["as_of"]))


def question_of(asked, body, now_ms):
    """A window that has no end ends where the answer says."""
    told = dict(asked.parameters)
    if "window" in told and "to" not in told:
        told["to"] = body["query"].get("to", "")
    return Question.of(told, now_ms)


def exactly(name, want, have):
    """(name, expected, found) of whatever is not the same."""
    if isinstance(want, dict) and isinstance(have, dict):
        for key in sorted(set(want) | set(have)):
            if key not in have:
                yield f"{name}.{key}", want[key], "(absent)"
            elif key not in want:
                yield f"{name}.{key}", "(absent)", have[key]
            else:
                yield from exactly(f"{name}.{key}", want[key], have[key])
    elif isinstance(want, list) and isinstance(have, list):
        if len(want) != len(have):
            yield f"number of {name}", len(want), len(have)
        for number, pair in enumerate(zip(want, have)):
            yield from exactly(f"{name}[{number}]", *pair)
    elif want != have or isinstance(want, bool) != isinstance(have, bool):
        yield name, want, have


def query_of(asked, question, names):
    """What the answer repeats of the question: the names that are always
    there, and what was given."""
    told = asked.parameters
    out = {name: getattr(question, name) for name in names}
    out.update((name, told[name]) for name in (
        "window", "date", *FILTERS) if name in told)
    if question.window is not None:
        out["from"], out["to"] = map(written, question.window)
    if out.get("when") == "any":
        del out["when"]
    return out


def any_case(query):
    """A query without the case of its places: an answer may tell them as
    they were asked for by somebody else."""
    return {name: value.casefold() if name in ("country", "city")
            and isinstance(value, str) else value
            for name, value in query.items()}


def frame(query, body, members):
    """What all answers have around their rows."""
    yield from exactly("query", any_case(query), any_case(body["query"]))
    yield from exactly("stale", False, body["stale"])
    yield from exactly("members", sorted(COMMON | set(members)), sorted(body))
    for name in members:
        if name in body:
            yield from exactly(name, members[name], body[name])


def entry_of(state, row, previous):
    """A row of a board as an answer tells it."""
    out = {"rank": row.rank, **event_of(state, *row[2:])}
    if previous:
        out["previous_rank"] = row.previous_rank
    return out


def board(state, asked, body, now_ms):
    question = question_of(asked, body, now_ms)
    rows, tie = question.board(state)
    return list(frame(query_of(asked, question, ("k", "by")), body, {
        "tie_at_cutoff": tie,
        "events": [entry_of(state, row, question.window is not None)
                   for row in rows]}))


def rank(state, asked, body, now_ms):
    question = question_of(asked, body, now_ms)
    rows = question.place(state, asked.event_id)
    own = {row.event_id: row.rank for row in rows}.get(asked.event_id)
    return list(frame(query_of(asked, question, ("around", "by")), body, {
        "event_id": asked.event_id, "rank": own,
        "beyond": BEYOND if rows and own is None else None,
        "events": [entry_of(state, row, False) for row in rows]}))


def steps(state, asked, body, _):
    """A history.  Without from and to it is of some whole steps that have all
    of the event's RSVPs, or as many as may be told."""
    told = asked.parameters
    step = told.get("step", "1d")
    query = {"step": step}
    points, found = [], {**body["query"], **told}
    if "from" in found:
        points = history(state, asked.event_id, step, Window(
            instant(found["from"]), instant(found["to"])))
        query["from"] = written(points[0][0])
        query["to"] = written(points[-1][0] + STEPS[step])
    out = list(frame(query, body, {"event_id": asked.event_id, "points": [
        {"at": written(at), "rsvps": rsvps, "headcount": people}
        for at, rsvps, people in points]}))
    if "from" not in told and len(points) < MOST_POINTS:
        want = state.counts().get(asked.event_id, (0, 0))
        out += exactly("sum of points", want[0], sum(p[1] for p in points))
    return out


JUDGES = {"topk": board, "rank": rank, "history": steps}


def span(asked, body):
    """(begin, end) in ms of the window in an answer that slides: its end is
    that of the answer; None when it does not slide."""
    told = asked.parameters
    if "window" not in told or "to" in told:
        return None
    end = instant(body["query"]["to"])
    return end - length(told["window"]), end
