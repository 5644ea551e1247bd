"""What the API is asked for besides the boards of all time: windows, filters,
places, histories, around the RSVPs that there are.

The windows end at given times, so that the same messages make the same
questions, and an answer does not depend on when it is asked for.
"""

import urllib.parse

from . import answer
from .answer import Asked
from .api import Api
from .grammar import DAY_MS
from .question import Question
from .window import length, written

WINDOWS = ("90m", "24h", "7d", "30d", "90d")
EARLIEST = 100 * DAY_MS  # after 1970: so long a window may be


def topk(**told):
    return Asked("topk", None, told)


def windows(times):
    """Up to the newest RSVP and without it; a day, and a stretch, of which
    half of the RSVPs are outside."""
    newest, middle = times[-1], times[len(times) // 2]
    for window in WINDOWS:
        yield {"window": window, "to": written(newest + 1)}
    yield {"window": "7d", "to": written(newest)}
    yield {"date": written(middle // DAY_MS * DAY_MS)[:10]}
    yield {"from": written(times[len(times) // 4]),
           "to": written(times[3 * len(times) // 4] + 1)}


def filters(group_id, group):
    """Each by itself, in other letters where they do not matter."""
    yield {"group": str(group_id)}
    if group.urlname:
        yield {"group": group.urlname}
    if group.country:
        yield {"country": group.country.upper()}
    if group.city:
        yield {"city": group.city.upper()}
    for urlkey, _ in (group.topics or ())[:1]:
        if urlkey:
            yield {"topic": urlkey}
    yield {"when": "past"}


def questions(state):
    """Asked after asked; none where nobody says yes."""
    times = sorted(rsvp.mtime_ms for rsvp in state.yes())
    if not times or times[-1] < EARLIEST:
        return
    week = {"window": "7d", "to": written(times[-1] + 1)}
    for told in windows(times):
        yield topk(k="10", **told)
        yield topk(k="100", by="headcount", **told)
    of_week = Question.of(week, 0)
    rows, _ = of_week.board(state)
    first = state.details["event", rows[0].event_id]
    for told in filters(first.group_id,
                        state.details["group", first.group_id]):
        yield topk(**told)
        yield topk(**told, **week)
    for row in (rows[0], rows[len(rows) // 2]):
        yield Asked("rank", row.event_id, {"around": "3", **week})
        for step in ("1h", "1d", "1w"):
            yield Asked("history", row.event_id, {
                "step": step, "to": written(times[-1] + 1),
                "from": written(times[-1] - length("7d"))})


def path_of(asked):
    path = "/api/topk"
    if asked.event_id is not None:
        path = (f"/api/events/{urllib.parse.quote(asked.event_id, safe='')}"
                f"/{asked.kind}")
    return f"{path}?{urllib.parse.urlencode(asked.parameters, safe=':')}"


def differences(want, url):
    """[Difference] of the answers."""
    api = Api(url)
    out = []
    for asked in questions(want):
        out += api.compare(
            path_of(asked),
            lambda body, asked=asked: answer.differences(want, asked, body))
    return out
