"""Random questions about what is in a state.

A question is made around one RSVP, so that most answers have something in
them: its mtime is in the window or at its very edge, its group gives the
filters.
"""

import datetime
import urllib.parse

from oracle.answer import Asked
from oracle.question import Question
from oracle.window import EPOCH, STEPS, step_begin

DAY = 86400000
UNITS = {"m": 60000, "h": 3600000, "d": DAY}
LONGEST = 400 * DAY  # of a window that may be asked for
NAMES = ("country", "city", "group", "topic", "when")


class Questions:
    def __init__(self, dice, state, now_ms):
        self.dice, self.state, self.now_ms = dice, state, now_ms
        self.rsvps = list(state.yes())
        # Where more letters than those of ASCII have two cases.
        self.abroad = [rsvp for rsvp in self.rsvps
                       if not (self.group_of(rsvp)[1].city or "").isascii()]
        self.events = sorted(i for kind, i in state.details
                             if kind == "event")

    def one(self):
        return self.dice.choices((self.board, self.rank, self.history),
                                 (8, 1, 1))[0]()

    def board(self):
        anchor = self.dice.choice(self.rsvps)
        if self.abroad and self.dice.random() < 0.2:
            anchor = self.dice.choice(self.abroad)
        return Asked("topk", None, {
            **self.size(), **self.measure(),
            **self.window(anchor.mtime_ms), **self.filters(anchor)})

    def rank(self):
        """The place of an event, which mostly is on the board."""
        asked, dice = self.board(), self.dice
        told = dict(asked.parameters)
        told.pop("k", None)
        told["around"] = str(dice.choice((0, 1, 5, 20, dice.randint(0, 20))))
        question = Question.of(told, self.now_ms)
        events = sorted(question.counts(self.state, question.window))
        if not events or dice.random() < 0.1:
            events = self.events
        return Asked("rank", dice.choice(events), told)

    def history(self):
        """Some steps of an event, its RSVPs in them or not far away."""
        dice = self.dice
        anchor, step = dice.choice(self.rsvps), dice.choice(list(STEPS))
        points = dice.choice((1, 2, 24, 100, 1000, dice.randint(1, 1000)))
        points = min(points, 20 * 365 * DAY // STEPS[step])
        begin = step_begin(
            anchor.mtime_ms - dice.randint(-1, points) * STEPS[step], step)
        end = begin + points * STEPS[step] - dice.choice(
            (0, 0, 1, STEPS[step] - 1))
        if dice.random() < 0.2:
            return Asked("history", dice.choice(self.events),
                         dice.choice(({}, {"step": step})))
        return Asked("history", anchor.event_id, {
            "step": step, "from": self.written(begin),
            "to": self.written(end)})

    def size(self):
        dice = self.dice
        kind = dice.random()
        if kind < 0.1:
            return {}
        if kind < 0.5:
            return {"k": str(dice.randint(1, 20))}
        if kind < 0.8:
            return {"k": str(dice.randint(1, 200))}
        return {"k": str(dice.choice((1, 2, 100, 101, 999, 1000,
                                      dice.randint(1, 1000))))}

    def measure(self):
        return self.dice.choice((
            {}, {"by": "rsvps"}, {"by": "headcount"}, {"by": "headcount"}))

    # Time.

    def window(self, ms):
        """Some window that has this time in it, or just not."""
        return self.dice.choices(
            [lambda _: {}, self.sliding, self.ending, self.date, self.range],
            [20, 15, 20, 15, 30])[0](ms)

    def sliding(self, ms):
        unit = self.dice.choice("mhd")
        age = min(max(0, self.now_ms - ms), LONGEST - UNITS[unit])
        return {"window": self.dice.choice((
            "90m", "24h", "7d", "30d", self.length()[0],
            f"{age // UNITS[unit] + 1}{unit}"))}

    def length(self):
        unit = self.dice.choice("mhd")
        number = self.dice.choice((1, self.dice.randint(
            1, {"m": 3000, "h": 200, "d": 60}[unit])))
        return f"{number}{unit}", number * UNITS[unit]

    def ending(self, ms):
        text, size = self.length()
        end = ms + self.dice.choice((
            0, 1, size, size + 1, self.dice.randint(1, size)))
        return {"window": text, "to": self.written(end)}

    def date(self, ms):
        day = ms // DAY + self.dice.choice((0, 0, 0, 0, 1, -1))
        return {"date": (EPOCH + datetime.timedelta(days=day))
                .date().isoformat()}

    def range(self, ms):
        begin, end = sorted((self.instant(ms), self.instant(ms)))
        if self.dice.random() < 0.3:
            begin = ms
        if end <= begin:
            end = begin + self.dice.choice((1, 2, 1000, DAY))
        return {"from": self.written(begin), "to": self.written(end)}

    def instant(self, ms):
        """The time of an RSVP, the edge of a day, or any, or one beside."""
        dice = self.dice
        base = dice.choice((
            ms, dice.choice(self.rsvps).mtime_ms, ms // DAY * DAY,
            (ms // DAY + 1) * DAY, ms + dice.randint(-9 * DAY, 9 * DAY),
            ms // 3600000 * 3600000))
        return base + dice.choice((0, 0, -1, 1))

    def written(self, ms):
        """As RFC 3339 may write it."""
        offset = self.dice.choice((0, 0, 0, 0, 0, 330, -480, 60))
        when = EPOCH + datetime.timedelta(minutes=offset, milliseconds=ms)
        text = when.strftime("%Y-%m-%dT%H:%M:%S")
        if ms % 1000 or self.dice.random() < 0.2:
            text += f".{ms % 1000:03}"
            if ms % 100 == 0:
                text = text[:self.dice.choice((-2, -1, len(text)))]
        if offset:
            return (f"{text}{'-' if offset < 0 else '+'}"
                    f"{abs(offset) // 60:02}:{abs(offset) % 60:02}")
        return text + "Z" if self.dice.random() < 0.9 else \
            text.lower() + "z"

    # Filters.

    def filters(self, anchor):
        out = {}
        for name in self.dice.choice((
                (), (), ("country",), ("city",), ("city",), ("group",),
                ("topic",), ("when",), ("country", "when"),
                ("topic", "country"),
                self.dice.sample(NAMES, self.dice.randint(1, 5)))):
            value = getattr(self, name)(self.group_near(anchor))
            if value is not None:
                out[name] = value
        return out

    def group_near(self, anchor):
        """Mostly that of this RSVP, now and then that of another."""
        if self.dice.random() < 0.15:
            anchor = self.dice.choice(self.rsvps)
        return self.group_of(anchor)

    def group_of(self, rsvp):
        """(id, group) of its event."""
        event = self.state.details["event", rsvp.event_id]
        return event.group_id, self.state.details["group", event.group_id]

    def country(self, found):
        return self.cased(found[1].country)

    def city(self, found):
        if self.dice.random() < 0.03:
            return "Nowhere"
        return self.cased(found[1].city)

    def cased(self, text):
        """The same in other letters."""
        if not text:
            return None
        return self.dice.choice((text, text, text.upper(), text.lower(),
                                 text.swapcase()))

    def group(self, found):
        urlname = found[1].urlname
        if not urlname or self.dice.random() < 0.5:
            return str(found[0])
        return urlname

    def topic(self, found):
        topics = [key for key, _ in found[1].topics or () if key]
        return self.dice.choice(topics) if topics else None

    def when(self, _):
        return self.dice.choice(("any", "upcoming", "week", "past"))


def path_of(asked, dice):
    """The address, its parameters in some order and some spelling."""
    parameters = list(asked.parameters.items())
    dice.shuffle(parameters)
    quote = dice.choice((urllib.parse.quote_plus, urllib.parse.quote))
    words = [f"{name}={quote(value, safe=dice.choice(('', ':')))}"
             for name, value in parameters]
    path = "/api/topk"
    if asked.event_id is not None:
        path = (f"/api/events/{urllib.parse.quote(asked.event_id, safe='')}"
                f"/{asked.kind}")
    return path + ("?" if words else "") + "&".join(words)
