"""A small random world in Python and in the database, and the boards of the
first, computed from its rows and nothing else."""

import bisect
import itertools

from oracle.question import folded
from psycopg2.extras import Json, execute_values

HOUR = 3600000
DAY = 86400000
WEEK = 7 * DAY
T0 = 1489708800000  # 2017-03-17 00:00 UTC, a Friday

PLACES = [("us", "New York"), ("us", "new york"), ("US", "Chicago"),
          ("de", "München"), ("DE", "MÜNCHEN"), ("de", "Köln"),
          ("gr", "ΑΘΉΝΑ"), ("gr", "Αθήνα"), ("fr", "Évry"), ("fr", "évry"),
          ("ru", "Москва"), ("ru", "МОСКВА"), ("in", None), (None, None),
          (None, "Köln"), ("tr", "İzmir"), ("gb", "x" * 3000)]
TOPICS = ["python", "Python", "wein-und-käse", "hiking", "rare", "t" * 600]
PREFIXES = ["", "é", "Z", "a_", "z", "中"]

RSVP_SQL = """
    INSERT INTO turnout.rsvps AS r
    (rsvp_id, event_id, mtime_ms, response, guests) VALUES %s
    ON CONFLICT (rsvp_id) DO UPDATE SET event_id = excluded.event_id,
    mtime_ms = excluded.mtime_ms, response = excluded.response,
    guests = excluded.guests"""
GROUP_SQL = """
    INSERT INTO turnout.groups AS g (group_id, urlname, city, country, topics,
    name, content_hash, src_ts, src_part, src_offset) VALUES %s
    ON CONFLICT (group_id) DO UPDATE SET urlname = excluded.urlname,
    city = excluded.city, country = excluded.country, topics =
    excluded.topics, name = excluded.name,
    content_hash = excluded.content_hash"""
EVENT_SQL = """
    INSERT INTO turnout.events AS e (event_id, starts_ms, group_id, name,
    content_hash, src_ts, src_part, src_offset) VALUES %s
    ON CONFLICT (event_id) DO UPDATE SET starts_ms = excluded.starts_ms,
    group_id = excluded.group_id, name = excluded.name"""


class World:
    """Shapes: how counts are distributed over events and days.

    flat    ties everywhere, one or two people an RSVP
    heavy   parties of many guests: hundreds of events in each day's list
    tail    few great events, many small ones, many days
    """

    def __init__(self, db, dice, shape):
        self.db, self.dice, self.shape = db, dice, shape
        self.days = {"flat": 9, "heavy": 5, "tail": 75}[shape]
        self.rows, self.events, self.groups = {}, {}, {}
        self.ids = list({dice.choice(PREFIXES) + str(dice.randrange(10**5))
                         for _ in range(450)})
        self.cursor = db.connect().cursor()
        self.change_groups(range(40))
        # One in fifteen has no row; groups above 39 have none either.
        self.change_events(e for e in self.ids if dice.random() < 0.93)
        self.change_rsvps({"flat": 4000, "heavy": 6000, "tail": 6000}[shape])

    def change_groups(self, ids):
        dice, rows = self.dice, []
        for i in ids:
            country, city = dice.choice(PLACES)
            topics = None if dice.random() < 0.1 else [
                {"urlkey": t, "topic_name": t.title()}
                for t in dice.choices(TOPICS, k=dice.randrange(4))]
            urlname = dice.choice([None, f"g{i % 30}", "Größe", "u" * 3000])
            self.groups[i] = (urlname, city, country, topics)
            rows.append((i, urlname, city, country,
                         None if topics is None else Json(topics),
                         f"Group {i}", dice.getrandbits(62), 0, 0, 0))
        execute_values(self.cursor, GROUP_SQL, rows)

    def change_events(self, ids):
        dice, rows = self.dice, []
        for e in ids:
            starts = dice.choice([None, T0, T0 + DAY, T0 + 7 * DAY,
                                  dice.randrange(T0 - 5 * DAY, T0 + 20 * DAY)])
            group = int(44 * dice.random() ** 2)
            self.events[e] = (starts, group)
            rows.append((e, starts, group, f"Event {e}", 0, 0, 0, 0))
        execute_values(self.cursor, EVENT_SQL, rows)

    def an_event(self):
        if self.shape == "tail":
            return self.ids[int(len(self.ids) * self.dice.random() ** 4)]
        return self.dice.choice(self.ids)

    def change_rsvps(self, n):
        dice, new = self.dice, {}
        most = self.days * DAY
        for _ in range(n):
            i = dice.randrange(10**5)
            at = dice.choice([
                dice.randrange(most), dice.randrange(most),
                DAY * dice.randrange(self.days), most - dice.randrange(HOUR)])
            new[i] = (self.an_event(), T0 + at, dice.choice(
                ["yes"] * 8 + ["no", "waitlist"]), dice.choice({
                    "flat": [None, 0, 0, 1], "heavy": [3, 3, 3, 4, 8, 150],
                    "tail": [None, 0, 0, 0, 1, 5]}[self.shape]))
        self.rows.update(new)
        execute_values(self.cursor, RSVP_SQL,
                       [(i, *row) for i, row in new.items()],
                       page_size=10000)
        self.index()

    def index(self):
        """Running totals of each event, by time."""
        by_event = {}
        for event, at, response, guests in self.rows.values():
            if response == "yes":
                by_event.setdefault(event, []).append((at, 1 + (guests or 0)))
        self.totals = {}
        for event, answers in by_event.items():
            answers.sort()
            self.totals[event] = (
                [at for at, _ in answers],
                [0, *itertools.accumulate(n for _, n in answers)])

    def count(self, event, window):
        if event not in self.totals:
            return 0, 0
        times, people = self.totals[event]
        if window == (None, None):
            return len(times), people[-1]
        a, b = (bisect.bisect_left(times, at) for at in window)
        return b - a, people[b] - people[a]

    def fits(self, event, f):
        if all(value is None for value in list(f.values())[:6]):
            return True
        if event not in self.events:
            return False
        starts, group = self.events[event]
        urlname, city, country, topics = self.groups.get(
            group, (None, None, None, None))
        return (
            (f["country"] is None or country is not None
             and folded(country) == folded(f["country"]))
            and (f["city"] is None or city is not None
                 and folded(city) == folded(f["city"]))
            and f["group_id"] in (None, group)
            and f["group_urlname"] in (None, urlname)
            and (f["topic"] is None or len(f["topic"]) <= 512 and any(
                t["urlkey"] == f["topic"] for t in topics or []))
            and (f["starts"] is None or starts is not None and {
                "upcoming": starts >= f["now_ms"],
                "week": 0 <= starts - f["now_ms"] < 7 * DAY,
                "past": starts < f["now_ms"]}[f["starts"]]))

    def board(self, measure, window, f):
        """All of it: (rank, event, rsvps, headcount) in board order."""
        column = {"rsvps": 0, "headcount": 1}[measure]
        found = []
        for event in self.totals:
            n = self.count(event, window)
            if n[0] and self.fits(event, f):
                found.append((-n[column], event.encode(), event, *n))
        found.sort()
        board, rank = [], 0
        for place, (n, _, event, rsvps, headcount) in enumerate(found, 1):
            if place == 1 or n != found[place - 2][0]:
                rank = place
            board.append((rank, event, rsvps, headcount))
        return board

    def a_window(self):
        dice = self.dice
        most = self.days * DAY
        kind = dice.randrange(8)
        if kind == 0:
            return None, None
        if kind == 1:
            at = T0 + DAY * dice.randrange(-1, self.days)
            return at, at + DAY * dice.randrange(1, 9)
        if kind == 2:
            at = dice.choice([row[1] for row in self.rows.values()])
            return at, at + dice.choice([1, 1000, HOUR, DAY])
        if kind == 3:
            return dice.choice([(0, T0 + most), (T0 + 1, 253402300800000),
                                (T0 - DAY, T0), (T0 + 1, T0 + 2)])
        length = dice.choice([HOUR, 6 * HOUR, DAY, 3 * DAY, WEEK, 30 * DAY])
        at = T0 + dice.randrange(-length, most)
        return at, at + length

    def a_filter(self):
        dice = self.dice
        group = dice.choice(list(self.groups))
        known = self.groups[group]
        swap = dice.choice([str.lower, str.upper, str.title, str])
        f = dict.fromkeys(("country", "city", "group_id", "group_urlname",
                           "topic", "starts", "now_ms"))
        for name in dice.sample(list(f)[:6], dice.choice([0, 0, 1, 1, 2, 3])):
            f[name] = {
                "country": swap(known[2] or "us"),
                "city": swap(known[1] or "köln"),
                "group_id": dice.choice([group, group, 42, 99]),
                "group_urlname": dice.choice([known[0], "g1", "none"]),
                "topic": dice.choice(TOPICS + ["python", "none"]),
                "starts": dice.choice(["upcoming", "week", "past"]),
            }[name]
        f["now_ms"] = dice.choice([T0, T0 + 1, T0 + DAY, T0 + 5 * DAY])
        return f
