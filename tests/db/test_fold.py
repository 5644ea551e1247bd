"""Names without case: turnout.fold() and Unicode's own rule are of one mind
on every character."""

import sys
import unicodedata

from oracle.question import folded


def characters():
    """All that this Python's Unicode knows."""
    return [c for c in map(chr, range(1, sys.maxunicode + 1))
            if unicodedata.category(c) not in ("Cn", "Cs", "Co")]


def test_every_character_and_its_other_cases_are_one(db):
    every = characters()
    cases = sorted({other for c in every for other in (
        c, c.lower(), c.upper(), c.title(), c.casefold())})
    found = dict(db.rows("SELECT u.x, turnout.fold(u.x)"
                         " FROM unnest(%s::text[]) AS u (x)", cases))
    by_us, by_unicode = {}, {}
    for text in cases:
        by_us.setdefault(found[text], set()).add(text)
        by_unicode.setdefault(folded(text), set()).add(text)
    assert sorted(map(sorted, by_us.values())) == sorted(
        map(sorted, by_unicode.values()))


def test_names_of_places(db):
    for one, other in (
            ("Straße", "STRASSE"), ("STRAẞE", "strasse"),
            ("Αθήνας", "ΑΘΉΝΑΣ"), ("ΟΔΟΣ", "οδοσ"), ("ŁÓDŹ", "łódź"),
            ("Kadıköy", "KADIKÖY"), ("İzmir", "i̇zmir")):
        assert db.rows("SELECT turnout.fold(%s) = turnout.fold(%s)",
                       one, other) == [(True,)], (one, other)
    for one, other in (("Lodz", "Łódź"), ("Malmo", "Malmö")):
        assert db.rows("SELECT turnout.fold(%s) = turnout.fold(%s)",
                       one, other) == [(False,)], (one, other)
