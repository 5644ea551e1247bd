"""All of it together: up, feed, down, status."""

import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from . import proc
from .broker import Kafka, MockBroker
from .daemons import Fcgi, Ingest
from .nginx import Nginx
from .postgres import PORT, Postgres
from .redis_server import Redis

PARTS = ("postgres", "redis", "broker", "ingest", "fcgi", "nginx")
TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
SOCKET_PATH_MAX = 107  # bytes in sun_path, without its NUL


def default_dir():
    """Where up, feed and down meet when nobody says --dir."""
    return os.path.join(tempfile.gettempdir(), f"turnout-{os.getuid()}")


class Stack:
    """A set of servers in one directory.

    The keyword arguments are the options of "tests/stack up".  A Stack made
    on a directory that is up already takes its settings from there.
    """

    def __init__(self, dir=None, *, broker="mock", partitions=1, redis=3,
                 workers=4, topic="rsvps", port=0, prefix="", only=None,
                 build=None, ingest=None, fcgi=None, postgres=None,
                 quiet=False):
        self.dir = os.path.abspath(dir or tempfile.mkdtemp(prefix="turnout-"))
        self.settings = {
            "broker": broker, "partitions": partitions, "redis": redis,
            "workers": workers, "topic": topic, "port": port,
            "prefix": prefix.rstrip("/"), "only": list(only or PARTS),
            "src": os.path.abspath(os.environ.get("TURNOUT_SRCDIR", TOP)),
            "build": os.path.abspath(
                build or os.environ.get("TURNOUT_BUILDDIR", TOP)),
            "ingest": ingest or {}, "fcgi": fcgi or {},
            "postgres": postgres or {}, "made_dir": dir is None,
        }
        self.quiet = quiet
        self.state = os.path.join(self.dir, "stack.json")
        if os.path.exists(self.state):
            with open(self.state) as f:
                self.settings = json.load(f)
        self._make_parts()

    def _make_parts(self):
        s = self.settings
        longest = os.path.join(self.dir, "postgres/s/.s.PGSQL.5432.lock")
        if len(os.fsencode(longest)) > SOCKET_PATH_MAX:
            raise proc.StackError(f"{self.dir}: the path is too long for "
                                  "Unix sockets")
        self.postgres = self.broker = self.nginx = self.fcgi = None
        self.ingest = None
        self.redis = []
        if "postgres" in s["only"]:
            self.postgres = Postgres(self.dir, s["src"], s["postgres"])
        if "redis" in s["only"]:
            self.redis = [Redis(self.dir, n + 1) for n in range(s["redis"])]
        if "broker" in s["only"] and s["broker"] == "kafka":
            self.broker = Kafka(self.dir, s["build"], s["src"])
        elif "broker" in s["only"] and s["broker"] == "mock":
            self.broker = MockBroker(self.dir, s["build"], s["topic"],
                                     s["partitions"])
        if "ingest" in s["only"] and self.broker and self.postgres:
            self.ingest = Ingest(self.dir, s["build"])
        if "fcgi" in s["only"] and self.postgres:
            self.fcgi = Fcgi(self.dir, s["build"])
        if "nginx" in s["only"]:
            self.nginx = Nginx(self.dir, s["src"], s["port"], s["prefix"])
            s["port"] = self.nginx.port

    def __enter__(self):
        return self.up()

    def __exit__(self, *_):
        self.down()

    def servers(self):
        """Those of this stack, in the order of their start."""
        some = [self.postgres, *self.redis, self.broker, self.ingest,
                self.fcgi, self.nginx]
        return [server for server in some if server is not None]

    def say(self, text):
        if not self.quiet:
            print("stack: " + text, file=sys.stderr, flush=True)

    def up(self):
        """Start everything; all of it is ready on return, or nothing runs."""
        self._claim_dir()
        begin = time.monotonic()
        try:
            self._check_programs()
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                jobs = [pool.submit(self._timed, job) for job in
                        [self._up_postgres, self._up_redis, self._up_broker]]
                # All of them, so that nothing starts after an error is seen.
                concurrent.futures.wait(jobs)
                for job in jobs:
                    job.result()
                jobs = [pool.submit(self._timed, job) for job in
                        [self._up_ingest, self._up_fcgi, self._up_nginx]]
                concurrent.futures.wait(jobs)
                for job in jobs:
                    job.result()
        except BaseException:
            self.down()
            raise
        with open(os.path.join(self.dir, "env"), "w") as f:
            for key, value in self.env().items():
                f.write(f"{key}={value}\n")
        self.say(f"all ready in {time.monotonic() - begin:.2f} s")
        return self

    def _claim_dir(self):
        if os.path.exists(self.state):
            raise proc.StackError(f"{self.dir} is up already; "
                                  "tests/stack down ends it")
        if not os.path.isdir(self.dir):
            os.makedirs(self.dir)
            self.settings["made_dir"] = True
        elif os.stat(self.dir).st_uid != os.getuid():
            raise proc.StackError(f"{self.dir} belongs to somebody else")
        elif os.listdir(self.dir):
            raise proc.StackError(f"{self.dir} is not empty")
        os.chmod(self.dir, 0o755)  # "postgres" and nginx's workers pass
        with open(self.state, "w") as f:
            json.dump(self.settings, f)

    def _check_programs(self):
        """Missing before anything is started, rather than in the middle."""
        if isinstance(self.broker, Kafka):
            self.broker.java()
        for server in [self.nginx, *self.redis]:
            if server is not None:
                server.command()
        for server in [self.ingest, self.fcgi, self.broker]:
            if server is not None and not isinstance(server, Kafka):
                server.prepare()

    def _timed(self, job):
        begin = time.monotonic()
        name = job()
        if name:
            self.say(f"{name} ready in {time.monotonic() - begin:.2f} s")

    def _up_postgres(self):
        if self.postgres is None:
            return None
        self.postgres.start()
        self.postgres.make_database()
        return "postgres"

    def _up_redis(self):
        for server in self.redis:
            server.spawn()
        for server in self.redis:
            server.wait_ready()
        return f"{len(self.redis)} redis" if self.redis else None

    def _up_broker(self):
        if self.broker is None:
            return None
        self.broker.start()
        self.broker.make_topic(self.settings["topic"],
                               self.settings["partitions"])
        return self.settings["broker"]

    def _up_ingest(self):
        if self.ingest is None:
            return None
        self.configure_ingest(self.ingest)
        self.ingest.start()
        return "ingest"

    def configure_ingest(self, ingest, changes=None):
        """Write the configuration of one ingest daemon of this stack."""
        merged = {name: dict(keys)
                  for name, keys in self.settings["ingest"].items()}
        for name, keys in (changes or {}).items():
            merged.setdefault(name, {}).update(keys)
        ingest.configure(self.broker.brokers(), self.settings["topic"],
                         self.postgres.conninfo("turnout_ingest"), merged)

    def more_ingest(self, number, changes=None):
        """Another ingest daemon beside the first; started, ready."""
        ingest = Ingest(self.dir, self.settings["build"], number)
        self.configure_ingest(ingest, changes)
        return ingest.start()

    def configure_fcgi(self, changes=None):
        merged = {name: dict(keys)
                  for name, keys in self.settings["fcgi"].items()}
        for name, keys in (changes or {}).items():
            merged.setdefault(name, {}).update(keys)
        self.fcgi.configure(
            self.postgres.conninfo("turnout_web"),
            [server.node() for server in self.redis],
            self.settings["workers"], merged)

    def _up_fcgi(self):
        if self.fcgi is None:
            return None
        self.configure_fcgi()
        self.fcgi.start()
        return "fcgi"

    def _up_nginx(self):
        if self.nginx is None:
            return None
        self.nginx.start()
        return "nginx"

    def env(self):
        """What a client of this stack needs to know."""
        env = {"DIR": self.dir, "TOPIC": self.settings["topic"]}
        if self.nginx:
            env["URL"] = self.nginx.url()
        if self.broker:
            env["BROKERS"] = self.broker.brokers()
        if self.postgres:
            env.update(PGHOST=self.postgres.host, PGPORT=PORT,
                       PGDATABASE=self.postgres.database, PGUSER="postgres")
        if self.redis:
            env["REDIS_NODES"] = " ".join(r.node() for r in self.redis)
        if self.ingest:
            env["INGEST_CONF"] = self.ingest.conf
            env["INGEST_METRICS"] = self.ingest.metrics_url()
        if self.fcgi:
            env["FCGI_CONF"] = self.fcgi.conf
        return env

    def produce(self, files, *options):
        """Send files to the topic; {partition: next offset} on return."""
        feeder = os.path.join(self.settings["build"], "tests", "kafkafeed")
        done = subprocess.run(
            [feeder, "-b", self.broker.brokers(), "-t",
             self.settings["topic"], *options, *files], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise proc.StackError("feed: " + done.stderr.strip())
        ends = {}
        for line in done.stdout.splitlines():
            words = line.split()
            if len(words) == 4 and words[0] == "PARTITION":
                ends[int(words[1])] = int(words[3])
            else:
                self.say(line)
        return ends

    def stored(self):
        """{partition: next offset} as PostgreSQL has them."""
        rows = self.postgres.psql(
            "SELECT part, next_offset FROM turnout.ingest_offsets "
            f"WHERE topic = '{self.settings['topic']}'")
        return {int(part): int(offset) for part, offset in rows}

    def wait_stored(self, ends, patience=60):
        """Wait until every offset in ends is stored.

        Patience is how long nothing may move: a big file may take its time.
        """
        begin = moved = time.monotonic()
        before = None
        while True:
            try:
                now = self.stored()
            except proc.StackError:
                now = before  # a test may have PostgreSQL down just now
            if now is not None and all(
                    now.get(part, 0) >= end for part, end in ends.items()):
                return
            if now != before:
                before, moved = now, time.monotonic()
            if time.monotonic() - moved > patience:
                raise proc.StackError(
                    f"nothing was stored for {patience} s; stored {now}, "
                    f"sent {ends}\n" + proc.tail(self.ingest.log))
            # Asking costs a psql: less often, the longer it takes.
            time.sleep(min(0.5, 0.03 + (time.monotonic() - begin) / 20))

    def feed(self, *files, options=(), patience=60):
        """Send files and wait until all of it is stored."""
        ends = self.produce(files, *options)
        self.wait_stored(ends, patience)
        return ends

    def all_records(self):
        """Every server that has a record here, last started first."""
        run = os.path.join(self.dir, "run")
        known = {server.name: server for server in self.servers()}
        try:
            found = sorted(os.listdir(run))
        except FileNotFoundError:
            return []
        for name in found:
            name = name.removesuffix(".json")
            if name not in known and name.startswith("ingest"):
                known[name] = Ingest(self.dir, self.settings["build"],
                                     int(name.removeprefix("ingest")))
        order = sorted(known.values(), key=lambda s: self._rank(s.name))
        return [server for server in order if server.name + ".json" in found]

    @staticmethod
    def _rank(name):
        kinds = ("nginx", "fcgi", "ingest", "broker", "redis", "postgres")
        return kinds.index(name.rstrip("0123456789"))

    def down(self, patience=None):
        """Stop all of it and leave no file.  True when all went politely.

        Patience is how many seconds a server may take; each has its own.
        """
        polite = True
        servers = self.all_records()
        front = [s for s in servers if self._rank(s.name) < 3]
        back = [s for s in servers if self._rank(s.name) >= 3]
        for group in (front, back):
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                for server, ok in zip(group, pool.map(
                        lambda s: s.stop(timeout=patience), group)):
                    if not ok:
                        self.say(f"{server.name} had to be killed")
                        polite = False
        self._remove_files()
        return polite

    def _remove_files(self):
        """What we made; all of DIR when we made DIR."""
        if not os.path.exists(self.state):
            return
        if self.settings["made_dir"]:
            shutil.rmtree(self.dir, ignore_errors=True)
            return
        for name in os.listdir(self.dir):
            path = os.path.join(self.dir, name)
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                os.unlink(path)
