"""What is asked, as the parameters say it, and what the messages answer.

    asked = Question.of({"k": "5", "window": "7d", "city": "oslo"}, now_ms)
    asked.board(state)
"""

import collections

from . import board as boards
from .window import STEPS, Window, day, instant, length, step_begin

PREVIOUS = 100  # ranks of the window before that are told
WEEK = 7 * 24 * 3600 * 1000
BEYOND = 1000   # and of the board, when one event is asked for
PRESETS = {"k": "10", "by": "rsvps", "when": "any", "around": "0"}

Row = collections.namedtuple(
    "Row", "rank previous_rank event_id rsvps headcount")


class Question(collections.namedtuple(
        "Question", "k by window country city group topic when around"
        " now_ms")):
    """window None = all time; a filter None = not given."""

    @classmethod
    def of(cls, parameters, now_ms):
        """Of {name: value}, both text; now_ms is when it is answered, where
        a window ends that has no other end."""
        told = {**PRESETS, **parameters}
        filters = [told.get(name) for name in (
            "country", "city", "group", "topic", "when")]
        return cls(int(told["k"]), told["by"], window_of(told, now_ms),
                   *filters, int(told["around"]), now_ms)

    def fits(self, state, event_id):
        """Whether the filters let an event through."""
        event = state.details["event", event_id]
        group = state.details["group", event.group_id]
        return (alike(self.country, group.country)
                and alike(self.city, group.city)
                and self.group in (None, str(event.group_id), group.urlname)
                and (self.topic is None or any(
                    urlkey == self.topic for urlkey, _ in group.topics or ()))
                and self.in_time(event.starts_ms))

    def in_time(self, starts_ms):
        if self.when == "any":
            return True
        if starts_ms is None:
            return False
        if self.when == "past":
            return starts_ms < self.now_ms
        end = self.now_ms + WEEK if self.when == "week" else float("inf")
        return self.now_ms <= starts_ms < end

    def counts(self, state, window):
        """{event_id: (rsvps, headcount)} of the events that fit."""
        return {event_id: both
                for event_id, both in state.counts(window).items()
                if self.fits(state, event_id)}

    def board(self, state):
        """([Row], tie_at_cutoff)."""
        rows, tie = boards.board(self.counts(state, self.window), self.k,
                                 self.by)
        before = self.previous_ranks(state)
        return [Row(rank, before.get(event_id), event_id, *both)
                for rank, event_id, *both in rows], tie

    def previous_ranks(self, state):
        """{event_id: rank} of the first places in the window just before;
        all time has none."""
        if self.window is None:
            return {}
        ranks = boards.ranks(self.counts(state, self.window.before()),
                             self.by)
        return {event_id: rank for event_id, rank in ranks.items()
                if rank <= PREVIOUS}

    def place(self, state, event_id):
        """[Row] of it and of those around it; [] when it is not on the
        board.  Beyond the last rank that is told it stands alone, without a
        rank."""
        counts = self.counts(state, self.window)
        rows, _ = boards.board(counts, len(counts), self.by)
        for place, (rank, found, *both) in enumerate(rows):
            if found == event_id and rank > BEYOND:
                return [Row(None, None, found, *both)]
            if found == event_id:
                near = rows[max(0, place - self.around):
                            place + self.around + 1]
                return [Row(row[0], None, *row[1:]) for row in near]
        return []


def folded(text):
    """Equal for texts that differ in case only: the default caseless match
    of Unicode (section 3.13), and a dotless i is that of "KADIKOY", too."""
    return text.upper().casefold()


def alike(asked, value):
    """Whether a text is the one that is asked for, whatever its case."""
    return asked is None or (
        value is not None and folded(value) == folded(asked))


def window_of(told, now_ms):
    """What the parameters say of time; None = all."""
    if "window" in told:
        end = instant(told["to"]) if "to" in told else now_ms
        return Window(end - length(told["window"]), end)
    if "date" in told:
        return day(told["date"])
    if "from" in told:
        return Window(instant(told["from"]), instant(told["to"]))
    return None


def history(state, event_id, step, window):
    """[(when it begins, rsvps, headcount)] of each step that begins in the
    window; what the window cuts off is in them."""
    out = {}
    at = step_begin(window.begin, step)
    while at < window.end:
        out[at] = (0, 0)
        at += STEPS[step]
    for rsvp in state.yes():
        at = step_begin(rsvp.mtime_ms, step)
        if rsvp.event_id == event_id and at in out:
            rsvps, people = out[at]
            out[at] = rsvps + 1, people + 1 + (rsvp.guests or 0)
    return [(at, *both) for at, both in sorted(out.items())]
