"""What OpenAPI cannot say of our contract, for schemathesis: it is imported
there, see test_contract.py."""

import datetime

import schemathesis

STEPS = {"1h": 3600, "1d": 86400, "1w": 604800}
UNITS = {"m": 60, "h": 3600, "d": 86400}
RANGE = ("window", "date", "from", "to", "step")
MONDAY = 345600  # s since 1970: where weeks begin
END = 253402300800  # the year 10000


def instant(text):
    return datetime.datetime.fromisoformat(text.upper()).timestamp()


def whole(first, last, step):
    """Both, where the first step begins and the last one ends."""
    begin = MONDAY if step == "1w" else 0
    length = STEPS[step]
    return (begin + (first - begin) // length * length,
            begin - (begin - last) // length * length)


def fits(rules, query):
    """Do these parameters go together, by an operation's x-rules?"""
    if any(set(pair) <= set(query) for pair in rules.get("exclusive", ())):
        return False
    if any(name in query and not set(needed) & set(query)
           for name, needed in rules["needs"].items()):
        return False
    first, last = (instant(query[name]) if name in query else None
                   for name in rules["ordered"])
    window = query.get("window")
    if window and last is not None:
        first = last - int(window[:-1]) * UNITS[window[-1]]
    if first is None or last is None:
        return True
    if not 0 <= first < last < END:
        return False
    if "maxSteps" not in rules:
        return True
    step = query.get("step", "1d")
    first, last = whole(first, last, step)
    return (first >= 0 and last <= END
            and (last - first) / STEPS[step] <= rules["maxSteps"])


@schemathesis.check
def what_fits_is_accepted(_, response, case):
    """Instead of positive_data_acceptance, which does not know the rules."""
    mode = case.meta.generation.mode if case.meta else None
    if mode is None or not mode.is_positive or response.status_code != 400:
        return
    rules = case.operation.definition.raw.get("x-rules")
    assert rules and not fits(rules, case.query or {}), response.text
    # All else is checked before the range is.
    assert response.json()["param"] in RANGE, response.text
