"""tests/stack: up, status, feed, down; nothing is left."""

import glob
import os
import signal
import subprocess
import sys
import time

import pytest
import requests
from fixtures import BUILD, SRC

STACK = os.path.join(SRC, "tests", "stack")
ENV = {**os.environ, "TURNOUT_BUILDDIR": BUILD, "TURNOUT_SRCDIR": SRC}


def stack(*words, **how):
    return subprocess.run([sys.executable, STACK, *words], env=ENV,
                          capture_output=True, text=True, check=False,
                          timeout=90, stdin=subprocess.DEVNULL, **how)


def up(directory, *words):
    done = stack("up", "--dir", directory, "--broker", "mock", *words)
    if done.returncode == 77:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def processes(directory):
    """{pid: command} of all that have the directory in their words, their
    environment's place or their working directory."""
    found = {}
    for path in glob.glob("/proc/[0-9]*"):
        try:
            with open(path + "/cmdline", "rb") as f:
                command = f.read().replace(b"\0", b" ").decode()
            where = os.readlink(path + "/cwd")
        except OSError:
            continue
        if directory in command or where.startswith(directory):
            found[int(path[6:])] = command
    return found


@pytest.fixture
def place(directory):
    inner = os.path.join(directory, "s")
    yield inner
    stack("down", "--dir", inner)


def test_up_is_ready_feed_is_stored_down_leaves_nothing(place, generate):
    begin = time.monotonic()
    env = up(place)
    took = time.monotonic() - begin
    print(f"up --broker mock: {took:.1f} s")
    assert {"URL", "BROKERS", "TOPIC", "PGHOST", "PGPORT", "PGDATABASE",
            "REDIS_NODES", "DIR"} <= set(env)
    assert len(env["REDIS_NODES"].split()) == 3
    assert requests.get(env["URL"] + "/readyz", timeout=5).status_code == 200
    with open(os.path.join(place, "env"), encoding="utf-8") as f:
        assert f.read().splitlines() == [f"{k}={v}" for k, v in env.items()]
    assert stack("status", "--dir", place).returncode == 0

    fed = stack("feed", "--dir", place, generate(500))
    assert fed.returncode == 0, fed.stderr
    board = requests.get(env["URL"] + "/api/topk", timeout=5).json()
    assert board["events"] and board["lag"]["messages"] == 0

    before = processes(place)
    assert len(before) >= 8
    done = stack("down", "--dir", place)
    assert done.returncode == 0, done.stderr
    assert not os.path.exists(place)
    assert processes(place) == {}


def test_down_also_ends_what_is_left_after_servers_were_killed(place):
    up(place, "--only", "postgres,redis,fcgi,nginx")
    for pid, command in processes(place).items():
        if "turnout-fcgi" in command or "redis1" in command:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    assert stack("status", "--dir", place).returncode == 1
    assert stack("down", "--dir", place).returncode == 0
    assert processes(place) == {}
    assert not os.path.exists(place)


def test_a_second_up_in_the_same_directory_is_refused(place):
    up(place, "--only", "redis")
    again = stack("up", "--dir", place, "--only", "redis")
    assert again.returncode == 1
    assert "up already" in again.stderr
    assert stack("down", "--dir", place).returncode == 0


def test_down_of_nothing_is_no_error(place):
    assert stack("down", "--dir", place).returncode == 0


def test_a_directory_with_something_in_it_is_left_alone(directory):
    precious = os.path.join(directory, "precious")
    with open(precious, "w", encoding="utf-8") as f:
        f.write("x")
    done = stack("up", "--dir", directory, "--only", "redis")
    assert done.returncode == 1
    stack("down", "--dir", directory)
    assert os.path.exists(precious)


@pytest.mark.parametrize("words", [
    ["up", "--redis", "-1"], ["up", "--broker", "rabbit"], ["sing"], [],
    ["up", "--only", "mysql"], ["up", "--port", "70000"], ["feed"]])
def test_wrong_usage_ends_with_64(words):
    assert stack(*words).returncode == 64
