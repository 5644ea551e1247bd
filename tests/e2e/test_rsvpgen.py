"""rsvpgen's stream has the ratios of the real captures."""

import collections
import json
import re
import resource
import subprocess
import time

import pytest

from fixtures import program, sanitized

COUNT = 60000
Seen = collections.namedtuple("Seen", "mtime answer at line")


def lines(*options):
    done = subprocess.run([program("tests", "rsvpgen"), *options],
                          capture_output=True, check=True)
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def stream():
    return lines("--count", str(COUNT), "--seed", "7")


@pytest.fixture(scope="module")
def messages(stream):
    return [json.loads(line) for line in stream]


def share(messages, question):
    return sum(map(question, messages)) / len(messages)


def pairs(stream, messages):
    """(the message before of the same rsvp_id, this one), in order."""
    seen = {}
    for at, (line, m) in enumerate(zip(stream, messages)):
        this = Seen(m["mtime"], (m["response"], m["guests"]), at, line)
        if m["rsvp_id"] in seen:
            yield seen[m["rsvp_id"]], this
        seen[m["rsvp_id"]] = this


def test_the_same_seed_gives_the_same_bytes(stream):
    assert lines("--count", str(COUNT), "--seed", "7") == stream
    assert lines("--count", "100", "--seed", "8") != stream[:100]


def test_a_longer_stream_begins_as_a_shorter_one(stream):
    assert lines("--count", "500", "--seed", "7") == stream[:500]


def test_sizes_are_those_of_the_captures(stream):
    sizes = [len(line) for line in stream]
    assert 1300 <= sum(sizes) / len(sizes) <= 1500
    assert min(sizes) >= 500
    assert max(sizes) <= 2500


def test_a_quarter_is_sent_again(messages):
    distinct = len({m["rsvp_id"] for m in messages})
    assert 0.20 <= 1 - distinct / len(messages) <= 0.28


def test_most_copies_are_rounded_and_come_soon(stream, messages):
    rounded, same, far = 0, 0, collections.Counter()
    up = 0
    for before, this in pairs(stream, messages):
        if before.line == this.line:
            same += 1
        elif this.answer == before.answer and this.mtime % 1000 == 0 and \
                this.mtime == (before.mtime + 500) // 1000 * 1000:
            rounded += 1
            up += this.mtime > before.mtime
            far[this.at - before.at] += 1
    assert 0.13 <= rounded / COUNT <= 0.20
    assert 0.40 <= up / rounded <= 0.60
    assert sum(far[n] for n in (6, 7, 8)) / rounded > 0.9
    assert 0.008 <= same / COUNT <= 0.03


def test_minds_change_and_change_back(stream, messages):
    turns = collections.Counter()
    answers = collections.defaultdict(list)
    for m in messages:
        if answers[m["rsvp_id"]][-1:] != [m["response"]]:
            answers[m["rsvp_id"]].append(m["response"])
    for before, this in pairs(stream, messages):
        turns[before.answer[0], this.answer[0]] += 1
    assert 0.005 <= turns["yes", "no"] / COUNT <= 0.03
    assert 0.002 <= turns["no", "yes"] / COUNT <= 0.02
    assert ["yes", "no", "yes"] in answers.values()


def test_a_sixth_is_late_and_some_by_months(messages):
    newest = late = most = 0
    for m in messages:
        late += m["mtime"] < newest
        most = max(most, newest - m["mtime"])
        newest = max(newest, m["mtime"])
    assert 0.15 <= late / COUNT <= 0.23
    assert 30 * 86400000 < most <= 143 * 86400000 + 1000


def test_answers_and_guests(messages):
    assert 0.77 <= share(messages, lambda m: m["response"] == "yes") <= 0.82
    assert {m["response"] for m in messages} == {"yes", "no"}
    assert 0.92 <= share(messages, lambda m: m["guests"] == 0) <= 0.96
    assert 0.02 <= share(messages, lambda m: m["guests"] == 1) <= 0.06
    assert max(m["guests"] for m in messages) <= 58


def test_parts_are_missing_as_often(messages):
    assert 0.12 <= share(messages, lambda m: "venue" not in m) <= 0.24
    assert 0.001 <= share(messages, lambda m: "time" not in m["event"]) <= 0.02
    assert 0.04 <= share(messages, lambda m: "photo" not in m["member"]) <= 0.08
    assert 0.30 <= share(
        messages, lambda m: "group_state" not in m["group"]) <= 0.44
    assert 0.01 <= share(
        messages, lambda m: m.get("venue", {}).get("lat") == 0) <= 0.06


def test_event_ids_and_topics(messages):
    ids = {m["event"]["event_id"] for m in messages}
    assert all(re.fullmatch("[0-9b-df-hj-np-tv-z]{8,13}", i) for i in ids)
    assert 0.20 <= sum(not i.isdigit() for i in ids) / len(ids) <= 0.40
    assert all(m["event"]["event_id"] not in m["event"]["event_url"]
               for m in messages if not m["event"]["event_id"].isdigit())
    topics = [len(m["group"]["group_topics"]) for m in messages]
    assert max(topics) == 21
    assert 9 <= sum(topics) / len(topics) <= 13


def test_names_are_odd(messages):
    text = "\n".join(m["event"]["event_name"] + m["group"]["group_name"]
                     for m in messages)
    for odd in ("<", ">", "&", '"', "\t", "\u00ad", "\u200f", "\u200d", "お"):
        assert odd in text
    assert any("\n" in m["event"]["event_name"] for m in messages)
    assert share(messages, lambda m: m["event"]["event_name"][-1] == " ") > .01
    assert "\0" not in text


def test_details_of_an_event_change(messages):
    details = collections.defaultdict(set)
    for m in messages:
        details[m["event"]["event_id"]].add(
            json.dumps([m["event"], m.get("venue")]))
    assert 0.05 <= share(details.values(), lambda d: len(d) > 1) <= 0.9
    assert max(map(len, details.values())) == 2


def test_a_few_events_lead(messages):
    counts = collections.Counter(m["event"]["event_id"] for m in messages)
    top = [n for _, n in counts.most_common()]
    assert top[0] / COUNT < 0.02
    assert sum(top[:len(top) // 4]) > 0.4 * COUNT


def test_bad_messages_are_bad_and_as_many(stream):
    bad = 0
    for line in lines("--count", "5000", "--bad", "20"):
        try:
            m = json.loads(line)
            bad += not (isinstance(m, dict) and "mtime" in m
                        and m["mtime"] > 10 ** 12
                        and isinstance(m["rsvp_id"], int)
                        and m["response"] in ("yes", "no")
                        and m["guests"] >= 0 and b"\\u0000" not in line)
        except ValueError:
            bad += 1
    assert 0.16 <= bad / 5000 <= 0.24


def test_rate_is_kept():
    begin = time.monotonic()
    assert len(lines("--count", "300", "--rate", "200")) == 300
    assert 1.3 <= time.monotonic() - begin <= 2.5


def test_wrong_options_are_refused():
    for wrong in (["--count", "x"], ["--events", "0"], ["--rate", "-1"],
                  ["--start", "yesterday"], ["--bad", "101"], ["more"],
                  ["--unknown"]):
        done = subprocess.run([program("tests", "rsvpgen"), *wrong],
                              capture_output=True, check=False)
        assert done.returncode == 64, wrong
        assert b"usage: rsvpgen" in done.stderr


def test_it_is_no_bottleneck():
    """300,000 messages in a second of one core; a sanitizer build in 20."""
    path = program("tests", "rsvpgen")
    limit = 20 if sanitized(path) else 1
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([path, "--count", "300000"], stdout=subprocess.DEVNULL,
                   check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (after.ru_utime + after.ru_stime
            - before.ru_utime - before.ru_stime) < limit
