"""Every kind of page, as an address of the site."""

import collections
from urllib.parse import quote

from names import EVENT_IDS

Kind = collections.namedtuple("Kind", "name path status")
GROUP, VENUE = 9009, 9012

# {event}, {group} and {venue} are of an ordinary event.
KINDS = [
    Kind("board", "/?k=40", 200),
    Kind("window", "/?window=12h&k=12", 200),
    Kind("people", "/?by=headcount&k=12&when=upcoming", 200),
    Kind("empty", "/?country=aq", 200),
    Kind("event", "/events/evil00", 200),
    Kind("event-long", "/events/evil09", 200),
    Kind("event-rtl", "/events/evil12", 200),
    Kind("event-blank", "/events/evil19", 200),
    Kind("event-odd-id", "/events/" + quote(EVENT_IDS[0], safe=""), 200),
    Kind("event-known", "/events/{event}", 200),
    Kind("group", f"/groups/{GROUP}", 200),
    Kind("group-known", "/groups/{group}", 200),
    Kind("venue", f"/venues/{VENUE}", 200),
    Kind("venue-known", "/venues/{venue}", 200),
    Kind("search", "/search?q=a", 200),
    Kind("search-empty", "/search", 200),
    Kind("search-nothing", "/search?q=zzzzzz", 200),
    Kind("status", "/status", 200),
    Kind("no-group", "/groups/1", 404),
    Kind("bad-parameter", "/?k=0", 400),
    Kind("no-event", "/events/none", 404),
    Kind("no-page", "/none", 404),
    Kind("too-many", "/refused/429", 429),
    Kind("bad-gateway", "/refused/502", 502),
]
BY_NAME = {kind.name: kind for kind in KINDS}
