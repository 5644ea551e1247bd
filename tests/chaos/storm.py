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
oracle.
"""

import os
import signal
import subprocess

from readers import Readers
from stacklib import proc
from stacklib.daemons import Ingest


class Storm:
    def __init__(self, world, dice, rate=1000, readers=3, redis=True,
                 away=False, gone=False, audit=True, events=500, nodes=None,
                 fcgi=None):
        """away: PostgreSQL is to go, gone: the pool, see Readers.  nodes: the
        ring, if it is not that of the stack; fcgi: more sections of
        turnout-fcgi.conf."""
        self.world, self.dice = world, dice
        self.rate, self.events = rate, events
        self.count, self.away, self.gone = readers, away, gone
        self.redis = world.stack.redis if redis else []
        self.nodes = nodes or [r.node() for r in self.redis]
        self.fcgi = fcgi or {}
        self.audits = audit
        self.generator = self.feeder = self.audit = self.readers = None
        self.generation = 0

    def begin(self):
        self.begin_feed()
        if self.audits:
            self.begin_audit()
        if self.count:
            self.begin_readers()
        return self

    def begin_feed(self):
        w = self.world
        self.generator = subprocess.Popen(
            [os.path.join(w.build, "tests", "rsvpgen"), "--bad=1",
             f"--rate={self.rate}", f"--events={self.events}",
             f"--seed={self.dice.randrange(10 ** 6)}"],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        with open(os.path.join(w.dir, "feed.log"), "ab") as log:
            self.feeder = subprocess.Popen(
                [os.path.join(w.build, "tests", "kafkafeed"), "-b", w.brokers,
                 "-t", w.name, "--patience", "300", "-"],
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
        url = w.serve(nodes=self.nodes, workers=3, **changes)
        self.readers = Readers(url, clients=self.count, away=self.away,
                               gone=self.gone)
        self.readers.__enter__()

    # What a row does with it.

    def ingest(self, number=1, start=True, **changes):
        """A daemon; one that was killed is followed by one of a new group,
        for the dead one is a member of its own for ten seconds more."""
        self.generation += 1
        return self.world.ingest(
            number=number, start=start,
            group=f"{self.world.name}-{self.generation}", **changes)

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
        if self.audit is None:
            return
        log = os.path.join(self.world.dir, "audit.log")
        assert proc.wait_until(lambda: any(
            " RSVPs, " in line for line in proc.tail(log, 1000).splitlines()),
            30), "no audit ever came to its end\n" + proc.tail(log, 40)
        self.audit.send_signal(signal.SIGTERM)
        status = self.audit.wait(30)
        self.audit = None
        assert status == 0, f"audit --watch: {status}\n" + proc.tail(log, 40)

    def end_readers(self):
        if self.readers is None:
            return
        readers, self.readers = self.readers, None
        readers.__exit__()
        assert not readers.failed, readers.failed[:5]
        assert readers.answers > 0

    def judge(self, **how):
        """Everything is stored, and nothing was ever wrong."""
        self.end_feed()
        self.world.wait_stored(self.world.ends(), patience=60)
        self.end_readers()
        self.end_audit()
        return self.world.judge(**how)

    def abandon(self):
        """After a failed row: end what still runs, judge nothing."""
        for child in (self.generator, self.feeder, self.audit):
            if child is not None and child.poll() is None:
                child.kill()
                child.wait()
        if self.readers is not None:
            self.readers.__exit__()
