"""Random requests through nginx, each answer held against the oracle.

The version of an answer says how many records it has seen, so each is judged
by the state after just as many, also while more are being applied.
TURNOUT_REQUESTS=n asks n of them of generated messages, and a tenth of that
of each capture.
"""

import collections
import os
import time

import oracle
import requests
from kafka import out
from oracle import answer
from questions import Questions, path_of
from spread import Spread, odd_messages
from world import lines_of

COUNT = int(os.environ.get("TURNOUT_REQUESTS", "1000"))
ROUNDS = max(5, COUNT // 200)
BATCH = 200           # messages that come late, each round
FIRST = 6000          # messages before any question
BATCHES = {"batch": {"max_messages": "25"}}

# How old an answer may be, in s, and how much its clock may be ahead.
FRESH, CACHED, AHEAD = 3, 15, 0.5

Told = collections.namedtuple("Told", "asked path begin end old body")


def same(asked):
    """Equal for questions that may have one entry in a cache."""
    question = oracle.Question.of(asked.parameters, 0)
    return asked[:2], question._replace(
        country=(question.country or "").casefold(),
        city=(question.city or "").casefold())


class Asker:
    """Asks, and keeps what is wrong with the answers."""

    def __init__(self, url, dice):
        self.url, self.dice = url, dice
        self.session = requests.Session()
        self.session.trust_env = False
        self.before = {}  # when a question was last asked
        self.wrong = []
        self.seen = collections.Counter()

    def ask(self, asked, least=0):
        """The answer, or None when it is at fault.  One that a cache
        remembers may have a version before the least; then it is asked for
        again."""
        path, key = path_of(asked, self.dice), same(asked)
        old = time.time() - self.before.get(key, 0) < CACHED
        deadline = time.time() + 2 * CACHED
        while True:
            begin = self.before[key] = time.time()
            found = self.session.get(self.url + path, timeout=20)
            told = Told(asked, path, begin, time.time(), old,
                        found.json() if found.status_code == 200 else None)
            if told.body is None:
                self.fault(told, [("status", 200, f"{found.status_code}"
                                   f" {found.text[:300]}")])
                return None
            if told.body["version"] >= least:
                return told
            if not old or begin > deadline:
                self.fault(told, [("version", f"{least} or more",
                                   told.body["version"])])
                return None
            self.seen["asked again"] += 1
            time.sleep(0.3)

    def fault(self, told, found):
        self.wrong.append(told.path + "".join(
            f"\n    {name}: expected {want!s:.200}, found {have!s:.200}"
            for name, want, have in found[:4]))

    def judge(self, state, told):
        asked, body = told.asked, told.body
        found = answer.differences(state, asked, body)
        found += self.times(told)
        if found:
            self.fault(told, found)
        self.seen["answers"] += 1
        self.seen[asked.kind] += 1
        self.seen["empty"] += asked.kind == "topk" and not body["events"]
        self.seen["ties"] += body.get("tie_at_cutoff", False)
        self.seen["ranked before"] += any(
            e.get("previous_rank") for e in body.get("events", ()))

    @staticmethod
    def times(told):
        """An answer is of now, and so is the end of a window that slides."""
        least = 1000 * (told.begin - (CACHED if told.old else FRESH))
        most = 1000 * (told.end + AHEAD)
        clocks = {"as_of": oracle.window.instant(told.body["as_of"])}
        slides = answer.span(told.asked, told.body)
        if slides is not None:
            clocks["query.to"] = slides[1]
        return [(name, f"{int(least)} to {int(most)}", ms)
                for name, ms in clocks.items() if not least <= ms <= most]

    def finish(self):
        print(" ".join(f"{k}={v}" for k, v in sorted(self.seen.items())))
        assert not self.wrong, (
            f"{len(self.wrong)} wrong of {self.seen['answers']}:\n"
            + "\n".join(self.wrong[:10]))


class Log:
    """What was produced, and the state after as much of it as is asked for."""

    def __init__(self, world):
        self.world = world
        self.records = []
        self.state = oracle.State()
        self.at = 0

    def produce(self, lines):
        """Whether they are stored is not waited for."""
        ts = int(time.time() * 1000)
        for line in lines:
            self.records.append(oracle.Record(
                ts, 0, len(self.records), line, None, self.world.name))
        self.world.produce([out(line, ts=ts) for line in lines], wait=False)

    def wait(self):
        self.world.wait_stored({0: len(self.records)})

    def after(self, version):
        """It only goes on."""
        assert version >= self.at
        for record in self.records[self.at:version]:
            self.state.add(record)
        self.at = version
        return self.state


def generated(generate, dice, now_ms, count):
    """Lines of rsvpgen with other mtimes, and odd ones among them."""
    start = time.strftime("%Y-%m-%dT%H:%M:%SZ",
                          time.gmtime(now_ms / 1000 - 30 * 86400))
    path = generate(count, seed=dice.randrange(10 ** 6), events=3000,
                    start=start, bad=1)
    lines = Spread(dice, now_ms).lines(lines_of(path))
    for odd in odd_messages(dice, now_ms, count // 20):
        lines.insert(dice.randrange(len(lines)), odd)
    return lines


def test_random_requests_are_answered_as_the_oracle_does(
        servers, world, generate, dice):
    w = world(servers, settings=BATCHES)
    w.ingest()
    url = w.serve(nodes=[r.node() for r in servers.redis], workers=2,
                  patient=True)
    log, asker = Log(w), Asker(url, dice)
    now_ms = int(time.time() * 1000)
    lines = generated(generate, dice, now_ms, FIRST + ROUNDS * BATCH)
    late = [lines[FIRST + n::ROUNDS] for n in range(ROUNDS)]
    log.produce(lines[:FIRST])
    log.wait()
    for more in late:
        begin = len(log.records)
        questions = Questions(dice, log.after(begin), int(time.time() * 1000))
        log.produce(more)
        count = COUNT // ROUNDS
        told = [asker.ask(questions.one(), begin) for _ in range(count // 5)]
        log.wait()
        told += [asker.ask(questions.one(), len(log.records))
                 for _ in range(count - count // 5)]
        told = [one for one in told if one is not None]
        for one in sorted(told, key=lambda one: one.body["version"]):
            version = one.body["version"]
            asker.seen["while applied"] += begin < version < len(log.records)
            asker.judge(log.after(version), one)
    asker.finish()
    seen, all_of_it = asker.seen, COUNT // ROUNDS * ROUNDS
    assert seen["answers"] == all_of_it
    assert seen["empty"] < 0.3 * all_of_it
    assert min(seen["ties"], seen["ranked before"]) > 0.1 * all_of_it
    assert list(w.log()) == log.records
    w.judge()


def test_random_requests_of_a_capture_are_answered_as_the_oracle_does(
        servers, world, capture, dice):
    _, path = capture
    w = world(servers)
    done = w.command("import", "-q", path)
    assert done.returncode == 0, done.stderr
    url = w.serve(nodes=[r.node() for r in servers.redis], workers=2,
                  patient=True)
    lines = lines_of(path)
    state = oracle.state_of_file(lines)
    newest = max(rsvp.mtime_ms for rsvp in state.yes())
    questions, asker = Questions(dice, state, newest), Asker(url, dice)
    for _ in range(COUNT // 10):
        told = asker.ask(questions.one(), len(lines))
        if told is not None:
            asker.judge(state, told)
    asker.finish()
    # It is long ago, so a window that slides has nothing to show.
    assert asker.seen["empty"] < 0.7 * COUNT // 10
