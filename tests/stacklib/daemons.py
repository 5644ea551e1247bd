"""Turnout's own two daemons, with configuration files of this stack's values."""

import os
import re
import signal
import urllib.request

from . import proc


def write_ini(path, sections):
    """Write {section: {key: value}}; values that are None are left out."""
    with open(path, "w") as f:
        for section, keys in sections.items():
            f.write(f"[{section}]\n")
            for key, value in keys.items():
                if value is not None:
                    f.write(f"{key} = {value}\n")


class Daemon(proc.Server):
    """A daemon says "ready" in its log when it is."""

    READY = re.compile(r" info: (.* )?ready\b")

    def __init__(self, dir, name, program):
        super().__init__(dir, name)
        self.program = program
        self.conf = os.path.join(self.dir, f"turnout-{name}.conf")
        self.extra_environment = {}

    def environment(self):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("PG", "TURNOUT_"))}
        env.update(self.extra_environment)
        return env

    def prepare(self):
        if not os.access(self.program, os.X_OK):
            raise proc.StackError(f"{self.program} is not built")

    def ready(self):
        return any(map(self.READY.search, self.logged_lines()))


class Ingest(Daemon):
    """turnout-ingest run.  A second one has another number."""

    def __init__(self, dir, build, number=1):
        name = "ingest" if number == 1 else f"ingest{number}"
        super().__init__(dir, name, os.path.join(build, "ingest",
                                                 "turnout-ingest"))
        self.metrics_port = None
        if os.path.exists(self.conf):
            with open(self.conf) as f:
                listen = [l for l in f if l.startswith("listen = ")]
            self.metrics_port = int(listen[0].rpartition(":")[2])

    def configure(self, brokers, topic, conninfo, changes=None):
        self.metrics_port = self.metrics_port or proc.free_port()
        sections = {
            "kafka": {"brokers": brokers, "topic": topic,
                      "group": "turnout", "start": "earliest"},
            "pg": {"conninfo": conninfo},
            "metrics": {"listen": f"127.0.0.1:{self.metrics_port}"},
        }
        for section, keys in (changes or {}).items():
            sections.setdefault(section, {}).update(keys)
        write_ini(self.conf, sections)

    def command(self):
        return [self.program, "-c", self.conf, "run"]

    def metrics_url(self):
        return f"http://127.0.0.1:{self.metrics_port}/metrics"

    def metrics(self):
        """{"name{labels}": value} as the daemon tells them now."""
        with urllib.request.urlopen(self.metrics_url(), timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        values = {}
        for line in lines:
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                values[name] = float(value)
        return values

    def partitions(self):
        """How many it reads now."""
        return self.metrics()["turnout_ingest_partitions"]

    def fenced(self):
        """How many of its batches another writer has made void."""
        return self.metrics()["turnout_ingest_fenced_total"]

    def given_up(self):
        """How often its group has taken all from it."""
        return sum("the group has given up on us" in line
                   for line in self.logged_lines())


class Fcgi(Daemon):
    """turnout-fcgi on DIR/fcgi.sock, for operators on DIR/status.sock."""

    def __init__(self, dir, build):
        super().__init__(dir, "fcgi", os.path.join(build, "fcgi",
                                                   "turnout-fcgi"))
        self.socket = os.path.join(self.dir, "fcgi.sock")
        self.status_socket = os.path.join(self.dir, "status.sock")

    def configure(self, conninfo, nodes, workers=None, changes=None):
        # 0666: the directory is the fence here, and nginx may be "www-data".
        sections = {
            "fcgi": {"listen": self.socket, "mode": "0666",
                     "status": self.status_socket},
            "pool": {"workers": workers},
            "pg": {"conninfo": conninfo},
            # The preset of 20 ms is for a server of its own, not for two
            # busy cores that run the whole world.
            "redis": {"nodes": " ".join(nodes), "timeout_ms": 100},
        }
        for section, keys in (changes or {}).items():
            sections.setdefault(section, {}).update(keys)
        write_ini(self.conf, sections)

    def command(self):
        return [self.program, "-c", self.conf]

    def workers(self):
        """The pids of those who answer; not of the operators' one."""
        return {pid for pid in proc.children(self.pid())
                if proc.name_of(pid) == "turnout-fcgi"}

    def reload(self):
        self.signal(signal.SIGHUP)
