"""Fixtures: the servers of one pytest file, and small worlds on them.

Servers start once a file; a world has its own topic, database and daemons on
them, so that tests do not see each other.  Starting a world costs about half
a second, a server of its own only the tests that break one.
"""

import collections
import os
import random
import subprocess
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE),
                os.path.join(HERE, "..", "corpus")]

from stacklib import proc               # noqa: E402
from stacklib.daemons import Ingest     # noqa: E402
from stacklib.stack import Stack        # noqa: E402
from world import World                 # noqa: E402

SRC = os.path.abspath(os.environ.get(
    "TURNOUT_SRCDIR", os.path.join(HERE, "..", "..")))
BUILD = os.path.abspath(os.environ.get("TURNOUT_BUILDDIR", SRC))

Capture = collections.namedtuple(
    "Capture", "file rsvps yes events first tie_at_5")

# What each holds, counted by hand long before the product was written.
CAPTURES = {
    "2015-03-08": Capture("rsvps-2015-03-08.ndjson.gz", 1851, 1330, 1695,
                          [("221001219", 5), ("wjnzflytgbqb", 5)], True),
    "2017-03-19": Capture("rsvps-2017-03-19.ndjson.gz", 1260, 864, 1164,
                          [("238532425", 6), ("238532519", 5)], None),
}


def pytest_configure(config):
    seed = int(os.environ.get("TURNOUT_SEED", random.randrange(10 ** 6)))
    config.seed = seed


def pytest_report_header(config):
    return f"TURNOUT_SEED={config.seed} (set it to see the same again)"


@pytest.fixture
def dice(request):
    """Random, from the seed that the header prints."""
    return random.Random(f"{request.config.seed} {request.node.name}")


def program(*path):
    found = os.path.join(BUILD, *path)
    if not os.access(found, os.X_OK):
        pytest.fail(f"{found} is not built")
    return found


def sanitized(path):
    """Whether it is a sanitizer build, which is slower and needs more."""
    with open(path, "rb") as f:
        return b"__asan" in f.read()


@pytest.fixture(scope="session")
def ingest_program():
    return program("ingest", "turnout-ingest")


@pytest.fixture(scope="session")
def fcgi_program():
    return program("fcgi", "turnout-fcgi")


def started(**how):
    """A stack that is up; its end is the fixture's."""
    try:
        return Stack(quiet=True, **how).up()
    except proc.Missing as why:
        pytest.skip(str(why))


def imported(stack, path):
    """A stack without a stream, with the messages of a file in it."""
    ingest = Ingest(stack.dir, stack.settings["build"])
    ingest.configure("127.0.0.1:1", "rsvps",
                     stack.postgres.conninfo("turnout_ingest"))
    subprocess.run([ingest.program, "-c", ingest.conf, "import", "-q", path],
                   check=True)
    stack.url = stack.nginx.url()
    return stack


@pytest.fixture(scope="session")
def kafka():
    """PostgreSQL and real Kafka; worlds bring their daemons."""
    stack = started(broker="kafka", only=("postgres", "broker"))
    yield stack
    stack.broker.kill()  # it takes seconds to say goodbye
    stack.down()


@pytest.fixture(scope="session")
def servers():
    """PostgreSQL, real Kafka and three Redis."""
    stack = started(broker="kafka", redis=3,
                    only=("postgres", "broker", "redis"))
    yield stack
    stack.broker.kill()  # it takes seconds to say goodbye
    stack.down()


@pytest.fixture(scope="session")
def database():
    """PostgreSQL alone, for the operator's commands."""
    stack = started(broker="none", only=("postgres",))
    yield stack
    stack.down()


@pytest.fixture
def world(request, tmp_path_factory):
    """world(stack, partitions=...) makes one; all end with the test."""
    made = []

    def make(stack, **how):
        name = f"w{len(os.listdir(stack.dir))}x{len(made)}"
        made.append(World(stack, name, **how))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.fixture
def directory():
    """A short path: Unix sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="turnout-t") as path:
        os.chmod(path, 0o755)
        yield path


def capture_path(name):
    folder = os.environ.get("TURNOUT_CAPTURES",
                            os.path.join(SRC, "..", "shared", "data"))
    path = os.path.join(folder, CAPTURES[name].file)
    if not os.path.exists(path):
        pytest.skip(f"the capture {path} is not here")
    return path


def site_of(capture, name, request):
    """A world that serves a capture, with Redis; its .url is where.  It ends
    with the scope of the fixture that asked."""
    stack = started(broker="none", only=("postgres", "redis"))
    request.addfinalizer(stack.down)
    w = World(stack, name)
    request.addfinalizer(w.end)
    done = w.command("import", "-q", capture_path(capture))
    assert done.returncode == 0, done.stderr
    w.url = w.serve(nodes=[r.node() for r in stack.redis])
    return w


@pytest.fixture(params=sorted(CAPTURES))
def capture(request):
    """(Capture, its path), once for each."""
    return CAPTURES[request.param], capture_path(request.param)


@pytest.fixture
def one_capture():
    """The one that is enough where it does not matter which."""
    return CAPTURES["2017-03-19"], capture_path("2017-03-19")


@pytest.fixture(scope="session")
def generate(tmp_path_factory):
    """generate(count, seed=..., ...): a file of messages like real ones."""
    folder = tmp_path_factory.mktemp("generated")

    def make(count, seed=1, **options):
        words = [f"--{name}={value}" for name, value in options.items()]
        path = folder / f"{count}-{seed}{''.join(words)}.ndjson"
        if not path.exists():
            with open(path, "wb") as f:
                subprocess.run(
                    [program("tests", "rsvpgen"), f"--count={count}",
                     f"--seed={seed}", *words], stdout=f, check=True)
        return str(path)

    return make
