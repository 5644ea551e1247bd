"""The judge: what the tables and boards must hold after some messages.

Written from DESIGN (the message, the version, details by log order, counters,
days, boards) and from nothing of the C; standard library only.  It is slow
and simple on purpose: dictionaries, one rule a function.
"""

import collections
import datetime
import functools
import json

ORDER = {"yes": 0, "waitlist": 1, "no": 2}
FIRST_MTIME = 946684800000  # 2000-01-01
DAY_MS = 86400000
MAX_VALUE = 65536
MAX_DEPTH = 16
MAX_TEXT = 4096
MAX_TOPICS = 100
MAX_TIME = 4102444800000  # 2100-01-01, of an event's start

# A record of the log; ts, partition and offset are its place.
Record = collections.namedtuple("Record", "ts partition offset value")

Rsvp = collections.namedtuple(
    "Rsvp", "rsvp_id event_id member_id mtime_ms response guests")
Event = collections.namedtuple(
    "Event", "name url starts_ms group_id venue_id")
Group = collections.namedtuple(
    "Group", "name urlname city state country lat lon topics")
Venue = collections.namedtuple("Venue", "name lat lon")
Member = collections.namedtuple("Member", "name photo")


class Bad(Exception):
    """Not a message; the text says why."""


def depth(thing):
    if isinstance(thing, dict):
        return 1 + max(map(depth, thing.values()), default=0)
    if isinstance(thing, list):
        return 1 + max(map(depth, thing), default=0)
    return 0


def strings(thing):
    """Every string in it, keys too."""
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, dict):
        for name, value in thing.items():
            yield name
            yield from strings(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from strings(value)


def refuse(word):
    raise Bad(f"{word} is not JSON")


def get(thing, name, kind, required=False):
    """A field of the wanted type; an absent or null one is None."""
    value = thing.get(name)
    if value is None:
        if required:
            raise Bad(f"{name} is missing")
        return None
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if type(value) not in kinds:
        raise Bad(f"{name} has the wrong type")
    if type(value) is str and len(text(value).encode()) > MAX_TEXT:
        raise Bad(f"{name} is too long")
    return value


def get_int(thing, name, low, high, required=False):
    value = get(thing, name, int, required)
    if value is not None and not low <= value <= high:
        raise Bad(f"{name} is out of range")
    return value


def coordinate(thing, name, limit):
    value = get(thing, name, (int, float))
    if value is not None and not -limit <= value <= limit:
        raise Bad(f"{name} is out of range")
    return None if value is None else float(value)


def place(thing, lat_name, lon_name):
    """(lat, lon), or neither: one alone says nothing."""
    lat = coordinate(thing, lat_name, 90)
    lon = coordinate(thing, lon_name, 180)
    return (None, None) if lat is None or lon is None else (lat, lon)


def text(value):
    """As a strict decoder hands it on: a lone surrogate is U+FFFD."""
    if value is None:
        return None
    return "".join("\ufffd" if 0xD800 <= ord(c) <= 0xDFFF else c
                   for c in value)


def load(value):
    """The JSON object in the bytes of a record."""
    if not value:
        raise Bad("empty")
    if len(value) > MAX_VALUE:
        raise Bad("too large")
    try:
        whole = json.loads(value.decode("utf-8"), parse_constant=refuse)
    except (UnicodeDecodeError, ValueError, RecursionError) as why:
        raise Bad(str(why)) from why
    if not isinstance(whole, dict):
        raise Bad("not an object")
    if depth(whole) > MAX_DEPTH:
        raise Bad("too deep")
    if b"\\u0000" in value and any("\0" in s for s in strings(whole)):
        raise Bad("holds a NUL")
    return whole


def parse(value, now_ms=None):
    """(Rsvp, {(kind, id): content}) of a record's bytes, or Bad."""
    whole = load(value)
    big = 2 ** 63 - 1
    event = get(whole, "event", dict, required=True)
    group = get(whole, "group", dict, required=True)
    venue = get(whole, "venue", dict)
    member = get(whole, "member", dict)
    latest = big if now_ms is None else now_ms + DAY_MS
    rsvp_id = get_int(whole, "rsvp_id", 1, big - 1, required=True)
    mtime = get_int(whole, "mtime", FIRST_MTIME, latest, required=True)
    response = get(whole, "response", str, required=True)
    if response not in ORDER:
        raise Bad("response is none of yes, no, waitlist")
    guests = get_int(whole, "guests", 0, 1000)
    event_id = text(get(event, "event_id", str, required=True))
    if not 1 <= len(event_id.encode()) <= 512:
        raise Bad("event_id is empty or too long")
    group_id = get_int(group, "group_id", 1, big - 1, required=True)
    details = {}
    venue_id = member_id = None
    if venue is not None:
        venue_id = get_int(venue, "venue_id", 1, big - 1, required=True)
        lat, lon = place(venue, "lat", "lon")
        if lat == 0 and lon == 0:
            lat = lon = None
        details["venue", venue_id] = Venue(
            text(get(venue, "venue_name", str)), lat, lon)
    if member is not None:
        member_id = get_int(member, "member_id", 1, big - 1, required=True)
        details["member", member_id] = Member(
            text(get(member, "member_name", str)),
            text(get(member, "photo", str)))
    details["event", event_id] = Event(
        text(get(event, "event_name", str)), text(get(event, "event_url", str)),
        get_int(event, "time", 0, MAX_TIME), group_id, venue_id)
    details["group", group_id] = Group(
        text(get(group, "group_name", str)),
        text(get(group, "group_urlname", str)),
        text(get(group, "group_city", str)),
        text(get(group, "group_state", str)),
        text(get(group, "group_country", str)),
        *place(group, "group_lat", "group_lon"), topics(group))
    return (Rsvp(rsvp_id, event_id, member_id, mtime, response, guests),
            details)


def topics(group):
    """(urlkey, name) pairs in their order; None when there was no list."""
    found = get(group, "group_topics", list)
    if found is None:
        return None
    if len(found) > MAX_TOPICS:
        raise Bad("too many topics")
    for topic in found:
        if not isinstance(topic, dict):
            raise Bad("a topic is not an object")
    return tuple((text(get(t, "urlkey", str)),
                  text(get(t, "topic_name", str))) for t in found)


def version(rsvp):
    """The greatest of an rsvp_id is its state."""
    guests = -1 if rsvp.guests is None else rsvp.guests
    member = -1 if rsvp.member_id is None else rsvp.member_id
    return ((rsvp.mtime_ms + 500) // 1000, rsvp.mtime_ms % 1000 != 0,
            rsvp.mtime_ms, ORDER[rsvp.response], guests,
            rsvp.event_id.encode(), member)


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
    """

    def __init__(self):
        self.rsvps = {}
        self.details = {}
        self.places = {}
        self.bad = []

    def add(self, record):
        try:
            rsvp, details = parse(record.value, record.ts)
        except Bad:
            self.bad.append(record)
            return
        old = self.rsvps.get(rsvp.rsvp_id)
        if old is None or version(rsvp) > version(old):
            self.rsvps[rsvp.rsvp_id] = rsvp
        where = (record.ts, record.partition, record.offset)
        for name, content in details.items():
            if name not in self.places or where > self.places[name]:
                self.places[name] = where
                self.details[name] = content

    def yes(self):
        return (r for r in self.rsvps.values() if r.response == "yes")

    def counts(self):
        """{event_id: (rsvps, headcount)}, without zeros."""
        out = collections.defaultdict(lambda: (0, 0))
        for r in self.yes():
            n, people = out[r.event_id]
            out[r.event_id] = n + 1, people + 1 + (r.guests or 0)
        return dict(out)

    def days(self):
        """{(event_id, day): (rsvps, headcount)} by the UTC day of mtime."""
        out = collections.defaultdict(lambda: (0, 0))
        for r in self.yes():
            name = r.event_id, day_name(r.mtime_ms // DAY_MS)
            n, people = out[name]
            out[name] = n + 1, people + 1 + (r.guests or 0)
        return dict(out)

    def board(self, k, by="rsvps"):
        """([(rank, event_id, rsvps, headcount)], tie_at_cutoff)."""
        measure = ("rsvps", "headcount").index(by)
        rows = sorted(self.counts().items(),
                      key=lambda row: (-row[1][measure], row[0].encode()))
        out = []
        for place, (event_id, counts) in enumerate(rows[:k], 1):
            rank = place
            if out and out[-1][2 + measure] == counts[measure]:
                rank = out[-1][0]
            out.append((rank, event_id, *counts))
        tie = (len(rows) > k > 0
               and rows[k - 1][1][measure] == rows[k][1][measure])
        return out, tie


def state_of(records):
    out = State()
    for record in records:
        out.add(record)
    return out


def state_of_file(lines):
    """The state after an import: an RSVP's mtime is its record's time."""
    out = State()
    for number, line in enumerate(lines):
        line = line.rstrip(b"\r\n")
        try:
            ts = json.loads(line)["mtime"]
        except (ValueError, TypeError, KeyError):
            ts = 0
        out.add(Record(ts, -1, number, line))
    return out
