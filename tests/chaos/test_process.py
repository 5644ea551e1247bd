"""Rows F1 and F3-F8: the ingest daemon is killed, stopped and doubled."""

import signal
import subprocess
import time

import pytest
from away import through
from proxy import CommitHolder, CommitLoser
from stacklib import proc

row = pytest.mark.row
OUTCOMES = ("committed", "not_committed")


def postgres_socket(servers):
    return servers.postgres.host + "/.s.PGSQL.5432"


@row("F1", q=10, f=200, telling=True)
def test_killed_at_random(storm, trials):
    s = storm()
    for _ in trials:
        ingest = s.ingest()
        s.advance(s.dice.randrange(1, 300))
        ingest.kill()
    s.ingest()
    s.judge()


def killed_at_its_commits(storm, servers, trials, directory, answered):
    """The daemon dies when its COMMIT is held back, or the answer to it."""
    s = storm()
    with CommitHolder(directory, postgres_socket(servers)) as proxy:
        for _ in trials:
            ingest = s.ingest(pg=through(proxy, s.world))
            s.advance(1)
            proxy.arm(reply=answered)
            assert proxy.held.wait(30), s.logs()
            ingest.kill()
            proxy.release()
    s.ingest()
    s.judge()


@row("F3", q=5, f=100, telling=True)
def test_killed_before_the_answer_to_its_commit(
        storm, servers, trials, directory):
    killed_at_its_commits(storm, servers, trials, directory, answered=True)


@row("F4", q=5, f=100)
def test_killed_while_its_commit_is_on_the_way(
        storm, servers, trials, directory):
    killed_at_its_commits(storm, servers, trials, directory, answered=False)


@row("F5", q=5, f=100, telling=True)
def test_commits_and_answers_to_commits_are_lost(
        storm, servers, trials, directory, note):
    """Both outcomes are seen as often as there are trials; a COMMIT that was
    to move nothing is done again without a question, and is none of them."""
    s = storm()
    names = [f'turnout_ingest_resolved_total{{outcome="{o}"}}'
             for o in OUTCOMES]
    seen = [0, 0]
    with CommitLoser(directory, postgres_socket(servers), every=4) as proxy:
        ingest = s.ingest(pg=through(proxy, s.world))
        while min(seen) < len(trials):
            s.advance(1)
            told = ingest.metrics()
            seen = [told[name] for name in names]
        ingest.stop()
    note(lost=proxy.lost, swallowed=proxy.swallowed,
         **dict(zip(OUTCOMES, seen)))
    assert proxy.swallowed >= seen[0] and proxy.lost >= seen[1]
    s.ingest()
    s.judge()


@row("F6", q=2, f=50, slice=10)
def test_a_zombie_wakes_up_after_another_went_on(storm, trials, note):
    """Another of another group: the first is fenced, changes nothing and asks
    anew where to go on.  Another of its own group, which gives its partitions
    away after six seconds: it gives them up, or is fenced before it knows."""
    s = storm()
    # It may sleep in a transaction: the server ends that soon.
    s.world.query("ALTER ROLE turnout_ingest IN DATABASE " + s.world.name
                  + " SET idle_in_transaction_session_timeout = '2s'")
    rdkafka = {"session.timeout.ms": "6000"}
    first, seen = s.ingest(rdkafka=rdkafka), {"fenced": 0, "given_up": 0}
    group = s.group
    for trial in trials:
        s.advance(1)
        what, how, other = (
            ("fenced", first.fenced, None),
            ("given_up", first.given_up, group))[trial % 2]
        before = how()
        first.signal(signal.SIGSTOP)
        try:
            second = s.ingest(number=2, group=other, rdkafka=rdkafka)
            s.advance(s.dice.randrange(1, 1500))
        finally:
            first.signal(signal.SIGCONT)
        assert proc.wait_until(
            lambda told=how, was=before: told() > was, 30), s.logs()
        seen[what] += 1
        second.kill()
    note(**seen)
    s.judge()


@row("F7", q=2, f=20, slice=10)
def test_two_daemons_by_mistake(storm, trials):
    """Of one group they share the partitions; of two groups one is refused
    again and again.  Neither changes the state, though an RSVP's messages lie
    in both partitions."""
    s = storm(scatter=True)
    for trial in trials:
        first = s.ingest()
        second = s.ingest(number=2, group=s.group if trial % 2 else None)
        s.advance(s.dice.randrange(200, 2000))
        if trial % 2 == 0:
            assert proc.wait_until(
                lambda both=(first, second): any(d.fenced() for d in both),
                30), s.logs()
        first.kill()
        second.kill()
    s.ingest()
    s.judge()


def stops(ingest, s, state):
    """SIGTERM now: 0, within 5 s."""
    begin = time.monotonic()
    ingest.signal(signal.SIGTERM)
    try:
        status = ingest.child.wait(10)
    except subprocess.TimeoutExpired:
        pytest.fail(f"did not stop while {state}\n{s.logs()}")
    ingest.forget()
    assert status == 0, f"ended with {status} while {state}\n{s.logs()}"
    took = time.monotonic() - begin
    assert took < 5, f"took {took:.1f} s while {state}"


@row("F8", q=1, f=10, slice=5)
def test_sigterm_in_every_state(storm, servers, trials, directory):
    """Joining, working, PostgreSQL away, Kafka away, resolving a COMMIT."""
    s = storm(away=True)
    s.ingest()
    s.advance(1)
    s.world.servers[-1].kill()
    for _ in trials:
        ingest = s.ingest(start=False)
        ingest.spawn()
        time.sleep(s.moment(0.3))
        # Before its handlers are there the signal just ends it.
        if ingest.ready():
            stops(ingest, s, "joining")
        ingest.kill()

        ingest = s.ingest()
        s.advance(s.dice.randrange(1, 400))
        stops(ingest, s, "working")

        for server, state in ((servers.postgres, "PostgreSQL is away"),
                              (servers.broker, "Kafka is away")):
            ingest = s.ingest()
            s.advance(1)
            server.signal(signal.SIGSTOP)
            try:
                time.sleep(s.moment(2))
                stops(ingest, s, state)
            finally:
                server.signal(signal.SIGCONT)

        with CommitHolder(directory, postgres_socket(servers)) as proxy:
            ingest = s.ingest(pg=through(proxy, s.world))
            s.advance(1)
            proxy.arm(reply=bool(s.dice.randrange(2)))
            assert proxy.held.wait(30), s.logs()
            stops(ingest, s, "a COMMIT is not answered")
            proxy.release()
    s.ingest()
    s.judge()
