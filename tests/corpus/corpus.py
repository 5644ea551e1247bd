"""The corpus of messages, one case a line of messages.jsonl.

    id      what is wrong with it (or odd); B07 is a row of the list of bad
            input that the grammar was written against
    reason  the code it gets as a dead letter; null = it must be applied
    text    the record's value; or
    hex     its bytes; or
    pieces  strings and {"repeat": s, "times": n}, put together; "fill": n
            repeats until the whole value has n bytes; or
    absent  true: a record without a value
    name    of an applied one: the name that its event must have
    known   a loss that is known, and why; the name may differ

Any language can read it; this is how Python does.
"""

import json
import os

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "messages.jsonl")


def put_together(pieces):
    sizes = [len(p.encode()) for p in pieces if isinstance(p, str)]
    out = b""
    for piece in pieces:
        if isinstance(piece, str):
            out += piece.encode()
        elif "hexrepeat" in piece:
            out += bytes.fromhex(piece["hexrepeat"]) * piece["times"]
        elif "fill" in piece:
            out += piece["repeat"].encode() * (piece["fill"] - sum(sizes))
        else:
            out += piece["repeat"].encode() * piece["times"]
    return out


def value_of(case):
    """The bytes of a case's record; None = without a value."""
    if case.get("absent"):
        return None
    if "hex" in case:
        return bytes.fromhex(case["hex"])
    if "text" in case:
        return case["text"].encode()
    return put_together(case["pieces"])


def name_of(case):
    """The event name that an applied case must have, or None."""
    name = case.get("name")
    if isinstance(name, dict):
        return name.get("pre", "") + name["repeat"] * name["times"]
    return name


def load():
    """[(case, value)] in the order of the file."""
    with open(PATH, encoding="utf-8") as f:
        cases = [json.loads(line) for line in f]
    return [(case, value_of(case)) for case in cases]
