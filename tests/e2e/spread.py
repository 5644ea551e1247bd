"""Messages for boards of all windows: rsvpgen's, with other mtimes.

rsvpgen's stream goes on for an hour or two.  Here each RSVP is put somewhere
in the last weeks, its copies and changes with it: some in the last hours,
some at the very edge of a day or at the mtime of another, some ahead.  The
order stays, so nearly every message is late.
"""

import re

from messages import message

DAY = 86400000
HOUR = 3600000
RSVP_ID = re.compile(rb'"rsvp_id":(\d+)')
MTIME = re.compile(rb'"mtime":(\d+)')


class Spread:
    def __init__(self, dice, now_ms):
        self.dice, self.now_ms = dice, now_ms
        self.shifts = {}  # of an rsvp_id
        self.taken = [now_ms - DAY]

    def lines(self, lines):
        return [self.line(line) for line in lines]

    def line(self, line):
        found, mtime = RSVP_ID.search(line), MTIME.search(line)
        if found is None or mtime is None:
            return line
        was = int(mtime.group(1))
        if found.group(1) not in self.shifts:
            self.shifts[found.group(1)] = self.some_time(was) - was
        ms = was + self.shifts[found.group(1)]
        return line[:mtime.start(1)] + b"%d" % ms + line[mtime.end(1):]

    def some_time(self, was):
        """Whole seconds from where it was, so that what is rounded stays so;
        but for edges, which are exact."""
        dice = self.dice
        kind = dice.random()
        if kind < 0.10:
            midnight = self.now_ms // DAY * DAY - dice.randrange(12) * DAY
            return midnight + dice.choice((-500, -1, 0, 1, 500))
        if kind < 0.15:
            return dice.choice(self.taken)
        span = (2 * HOUR if kind < 0.40 else 3 * DAY if kind < 0.70
                else 12 * DAY if kind < 0.85 else 70 * DAY)
        ms = self.now_ms - dice.randrange(span)
        if kind > 0.98:
            ms = self.now_ms + dice.randrange(3 * HOUR)
        ms += (was - ms) % 1000
        self.taken.append(ms)
        return ms


CITIES = ("Straße am Rhein", "Ålesund", "ÅLESUND", "łódź", "ŁÓDŹ", "Αθήνα",
          "ΑΘΉΝΑ", "Одеса", "東京", "San  José ", "100%", "a&b=c+d", None)
COUNTRIES = ("us", "US", "gr", "Gr", "no", None)
TOPICS = ("hiking", "Hiking", "día-de-campo", "c++", "夏", "a/b?c")


def odd_messages(dice, now_ms, count):
    """What rsvpgen has not: the same city in other letters, groups that share
    a name for addresses or have none, events that change their group, that
    have no start or start while the test runs."""
    out = []
    for number in range(count):
        group_id = dice.randrange(30) + 1
        event = f"odd{dice.randrange(60)}"
        city, country = dice.choice(CITIES), dice.choice(COUNTRIES)
        group = {"group_id": group_id, "group_name": f"Group {group_id}",
                 "group_urlname": dice.choice(
                     (f"odd-{group_id}", "shared", "Shared", "лыжи", None)),
                 "group_city": city, "group_country": country,
                 "group_topics": dice.choice((None, [], [
                     {"urlkey": key, "topic_name": key.title()}
                     for key in dice.choices(TOPICS, k=3)]))}
        start = {}
        if dice.random() < 0.6:
            start["time"] = now_ms + 1000 * dice.randrange(-30, 90)
        out.append(message(
            900000000 + dice.randrange(max(1, count * 3 // 4)), event,
            f"Odd {number}",
            mtime=now_ms - dice.randrange(dice.choice((HOUR, DAY, 9 * DAY))),
            response=dice.choice(("yes", "yes", "yes", "no", "waitlist")),
            guests=dice.choice((0, 0, 0, 1, 2, 40)), group=group, **start))
    return out
