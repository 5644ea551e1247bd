"""A message: an RSVP and the details it tells, or all that is wrong with it.

A message may have several faults, and no page says which is told first: every
code that holds is as good as another.
"""

import collections
import time

from . import json_text

ORDER = {"yes": 0, "waitlist": 1, "no": 2}
FIRST_MTIME = 946684800000  # 2000-01-01
HOUR_MS = 3600000
DAY_MS = 24 * HOUR_MS
MAX_ID = 2 ** 63 - 2
MAX_GUESTS = 1000
MAX_EVENT_ID = 512  # bytes, as all lengths here
MAX_TEXT = 4096
MAX_TOPICS = 100
MAX_TIME = 4102444800000  # 2100-01-01, of any time

Rsvp = collections.namedtuple(
    "Rsvp", "rsvp_id event_id member_id mtime_ms response guests")
Event = collections.namedtuple(
    "Event", "name url starts_ms group_id venue_id")
Group = collections.namedtuple(
    "Group", "name urlname city state country lat lon topics")
Venue = collections.namedtuple("Venue", "name lat lon")
Member = collections.namedtuple("Member", "name photo")


class Bad(Exception):
    """Not a message; reasons has every code that is right for it."""

    def __init__(self, reasons):
        super().__init__(" ".join(reasons))
        self.reasons = tuple(reasons)


class Fields:
    """Takes fields out of objects; a field that is wrong is None, and its
    fault is noted."""

    def __init__(self):
        self.faults = []

    def take(self, thing, name, kinds, required=False):
        """The value of one of the types; null is the same as absent."""
        value = (thing or {}).get(name)
        if value is None:
            if required and thing is not None:
                self.faults.append("missing_" + name)
            return None
        if type(value) not in kinds:  # True is no int here
            self.faults.append("type_" + name)
            return None
        return value

    def number(self, thing, name, low, high, required=False, kinds=(int,)):
        value = self.take(thing, name, kinds, required)
        if value is not None and not low <= value <= high:
            self.faults.append(name + "_range")
            return None
        return value

    def id(self, thing, name):
        return self.number(thing, name, 1, MAX_ID, required=True)

    def text(self, thing, name, low=0, high=MAX_TEXT, required=False):
        value = self.take(thing, name, (str,), required)
        if value is None:
            return None
        value = decoded(value)
        if not low <= len(value.encode()) <= high:
            self.faults.append(name + "_length")
        return value

    def place(self, thing, lat_name, lon_name):
        """(lat, lon), or neither: one alone says nothing."""
        lat = self.number(thing, lat_name, -90, 90, kinds=(int, float))
        lon = self.number(thing, lon_name, -180, 180, kinds=(int, float))
        if lat is None or lon is None:
            return None, None
        return float(lat), float(lon)

    def topics(self, group):
        """(urlkey, name) pairs in their order; None when there is no list."""
        found = self.take(group, "group_topics", (list,))
        if found is None:
            return None
        if len(found) > MAX_TOPICS:
            self.faults.append("group_topics_length")
        if any(type(topic) is not dict for topic in found):
            self.faults.append("type_group_topics")
            return None
        return tuple((self.text(t, "urlkey"), self.text(t, "topic_name"))
                     for t in found)


def decoded(text):
    """As a strict decoder hands it on: a lone surrogate is U+FFFD."""
    if text.isascii():
        return text
    return "".join("\ufffd" if 0xD800 <= ord(c) <= 0xDFFF else c
                   for c in text)


def parse(value, now_ms=None):
    """(Rsvp, {(kind, id): content}) of a record's bytes, or Bad.

    now_ms is the timestamp of its record, or the time of day without one:
    an mtime may lead it by a day, and not more.
    """
    try:
        whole = json_text.load(value)
    except json_text.NoObject as why:
        raise Bad(why.reasons) from why
    fields = Fields()
    rsvp, details = message(fields, whole, now_ms)
    if fields.faults:
        raise Bad(fields.faults)
    return rsvp, details


def message(fields, whole, now_ms):
    if now_ms is None:
        now_ms = time.time() * 1000
    event = fields.take(whole, "event", (dict,), required=True)
    group = fields.take(whole, "group", (dict,), required=True)
    venue = fields.take(whole, "venue", (dict,))
    member = fields.take(whole, "member", (dict,))
    response = fields.text(whole, "response", required=True)
    if response is not None and response not in ORDER:
        fields.faults.append("response")
    rsvp = Rsvp(
        rsvp_id=fields.id(whole, "rsvp_id"),
        event_id=fields.text(event, "event_id", 1, MAX_EVENT_ID, True),
        member_id=None if member is None else fields.id(member, "member_id"),
        mtime_ms=fields.number(whole, "mtime", FIRST_MTIME,
                               min(now_ms + DAY_MS, MAX_TIME), required=True),
        response=response,
        guests=fields.number(whole, "guests", 0, MAX_GUESTS))
    group_id = fields.id(group, "group_id")
    venue_id = None if venue is None else fields.id(venue, "venue_id")
    details = {
        ("event", rsvp.event_id): Event(
            fields.text(event, "event_name"), fields.text(event, "event_url"),
            fields.number(event, "time", 0, MAX_TIME), group_id, venue_id),
        ("group", group_id): group_of(fields, group)}
    if venue is not None:
        details["venue", venue_id] = venue_of(fields, venue)
    if member is not None:
        details["member", rsvp.member_id] = Member(
            fields.text(member, "member_name"), fields.text(member, "photo"))
    return rsvp, details


def group_of(fields, group):
    return Group(*(fields.text(group, "group_" + name) for name in
                   ("name", "urlname", "city", "state", "country")),
                 *fields.place(group, "group_lat", "group_lon"),
                 fields.topics(group))


def venue_of(fields, venue):
    """A venue; 0, 0 is how the stream says that it knows no place."""
    lat, lon = fields.place(venue, "lat", "lon")
    if (lat, lon) == (0, 0):
        lat = lon = None
    return Venue(fields.text(venue, "venue_name"), lat, lon)


def version(rsvp):
    """The greatest of an rsvp_id is its state; what is absent is least."""
    guests = -1 if rsvp.guests is None else rsvp.guests
    member = -1 if rsvp.member_id is None else rsvp.member_id
    return ((rsvp.mtime_ms + 500) // 1000, rsvp.mtime_ms % 1000 != 0,
            rsvp.mtime_ms, ORDER[rsvp.response], guests,
            rsvp.event_id.encode(), member)
