"""What any messages come to: winners, details, counters, days, bad ones."""

import collections
import datetime
import functools
import itertools
import time

from . import board as boards
from .grammar import DAY_MS, HOUR_MS, Bad, parse, version
from .source import records_of_lines


@functools.lru_cache(maxsize=4096)
def day_name(number):
    return (datetime.date(1970, 1, 1)
            + datetime.timedelta(days=number)).isoformat()


class State:
    """What the database must hold.

    rsvps   {rsvp_id: Rsvp}
    details {(kind, id): content}
    places  {(kind, id): (ts, partition, offset)} of the stored content
    bad     [Record] in the order they were added
    reasons [codes of each of them, of which one is told]
    """

    def __init__(self):
        self.rsvps = {}
        self.details = {}
        self.places = {}
        self.bad = []
        self.reasons = []

    def add(self, record):
        """A record; one without a timestamp has that of its RSVP."""
        now_ms = time.time() * 1000 if record.ts is None else record.ts
        try:
            rsvp, details = parse(record.value, now_ms)
        except Bad as why:
            self.bad.append(record)
            self.reasons.append(why.reasons)
            return
        old = self.rsvps.get(rsvp.rsvp_id)
        if old is None or version(rsvp) > version(old):
            self.rsvps[rsvp.rsvp_id] = rsvp
        ts = rsvp.mtime_ms if record.ts is None else record.ts
        where = (ts, record.partition, record.offset)
        for name, content in details.items():
            if name not in self.places or where > self.places[name]:
                self.places[name] = where
                self.details[name] = content

    def yes(self):
        return (r for r in self.rsvps.values() if r.response == "yes")

    def counts(self, window=None):
        """{event_id: (rsvps, headcount)}, without zeros; of a window only
        the RSVPs whose mtime is in it."""
        return total((r.event_id, r) for r in self.yes()
                     if window is None or r.mtime_ms in window)

    def days(self):
        """{(event_id, day): (rsvps, headcount)} by the UTC day of mtime."""
        return total(((r.event_id, day_name(r.mtime_ms // DAY_MS)), r)
                     for r in self.yes())

    def hours(self, some):
        """{(event_id, day): (rsvps, headcounts)} of some of days(), each 24
        running totals to the end of an hour (UTC)."""
        adds = total(((*name, r.mtime_ms % DAY_MS // HOUR_MS), r)
                     for r in self.yes()
                     for name in [(r.event_id, day_name(r.mtime_ms // DAY_MS))]
                     if name in some)
        return {name: tuple(list(itertools.accumulate(n)) for n in zip(*(
            adds.get((*name, hour), (0, 0)) for hour in range(24))))
                for name in some}

    def spans(self):
        """{event_id: (first, last)} of the days."""
        out = {}
        for event_id, day in self.days():
            first, last = out.get(event_id, (day, day))
            out[event_id] = min(first, day), max(last, day)
        return out

    def board(self, k, by="rsvps"):
        """([(rank, event_id, rsvps, headcount)], tie_at_cutoff)."""
        return boards.board(self.counts(), k, by)


def total(named):
    """{name: (RSVPs, people)} of pairs of a name and a yes."""
    out = collections.defaultdict(lambda: (0, 0))
    for name, rsvp in named:
        rsvps, people = out[name]
        out[name] = rsvps + 1, people + 1 + (rsvp.guests or 0)
    return dict(out)


def state_of(records):
    out = State()
    for record in records:
        out.add(record)
    return out


def state_of_file(lines, name=None):
    """The state after an import of these lines; the name is the file's."""
    return state_of(records_of_lines(lines, name))
