"""Bad messages: each is a dead letter with its reason, and nothing else."""

import collections
import hashlib
import json
import time

import corpus
import oracle
import pytest
import state
from kafka import out
from messages import MTIME, message, neighbour
from world import World

MIB = 1 << 20
DAY = 86400000


def reasons(have):
    return {(b[0], b[1]): b[2] for b in have.bad}


def test_the_oracle_judges_the_corpus_as_the_corpus_says():
    cases = corpus.load()
    bad = [case for case, _ in cases if case["reason"] is not None]
    assert len(bad) >= 150
    for case, value in cases:
        try:
            oracle.parse(value, now_ms=MTIME)
            refused = [None]
        except oracle.Bad as why:
            refused = why.reasons
        assert case["reason"] in refused, (case["id"], refused)


@pytest.fixture(scope="module")
def fed(kafka, request):
    """The whole corpus, each case between two good messages, one feed."""
    w = World(kafka, "corpus")
    request.addfinalizer(w.end)
    w.ingest()
    records = []
    for number, (case, value) in enumerate(corpus.load()):
        records.append(out(neighbour(number)))
        records.append(out(value, key=case["id"].encode()))
    records.append(out(neighbour(len(records))))
    w.produce(records)
    return w, state.read(w.dsn)


def test_each_bad_message_is_a_dead_letter_with_its_reason(fed):
    _, have = fed
    found = reasons(have)
    wrong = [(case["id"], case["reason"], found.get((0, 2 * number + 1)))
             for number, (case, _) in enumerate(corpus.load())
             if found.get((0, 2 * number + 1)) != case["reason"]]
    assert not wrong


def test_nothing_but_the_bad_ones_is_a_dead_letter(fed):
    _, have = fed
    bad = [2 * number + 1 for number, (case, _) in enumerate(corpus.load())
           if case["reason"] is not None]
    assert [b[1] for b in have.bad] == bad


def test_a_dead_letter_keeps_every_byte(fed):
    _, have = fed
    cases = corpus.load()
    letters = {b[1]: b for b in have.bad}
    for number, (case, value) in enumerate(cases):
        if case["reason"] is None:
            continue
        _, _, _, kept, _, key, size, digest, ts = letters[2 * number + 1]
        value = value or b""
        assert bytes(kept or b"") == value[:MIB], case["id"]
        assert (size, bytes(digest)) == (
            len(value), hashlib.sha256(value).digest()), case["id"]
        assert bytes(key) == case["id"].encode()
        assert abs(ts - time.time() * 1000) < 600000


def test_the_good_neighbours_of_bad_messages_are_all_applied(fed):
    _, have = fed
    number = len(corpus.load())
    assert all(500000 + n in have.rsvps for n in range(number))
    assert all(have.counts[f"good{n}"] == (1, 3) for n in range(number))


def test_an_odd_but_good_message_keeps_its_name_byte_for_byte(fed):
    _, have = fed
    wrong = []
    for case, value in corpus.load():
        if case["reason"] is not None or "name" not in case:
            continue
        rsvp, _ = oracle.parse(value)
        name = have.details["event", rsvp.event_id].name
        if name != corpus.name_of(case) and "known" not in case:
            wrong.append((case["id"], corpus.name_of(case), name))
    assert not wrong


def test_the_whole_state_after_the_corpus_is_the_oracles(fed):
    w, have = fed
    want = oracle.state_of(w.log())
    for case, value in corpus.load():
        if "known" in case:
            rsvp, _ = oracle.parse(value)
            for state_ in (want, have):
                state_.details.pop(("event", rsvp.event_id))
    wrong = state.differences(want, have, letters=True)
    assert not wrong, "\n".join(wrong)


def test_ingest_counts_dead_letters_by_reason(fed):
    w, _ = fed
    told = w.servers[0].metrics()
    known = collections.Counter(
        case["reason"] for case, _ in corpus.load() if case["reason"])
    for reason, count in known.items():
        name = f'turnout_ingest_dead_letters_total{{reason="{reason}"}}'
        assert told.get(name) == count, name


def test_a_batch_of_nothing_but_bad_messages_moves_on(kafka, world):
    w = world(kafka)
    bad = [(case, value) for case, value in corpus.load()
           if case["reason"] is not None and len(value or b"") < 70000]
    w.produce([out(value) for _, value in bad], wait=False)
    w.ingest()
    w.wait_stored(w.ends())
    have = state.read(w.dsn)
    assert [b[2] for b in have.bad] == [case["reason"] for case, _ in bad]
    assert not have.rsvps
    w.produce([out(neighbour(1))])
    assert list(state.read(w.dsn).rsvps) == [500001]


def test_an_mtime_a_day_after_its_record_is_refused(kafka, world):
    """Against poison that would be the newest for ever."""
    w = world(kafka)
    w.ingest()
    ts = 1500000000000
    mtimes = [ts + DAY - 3600000, ts + DAY + 3600000, ts - DAY]
    w.produce([out(neighbour(n).replace(str(MTIME).encode(), str(m).encode()),
                   ts=ts) for n, m in enumerate(mtimes)])
    have = state.read(w.dsn)
    assert reasons(have) == {(0, 1): "mtime_range"}
    assert sorted(have.rsvps) == [500000, 500002]


def test_a_thousand_versions_of_one_rsvp_in_one_batch_leave_the_winner(
        kafka, world, dice):
    w = world(kafka)
    base = 1489925470000
    records = []
    for number in range(1000):
        value = neighbour(1).replace(
            str(MTIME).encode(), str(base + dice.randrange(5000)).encode())
        value = value.replace(b'"good1"', b'"good%d"' % (number % 7))
        records.append(out(value.replace(
            b"yes", dice.choice([b"yes", b"no", b"waitlist"]))))
    w.produce(records, wait=False)
    w.ingest()
    w.wait_stored(w.ends())
    w.judge()


# Pairs of versions, the lower one first: each differs in the one field that
# decides, and the next fields would decide otherwise.
PAIRS = [
    ({"mtime": MTIME, "guests": 9}, {"mtime": MTIME + 2000, "guests": 0}),
    # Rounded to a second, the copy loses to the time it was made from.
    ({"mtime": 1489925471000, "guests": 9}, {"mtime": MTIME, "guests": 0}),
    ({"mtime": MTIME, "guests": 9}, {"mtime": MTIME + 1, "guests": 0}),
    ({"response": "yes", "guests": 9}, {"response": "waitlist", "guests": 0}),
    ({"response": "waitlist", "guests": 9}, {"response": "no", "guests": 0}),
    ({"guests": None, "event_id": "z"}, {"guests": 0, "event_id": "a"}),
    ({"guests": 1, "event_id": "z"}, {"guests": 2, "event_id": "a"}),
    ({"event_id": "a", "member": {"member_id": 9}}, {"event_id": "b"}),
    ({"member": None}, {"member": {"member_id": 1}}),
    ({"member": {"member_id": 2}}, {"member": {"member_id": 10}}),
]


def test_two_versions_that_meet_in_the_database_leave_the_greater_one(
        kafka, world):
    """In two batches, in both orders: SQL decides as the daemon does."""
    def value(number, fields):
        made = json.loads(message(number, fields.get("event_id", "e"), **{
            k: v for k, v in fields.items() if k != "event_id"}))
        if fields.get("guests", 0) is None:
            del made["guests"]
        return out(json.dumps(made).encode())

    w = world(kafka)
    w.ingest()
    for second in (False, True):
        w.produce([value(2 * number + turned + 1,
                         pair[second != bool(turned)])
                   for number, pair in enumerate(PAIRS) for turned in (0, 1)])
    w.judge()
    have = state.read(w.dsn).rsvps
    for number in range(len(PAIRS)):
        # Whichever came first: the rest of the row is the same, too.
        assert have[2 * number + 1][1:] == have[2 * number + 2][1:]


def test_yes_becomes_no_and_an_rsvp_moves_to_another_event(kafka, world):
    w = world(kafka)
    w.ingest()
    steps = [(1000, b"yes", b"good1"), (2000, b"no", b"good1"),
             (3000, b"yes", b"good1"), (4000, b"yes", b"good2"),
             (3500, b"no", b"good1"), (5000, b"no", b"good2")]
    for more, response, event in steps:
        value = neighbour(1).replace(
            str(MTIME).encode(), str(1489925470001 + more).encode())
        w.produce([out(value.replace(b"yes", response).replace(
            b"good1", event))])
        w.judge()
    have = state.read(w.dsn)
    assert (have.counts, have.days) == ({}, {})
