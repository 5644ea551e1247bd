"""Rows F2 and F9-F12: the ingest daemon dies at each system call of a batch,
and gets no memory, no file descriptors, nobody who reads its log."""

import os
import resource
import subprocess
import time

import pytest
import syscalls
from cost import cpu_seconds, memory, memory_limit
from kafka import out
from messages import neighbour
from stacklib import proc

row = pytest.mark.row
DROPPED = "turnout_ingest_log_lines_dropped_total"
CALLS = ("sendto", "recvfrom", "poll", "write", "socket", "connect")


def one_kill(w, call, number, log):
    """A batch whose storer is killed at the nth of one system call; False
    when the batch needs fewer of them."""
    ingest = w.ingest(group=f"{w.name}-{call}-{number}")
    strace = syscalls.inject(syscalls.threads(ingest.pid())["storer"], call,
                             f"signal=KILL:when={number}", log)
    begin = sum(w.ends().values())
    w.produce([out(neighbour(begin + n)) for n in range(20)] + [out(b"{")],
              wait=False)
    ends = w.ends()
    assert proc.wait_until(
        lambda: not ingest.alive() or w.stored() == ends, 60)
    died = not ingest.alive()
    strace.terminate()
    strace.communicate()
    ingest.kill()
    return died


@row("F2", q=1, f=1, slice=1)
def test_killed_at_every_system_call_of_a_batch(
        servers, world, directory, note):
    """Every one in a campaign, some otherwise."""
    step = 1 if os.environ.get("TURNOUT_CHAOS") == "F" else 5
    w = world(servers)
    kills = {}
    for call in CALLS:
        number = 1
        while one_kill(w, call, number, os.path.join(directory, "log")):
            kills[call] = kills.get(call, 0) + 1
            number += step
    w.ingest(group=f"{w.name}-last")
    w.wait_stored(w.ends())
    w.judge()
    note(**kills)
    assert {"sendto", "recvfrom", "poll"} <= set(kills)


BACKLOG = 16000  # messages of 25,000 bytes: 400 MiB


def backlog(begin):
    """Good messages, each with a part that nobody knows."""
    return [out(neighbour(begin + n)[:-1] + b', "x": "' + b"x" * 25000 + b'"}')
            for n in range(BACKLOG)]


@row("F10", q=1, f=3, slice=1)
def test_a_backlog_needs_no_memory(storm, servers, trials, note):
    """PostgreSQL is away while more comes in than the daemon may keep."""
    s = storm(rate=500, away=True, audit=False, readers=0,
              settings={"batch": {}})
    worst = 0.0
    for trial in trials:
        ingest = s.ingest()
        s.advance(1)
        servers.postgres.stop()
        try:
            s.world.produce(backlog(BACKLOG * trial), wait=False)
            until = time.monotonic() + 8
            while time.monotonic() < until:
                worst = max(worst, memory(ingest.pid()))
                time.sleep(0.1)
        finally:
            servers.postgres.start()
        s.advance(BACKLOG + 1000)
        worst = max(worst, memory(ingest.pid(), "VmHWM"))
        ingest.kill()
    note(MiB=round(worst))
    assert worst < memory_limit()
    s.ingest()
    s.judge()


@row("F11", q=1, f=5)
def test_no_file_descriptor_is_left(storm, trials):
    """It has lost its connection, and cannot open another: it waits, does
    not spin, and goes on when there are some again."""
    s = storm(rate=200)
    ingest = s.ingest()
    for _ in trials:
        s.advance(1)
        pid = ingest.pid()
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (4, before[1]))
        s.world.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                      " WHERE usename = 'turnout_ingest'"
                      " AND datname = current_database()"
                      " AND application_name = 'turnout-ingest'")
        stored, used = s.stored(), cpu_seconds(pid)
        time.sleep(3)
        assert s.stored() <= stored + 200
        assert cpu_seconds(pid) - used < 1
        assert ingest.alive()
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        s.advance(200)
    s.judge()


def full_pipe():
    """(read end, write end): it takes no byte more, and a write blocks."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while True:
            os.write(write, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(write, True)
    return read, write


@row("F12", q=1, f=5)
def test_nobody_reads_the_log(storm, trials):
    """A full pipe stops nothing; lines are dropped, and counted."""
    s = storm()
    for _ in trials:
        ingest = s.ingest(start=False, log={"level": "debug"})
        read, write = full_pipe()
        child = subprocess.Popen(
            ingest.command(), stdin=subprocess.DEVNULL, stdout=write,
            stderr=write, env=ingest.environment())
        try:
            s.advance(1000)
            assert ingest.metrics()[DROPPED] > 0
        finally:
            child.kill()
            child.wait()
            os.close(read)
            os.close(write)
    s.ingest()
    s.judge()
