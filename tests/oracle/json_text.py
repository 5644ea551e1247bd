"""The object in a record's bytes, or the reasons why there is none.

Python's decoder judges what is JSON; only what it refuses is walked token by
token, to tell how: cut off, followed by something, too deep, a control
character, or plainly wrong.
"""

import json
import re

MAX_VALUE = 65536
MAX_DEPTH = 16
HUGE = 10 ** 40  # stands for an integer of more digits than anybody needs

STRING_START = re.compile(
    r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')
ESCAPE_CUT = re.compile(r"(?:\\(?:u[0-9a-fA-F]{0,3})?)?\Z")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
NUMBER_CUT = re.compile(
    r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:\.|[eE][+-]?))?\Z")
SPACE = re.compile(r"[ \t\n\r]*")
WORDS = ("true", "false", "null")
BETWEEN = {":": ":", "more": ","}
# In JSON: its brackets outside of strings, and an escaped NUL in one.
BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]', re.S)
ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class NoObject(Exception):
    """reasons: each code that is right for it; the first is the likeliest."""

    def __init__(self, *reasons):
        super().__init__(" ".join(reasons))
        self.reasons = reasons


def load(value):
    """The object; the last of two equal names counts."""
    if not value:
        raise NoObject("empty")
    if len(value) > MAX_VALUE:
        raise NoObject("size")
    reasons = ["nul"] if b"\0" in value else []
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        reasons.append("utf8")
    if reasons:
        raise NoObject(*reasons)
    try:
        whole = json.loads(text, parse_constant=refuse, parse_int=integer)
    except (ValueError, RecursionError):
        reasons.append(why_not(text))
    else:
        if is_deep(text):
            reasons.append("depth")
    if "\\u0000" in text and ESCAPED_NUL.search(text):
        reasons.append("nul")
    if re.match(r'[ \t\n\r]*[\[0-9"tfn-]', text):
        reasons.append("not_object")
    if reasons:
        raise NoObject(*reasons)
    return whole


def refuse(word):
    raise ValueError(f"{word} is not JSON")


def integer(digits):
    """Python refuses to read thousands of digits; all are out of range."""
    if len(digits) <= 40:
        return int(digits)
    return -HUGE if digits[0] == "-" else HUGE


def is_deep(text):
    """Whether JSON is nested too deeply, also where a name comes twice."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return False
    depth = 0
    for token in BRACKET.findall(text):
        if token in "{[":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif token in "}]":
            depth -= 1
    return False


def why_not(text):
    """What the first thing is that keeps a text from being JSON."""
    at = SPACE.match(text).end()
    expect = "value"
    open_ = []
    while expect != "nothing":
        if at == len(text):
            return "truncated"
        mark = text[at]
        if mark in "}]" and ends(mark, expect, open_):
            open_.pop()
            at += 1
            expect = "more" if open_ else "nothing"
        elif expect in BETWEEN:
            if mark != BETWEEN[expect]:
                return "syntax"
            at += 1
            expect = ("name" if expect == "more" and open_[-1] == "{"
                      else "value")
        elif expect in ("value", "value or ]") and mark in "{[":
            open_.append(mark)
            if len(open_) > MAX_DEPTH:
                return "depth"
            expect = "name or }" if mark == "{" else "value or ]"
            at += 1
        else:
            is_name = expect.startswith("name")
            at, wrong = scalar(text, at, only_string=is_name)
            if wrong:
                return wrong
            expect = ":" if is_name else "more" if open_ else "nothing"
        at = SPACE.match(text, at).end()
    return "trailing" if at < len(text) else "syntax"


def ends(mark, expect, open_):
    """Whether a closing bracket may stand here."""
    first = {"}": "name or }", "]": "value or ]"}[mark]
    return bool(open_) and open_[-1] + mark in ("{}", "[]") and expect in (
        "more", first)


def scalar(text, at, only_string):
    """(where a string, number or word ends, None), or (at, what is wrong)."""
    if text[at] == '"':
        end = STRING_START.match(text, at).end()
        if text[end:end + 1] == '"':
            return end + 1, None
        if ESCAPE_CUT.match(text, end):
            return at, "truncated"
        return at, "control" if text[end] < " " else "syntax"
    if only_string:
        return at, "syntax"
    if NUMBER_CUT.match(text, at):
        return at, "truncated"
    number = NUMBER.match(text, at)
    if number:
        return number.end(), None
    for word in WORDS:
        if text.startswith(word, at):
            return at + len(word), None
        if word.startswith(text[at:]):
            return at, "truncated"
    return at, "syntax"
