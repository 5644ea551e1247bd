"""One answer of the API, held against the messages value by value.

What the messages do not say is taken from the answer: when it was computed,
and where a window ends that has no other end.  Whether these are true is the
business of who asked.
"""

import collections

from .api import event_of
from .question import Question, history
from .window import instant, length, written

FILTERS = ("country", "city", "group", "topic", "when")
COMMON = {"query", "as_of", "lag", "version", "stale"}
SLACK = 250  # ms that the clocks of a worker and of PostgreSQL lie apart

# kind: a key of JUDGES; event_id: of history and rank, else None;
# parameters: {name: value}, both text.
Asked = collections.namedtuple("Asked", "kind event_id parameters")


def differences(state, asked, body):
    """[(name, expected, found)]; [] = the answer is right.

    What starts now may be to come for a worker and past for PostgreSQL, so a
    filter by the start may be right for either.
    """
    as_of = instant(body["as_of"])
    found = JUDGES[asked.kind](state, asked, body, as_of)
    if found and asked.parameters.get("when", "any") != "any":
        found = JUDGES[asked.kind](state, asked, body, as_of - SLACK) and found
    return found


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


def frame(asked, question, body, names, members):
    """What all answers have around their rows."""
    yield from exactly("query", any_case(query_of(asked, question, names)),
                       any_case(body["query"]))
    yield from exactly("stale", False, body["stale"])
    yield from exactly("members", sorted(COMMON | members), sorted(body))


def entry_of(state, row, previous):
    """A row of a board as an answer tells it."""
    out = {"rank": row.rank, **event_of(state, *row[2:])}
    if previous:
        out["previous_rank"] = row.previous_rank
    return out


def board(state, asked, body, now_ms):
    question = question_of(asked, body, now_ms)
    rows, tie = question.board(state)
    out = list(frame(asked, question, body, ("k", "by"),
                     {"tie_at_cutoff", "events"}))
    out += exactly("tie_at_cutoff", tie, body["tie_at_cutoff"])
    out += exactly("events", [
        entry_of(state, row, question.window is not None) for row in rows],
        body["events"])
    return out


JUDGES = {"topk": board}


def span(asked, body):
    """(begin, end) in ms of the window in an answer that slides: its end is
    that of the answer; None when it does not slide."""
    told = asked.parameters
    if "window" not in told or "to" in told:
        return None
    end = instant(body["query"]["to"])
    return end - length(told["window"]), end
