"""Rows E3 and E4: many daemons that come and go, and a database that stays
away.  Minutes in a campaign, seconds otherwise."""

import os
import subprocess
import time

import pytest
from cost import cpu_seconds, memory, memory_limit
from guest import Guest
from stacklib import proc

row = pytest.mark.row
CAMPAIGN = os.environ.get("TURNOUT_CHAOS") == "F"
PROMISED = 285  # s of stale answers: cache.stale_ms less a batch and a look


def lag_is_gone(w):
    ends, stored = w.ends(), w.stored()
    return stored is not None and sum(ends.values()) - sum(
        stored.values()) < 500


def generator(w, seed, *options):
    """Messages into the topic, by two processes: (generator, feeder)."""
    made = subprocess.Popen(
        [os.path.join(w.build, "tests", "rsvpgen"), f"--seed={seed}",
         "--events=50000", "--bad=1", *options],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    fed = subprocess.Popen(
        [os.path.join(w.build, "tests", "kafkafeed"), "-b", w.brokers, "-t",
         w.name, "-"], stdin=made.stdout, stdout=subprocess.DEVNULL)
    made.stdout.close()
    return made, fed


def preload(w, count, seed):
    """So many messages in the topic, before anybody reads it."""
    for child in generator(w, seed, f"--count={count}"):
        assert child.wait(600) == 0
    return sum(w.ends().values())


def drain(w, goal, meanwhile=lambda: None):
    """Messages a second until all is stored, but for the first twentieth:
    when a daemon is new its group forms, and it sends all details once."""
    last = time.monotonic() + 1200

    def reach(count):
        while True:
            had, now = sum((w.stored() or {}).values()), time.monotonic()
            if had >= count:
                return had, now
            assert now < last
            meanwhile()
            time.sleep(0.05)

    start, _ = reach(0)
    had, begin = reach(start + (goal - start) // 20)
    _, end = reach(goal)
    return (goal - had) / (end - begin)


class Every:
    """Takes turns with two things to do, every two seconds."""

    def __init__(self, *things):
        self.things = things
        self.done, self.last = 0, time.monotonic()

    def __call__(self):
        if time.monotonic() < self.last + 2:
            return
        self.last = time.monotonic()
        self.things[self.done % len(self.things)]()
        self.done += 1


class Shuffle(Every):
    """One of the members leaves, then it comes back, then another leaves."""

    def __init__(self, members, dice):
        super().__init__(self.leave, self.come)
        self.members, self.dice = members, dice
        self.away = None

    def leave(self):
        self.away = self.dice.choice(self.members)
        assert self.away.stop(timeout=10)

    def come(self):
        self.away.start()


def keep_shuffling(w, shuffle, seconds):
    """While new messages come in."""
    until = time.monotonic() + seconds
    made, fed = generator(w, 1, "--rate=5000")
    while time.monotonic() < until or shuffle.done % 2:
        shuffle()
        time.sleep(0.05)
    made.terminate()
    made.wait(10)
    assert fed.wait(30) == 0


def alone(w, goal):
    """Seconds a message that one daemon takes whom nobody disturbs."""
    ingest = w.ingest()
    rate = drain(w, goal)
    assert ingest.stop(timeout=10)
    # Not to be done by autovacuum while others are measured.
    w.query("VACUUM ANALYZE")
    return 1 / rate


@row("E3", q=1, f=1, slice=1)
def test_five_daemons_come_and_go(servers, world, dice, note):
    """A rebalance every two seconds: no difference, no deadlock, and not
    slower than one daemon that nobody disturbs.

    First a member comes and goes that is no daemon of ours, so that five are
    measured and no daemon's start is; the one before and after them, since
    the machine is not the same from minute to minute.  Then the five come and
    go themselves, while messages come in."""
    count, seconds = (5000000, 300) if CAMPAIGN else (100000, 4)
    single = world(servers, partitions=12)
    goal = preload(single, count, dice.randrange(10 ** 6))
    before = alone(single, goal // 4)

    w = world(servers, partitions=12)
    goal_of_five = preload(w, count, dice.randrange(10 ** 6))
    members = [w.ingest(number=n) for n in range(1, 6)]
    guest = Guest(w.brokers, w.name, w.name)
    disturb, begin = Every(guest.come, guest.leave), time.monotonic()
    five = drain(w, goal_of_five, disturb)
    guest.come()
    assert proc.wait_until(
        lambda: guest.decided > disturb.done // 4, 20)
    guest.end()
    for member in members:
        assert not member.logged("given up on us")
        assert not member.logged("another writer")
    shuffle = Shuffle(members, dice)
    keep_shuffling(w, shuffle,
                   max(seconds + begin - time.monotonic(), seconds / 5))
    w.wait_stored(w.ends())
    for member in members:
        assert member.stop(timeout=10)
    deadlocks, = w.query("SELECT deadlocks FROM pg_stat_database"
                         " WHERE datname = current_database()")[0]
    one = 2 / (before + alone(single, goal))
    note(rebalances=disturb.done, restarts=shuffle.done, deadlocks=deadlocks,
         one=f"{one:.0f}/s", five=f"{five:.0f}/s")
    assert deadlocks == 0
    w.judge()
    if CAMPAIGN:
        assert five >= one


@row("E4", q=1, f=1, slice=1)
def test_postgres_is_away_for_long(storm, servers, trials, note):
    """Ingest waits without work or memory, boards are answered from Redis,
    marked stale, as long as promised; then all is made up for."""
    away = 600 if CAMPAIGN else 15
    s = storm(rate=500, away=True, audit=False)
    for _ in trials:
        ingest = s.ingest()
        s.advance(1000)
        assert s.readers.wait_for(200)
        servers.postgres.stop()
        begin, cpu = time.monotonic(), cpu_seconds(ingest.pid())
        refused, sizes = s.readers.refused, []
        try:
            while time.monotonic() < begin + away:
                if time.monotonic() < begin + PROMISED:
                    assert s.readers.refused == refused
                sizes.append(memory(ingest.pid()))
                time.sleep(0.5)
            cpu = (cpu_seconds(ingest.pid()) - cpu) / away
            backlog = sum(s.world.ends().values())
        finally:
            servers.postgres.start()
        backlog -= s.stored()
        begin = time.monotonic()
        limit = backlog / 10000 + 30
        assert proc.wait_until(lambda: lag_is_gone(s.world), limit, 0.1)
        took = time.monotonic() - begin
        note(seconds_away=away, backlog=backlog, caught_up=round(took, 1),
             cpu=f"{cpu:.2%}", MiB_first=round(sizes[len(sizes) // 2]),
             MiB_last=round(sizes[-1]), stale=s.readers.stale,
             refused=s.readers.refused)
        assert cpu < 0.02
        assert sizes[-1] < sizes[len(sizes) // 2] + 16
        assert max(sizes) < memory_limit()
        assert s.readers.stale > 0
        ingest.kill()
    s.ingest()
    s.judge()
