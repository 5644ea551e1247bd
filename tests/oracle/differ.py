"""Where a database is not what the messages say, value by value."""

import collections
import hashlib
import json
import re

MIB = 1 << 20  # of a dead letter's value so much is kept
TABLES = {"event": "events", "group": "groups", "venue": "venues",
          "member": "members"}
PLACE = ("src_ts", "src_part", "src_offset")
COUNTS = ("rsvps", "headcount")
GREAT = 127  # people of a day, above which it has hours
SPAN = ("first_day", "last_day")


class Difference(collections.namedtuple(
        "Difference", "table key column expected found")):
    """One value; column None: the whole row, of which one side is None."""

    def __str__(self):
        key = " ".join(word(part) for part in self.key)
        column = "" if self.column is None else f" {self.column}"
        return (f"{self.table} {key}{column}: expected"
                f" {told(self.expected)}, found {told(self.found)}")


def word(part):
    """A part of a key, in quotes where it could be mistaken."""
    text = str(part)
    plain = re.fullmatch(r"[\w.:/?=&%@+-]+", text, re.ASCII)
    return text if plain else json.dumps(text)


def told(value):
    return "nothing" if value is None else json.dumps(value, default=plain)


def plain(value):
    """What JSON has no word for: bytes."""
    return value.hex()


def compare_rows(table, want, have):
    """Differences of two {key: {column: value}}."""
    if want == have:
        return []
    out = []
    for key in sorted(set(want) | set(have), key=str):
        expected, found = want.get(key), have.get(key)
        if expected is None or found is None:
            out.append(Difference(table, key, None, expected, found))
            continue
        for column, value in expected.items():
            if not alike(column, value, found[column]):
                out.append(Difference(table, key, column, value,
                                      found[column]))
    return out


def alike(column, expected, found):
    """A message with several faults is refused for any of them."""
    if column == "reason":
        return found in expected.split(" or ")
    return expected == found


def days(counts, hours):
    return {day: dict(zip(COUNTS + ("hours",), (*both, hours.get(day))))
            for day, both in counts.items()}


def events(counts, spans):
    """What event_counts has of each event."""
    return {(event_id,): dict(zip(COUNTS + SPAN, both + spans[event_id]))
            for event_id, both in counts.items()}


def detail_rows(state, kind, places, members):
    """{(id,): {column: value}} of a table of details."""
    out = {}
    for name, content in state.details.items():
        if name[0] != kind:
            continue
        row = content._asdict()
        if kind == "member" and not members:
            row = dict.fromkeys(row)
        if places:
            row.update(zip(PLACE, state.places[name]))
        out[name[1:]] = row
    return out


def letters_wanted(state):
    """{(topic, partition, offset, digest): columns}; a file's name may stand
    for several files, and an offset for a record of each log that was under
    it, hence the digest of the value.  Of the same value the first one stands.
    """
    out = {}
    for record, reasons in zip(state.bad, state.reasons):
        value = record.value
        digest = hashlib.sha256(value or b"").hexdigest()
        out.setdefault((record.topic, record.partition, record.offset, digest), {
            "reason": " or ".join(dict.fromkeys(reasons)),
            "value": None if value is None else value[:MIB],
            "value_size": len(value or b""), "key": record.key,
            "record_ts": record.ts})
    return out


def letters_found(letters):
    return {(one.topic, one.part, one.offset, one.sha256.hex()): {
        "reason": one.reason, "value": one.value, "value_size": one.size,
        "key": one.key, "record_ts": one.ts} for one in letters}


def differences(want, have, details=True, places=True, letters=True,
                members=True):
    """[Difference] of a State and what was Found; [] = none.

    places: where in the log the details stand, too.  members False: of a
    member only the id is kept.
    """
    out = compare_rows("rsvps",
                       {(i,): r._asdict() for i, r in want.rsvps.items()},
                       {(i,): r._asdict() for i, r in have.rsvps.items()})
    out += compare_rows("event_counts", events(want.counts(), want.spans()),
                        events(have.counts, have.spans))
    counts = want.days()
    great = {day for day, (_, people) in counts.items() if people > GREAT}
    out += compare_rows("event_days", days(counts, want.hours(great)),
                        days(have.days, have.hours))
    for kind, table in TABLES.items():
        if details:
            out += compare_rows(
                table, detail_rows(want, kind, places, members),
                detail_rows(have, kind, places, True))
    if letters:
        out += compare_rows("dead_letters", letters_wanted(want),
                            letters_found(have.bad))
    return out
