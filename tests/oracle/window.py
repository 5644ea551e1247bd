"""Times in a question: a stretch of time, a day, an instant; in ms since 1970.

A window is half open: what is at its end is not in it.
"""

import collections
import datetime
import re

from .grammar import DAY_MS, HOUR_MS

UNITS = {"m": 60000, "h": HOUR_MS, "d": DAY_MS}
STEPS = {"1h": HOUR_MS, "1d": DAY_MS, "1w": 7 * DAY_MS}
MONDAY_MS = 4 * DAY_MS  # 1970-01-05, a Monday
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,3}))?"
    r"(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)


class Window(collections.namedtuple("Window", "begin end")):
    def __contains__(self, ms):
        return self.begin <= ms < self.end

    def before(self):
        """The one that ends where this begins, as long as this."""
        return Window(self.begin - (self.end - self.begin), self.begin)


def length(text):
    """90m, 24h, 7d."""
    return int(text[:-1]) * UNITS[text[-1]]


def day(text):
    """The day of this date, UTC."""
    begin = instant(text + "T00:00:00Z")
    return Window(begin, begin + DAY_MS)


def instant(text):
    """The time that RFC 3339 writes so; ValueError when it is none."""
    parts = INSTANT.fullmatch(text)
    if parts is None:
        raise ValueError(text)
    date, clock, fraction, sign, hours, minutes = parts.groups()
    whole = datetime.datetime.fromisoformat(f"{date}T{clock}+00:00") - EPOCH
    ms = whole // datetime.timedelta(milliseconds=1)
    ms += int((fraction or "").ljust(3, "0"))
    if sign is not None:
        ahead = int(hours) * HOUR_MS + int(minutes) * UNITS["m"]
        ms -= ahead if sign == "+" else -ahead
    return ms


def written(ms):
    """The same as the API writes it."""
    if ms is None:
        return None
    when = EPOCH + datetime.timedelta(milliseconds=ms)
    unit = "milliseconds" if ms % 1000 else "seconds"
    return when.isoformat(timespec=unit).replace("+00:00", "Z")


def step_begin(ms, step):
    """Where the hour, the day or the week that holds this time begins; weeks
    begin on Monday."""
    size = STEPS[step]
    origin = MONDAY_MS if step == "1w" else 0
    return (ms - origin) // size * size + origin
