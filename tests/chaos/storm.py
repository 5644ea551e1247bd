"""The load under which a fault happens, and the judges of what it did.

    s = storm(partitions=2)          # messages come in, readers read
    ingest = s.ingest()
    for trial in trials:
        ... a fault ...
        s.advance(200)               # that many more messages are stored
    s.judge()

Messages: tests/rsvpgen (re-sent, changed and late ones as in the captures),
1 % of them bad.  Readers ask for boards and check every answer (readers.py).
turnout-ingest audit --watch looks at the database all the time.  judge() ends
the load, waits until all is stored, and asks the readers, the audit and the
oracle, which asks the API, too.
"""

import os
import re
import signal
import subprocess

from away import pool_is_back
from oracle import api
from readers import Readers
from stacklib import proc
from stacklib.daemons import Ingest


BOARDS_SOON = 20  # s until no cache has a board of before the end


class Storm:
    def __init__(self, world, dice, rate=1000, readers=3, redis=True,
                 away=False, gone=False, audit=True, events=500, nodes=None,
                 fcgi=None, scatter=False):
        """away: PostgreSQL is to go, gone: the pool, see Readers.  nodes: the
        ring, if it is not that of the stack; fcgi: more sections of
        turnout-fcgi.conf.  scatter: messages go to partitions by chance, those
        of one RSVP to several."""
        self.world, self.dice = world, dice
        self.rate, self.events = rate, events
        self.count, self.away, self.gone = readers, away, gone
        self.redis = world.stack.redis if redis else []
        self.nodes = nodes or [r.node() for r in self.redis]
        self.fcgi = fcgi or {}
        self.audits, self.scatter = audit, scatter
        self.generator = self.feeder = self.audit = self.readers = None
        self.seed = self.group = self.url = None
        self.generation = 0

    def begin(self):
        self.begin_feed()
        if self.audits:
            self.begin_audit()
        if self.count:
            self.begin_readers()
        return self

    def begin_feed(self, seed=None):
        """A stream of its own, or that of s.seed again."""
        w = self.world
        self.seed = seed or self.dice.randrange(1, 10 ** 6)
        self.generator = subprocess.Popen(
            [os.path.join(w.build, "tests", "rsvpgen"), "--bad=1",
             f"--rate={self.rate}", f"--events={self.events}",
             f"--seed={self.seed}"],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        with open(os.path.join(w.dir, "feed.log"), "ab") as log:
            self.feeder = subprocess.Popen(
                [os.path.join(w.build, "tests", "kafkafeed"), "-b", w.brokers,
                 "-t", w.name, "--patience", "300",
                 *(["--scatter"] if self.scatter else []), "-"],
                stdin=self.generator.stdout,
                stdout=log, stderr=log)
        self.generator.stdout.close()

    def begin_audit(self):
        w = self.world
        auditor = Ingest(w.dir, w.build, 8)
        auditor.configure("127.0.0.1:1", w.name, w.conninfo("turnout_ingest"))
        with open(os.path.join(w.dir, "audit.log"), "wb") as log:
            self.audit = subprocess.Popen(
                [auditor.program, "-c", auditor.conf, "audit", "--watch"],
                stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=auditor.environment())

    def begin_readers(self):
        w = self.world
        changes = {"cache": {"namespace": w.name}}
        for section, keys in self.fcgi.items():
            changes.setdefault(section, {}).update(keys)
        self.url = w.serve(nodes=self.nodes, workers=3, **changes)
        self.readers = Readers(self.url, clients=self.count, away=self.away,
                               gone=self.gone)
        self.readers.__enter__()

    # What a row does with it.

    def ingest(self, number=1, start=True, group=None, **changes):
        """A daemon; one that was killed is followed by one of a new group,
        for the dead one is a member of its own for ten seconds more.  Its
        group is self.group then."""
        if group is None:
            self.generation += 1
            group = f"{self.world.name}-{self.generation}"
        self.group = group
        return self.world.ingest(number=number, start=start, group=group,
                                 **changes)

    def stored(self):
        """How many messages; None while the database is away."""
        found = self.world.stored()
        return None if found is None else sum(found.values())

    def advance(self, messages, seconds=60):
        """Until so many more messages are stored."""
        assert proc.wait_until(lambda: self.stored() is not None, seconds)
        goal = self.stored() + messages
        self.reach(goal, seconds)

    def reach(self, goal, seconds=60):
        assert proc.wait_until(lambda: (self.stored() or 0) >= goal,
                               seconds, 0.01), (
            f"{self.stored()} of {goal} messages stored\n" + self.logs())

    def moment(self, most):
        """A random time up to so many seconds, for a fault to fall into."""
        return self.dice.uniform(0, most)

    def logs(self):
        logs = [("feed", os.path.join(self.world.dir, "feed.log"))]
        logs += [(s.name, s.log) for s in self.world.servers]
        return "\n".join(f"-- {name}\n{proc.tail(log)}"
                         for name, log in logs)

    # The end of it.

    def end_feed(self):
        if self.generator is None:
            return
        self.generator.send_signal(signal.SIGTERM)
        self.generator.wait(10)
        try:
            self.feeder.wait(30)
        except subprocess.TimeoutExpired:
            self.feeder.kill()
            self.feeder.wait()
        self.generator = None

    def end_audit(self):
        """After two more rounds: the second begins when all is stored."""
        if self.audit is None:
            return
        log = os.path.join(self.world.dir, "audit.log")

        def rounds():
            with open(log, encoding="utf-8") as f:
                return sum(" RSVPs, " in line for line in f)

        goal = rounds() + 2
        assert proc.wait_until(
            lambda: self.audit.poll() is not None or rounds() >= goal, 60, 0.1
        ), "the audit looks no more\n" + proc.tail(log, 40)
        self.audit.send_signal(signal.SIGTERM)
        status = self.audit.wait(30)
        self.audit = None
        assert status == 0, f"audit --watch: {status}\n" + proc.tail(log, 40)

    def end_readers(self):
        if self.readers is None:
            return
        readers, self.readers = self.readers, None
        on = readers.wait_for(10)
        readers.__exit__()
        assert not readers.failed, readers.failed[:5]
        assert on, "the readers are stuck"

    def judge(self, **how):
        """Everything is stored, and nothing was ever wrong."""
        self.end_feed()
        self.world.wait_stored(self.world.ends(), patience=60)
        pool_is_back(self)
        self.end_readers()
        self.end_audit()
        want, have = self.world.judge(**how)
        if self.scatter:
            self.assert_scattered()
        if self.url is not None:
            wrong = api.differences(want, self.url, BOARDS_SOON)
            assert not wrong, wrong[:5]
        return want, have

    def assert_scattered(self):
        """Of some RSVPs there are messages in several partitions."""
        partitions = {}
        for record in self.world.log():
            rsvp = re.search(rb'"rsvp_id":(\d+)', record.value or b"")
            if rsvp:
                partitions.setdefault(rsvp[1], set()).add(record.partition)
        assert any(len(some) > 1 for some in partitions.values()), \
            f"all of {len(partitions)} RSVPs lie in one partition each"

    def abandon(self):
        """After a failed row: end what still runs, judge nothing."""
        for child in (self.generator, self.feeder, self.audit):
            if child is not None and child.poll() is None:
                child.kill()
                child.wait()
        if self.readers is not None:
            self.readers.__exit__()
