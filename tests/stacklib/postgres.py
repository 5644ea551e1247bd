"""A private PostgreSQL: Unix socket only, trust, owned by whoever may own it.

PostgreSQL refuses to run as root, so root hands the data to "postgres".
"""

import glob
import os
import pwd
import signal
import subprocess
import time

from . import proc

PORT = "5432"  # of the socket's name; nothing listens on TCP

PRISTINE = "pristine"

# fsync stays on: a crash test that switched it off would prove nothing.
SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "128MB",
    "max_wal_size": "4GB",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %q%u ",
}


def bindir():
    """Where Debian, or a pg_config in the path, keeps initdb and postgres."""
    for path in sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True):
        if os.access(os.path.join(path, "initdb"), os.X_OK):
            return path
    return os.path.dirname(proc.program("initdb"))


class Postgres(proc.Server):
    """stop(), restart(mode) and crash() are what a test does to it."""

    stop_signal = signal.SIGINT  # "fast": disconnect clients, checkpoint
    stop_timeout = 60  # on a disk that others use
    start_timeout = 60

    def __init__(self, dir, srcdir, settings=None):
        super().__init__(dir, "postgres")
        self.srcdir = srcdir
        self.bin = bindir()
        self.home = os.path.join(self.dir, "postgres")
        self.data = os.path.join(self.home, "data")
        self.host = os.path.join(self.home, "s")
        self.database = "turnout"
        self.settings = dict(SETTINGS, **(settings or {}))

    def user(self):
        return "postgres" if os.geteuid() == 0 else None

    def environment(self):
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"),
                "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def own_environment(self, user="postgres", database=None):
        """What a client of this server needs in its environment."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        env.update(PGHOST=self.host, PGPORT=PORT, PGUSER=user,
                   PGDATABASE=database or self.database, PGCONNECT_TIMEOUT="5")
        return env

    def conninfo(self, user):
        return (f"host={self.host} port={PORT} dbname={self.database} "
                f"user={user}")

    def prepare(self):
        if os.path.exists(os.path.join(self.data, "PG_VERSION")):
            return
        os.makedirs(self.home, exist_ok=True)
        if self.user():
            owner = pwd.getpwnam(self.user())
            os.chown(self.home, owner.pw_uid, owner.pw_gid)
        self.as_owner(["mkdir", "-p", "-m", "0755", self.host])
        self.as_owner([
            os.path.join(self.bin, "initdb"), "-D", self.data, "-A", "trust",
            "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
            "--no-instructions"])

    def as_owner(self, command):
        user = self.user()
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd=self.dir, env=self.environment(),
            user=user, group=user, extra_groups=[] if user else None,
            text=True, check=False)
        if done.returncode != 0:
            raise proc.StackError(f"{command[0]} failed:\n{done.stdout}")

    def command(self):
        command = [os.path.join(self.bin, "postgres"), "-D", self.data,
                   "-k", self.host]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        return command

    def ready(self):
        """The postmaster says so in the last line of its pid file."""
        try:
            with open(os.path.join(self.data, "postmaster.pid")) as f:
                lines = f.read().split("\n")
        except OSError:
            return False
        return (len(lines) > 7 and lines[0] == str(self.pid())
                and lines[7].strip() == "ready")

    def start(self):
        """Start; again where a backend of the last postmaster, older by
        moments, still holds the shared memory."""
        for _ in range(150):
            try:
                return super().start()
            except proc.StackError as why:
                if "pre-existing shared memory block" not in str(why):
                    raise
            time.sleep(0.1)
        return super().start()

    def restart(self, mode="fast"):
        """Stop and start; mode is smart, fast, immediate or crash."""
        if mode == "crash":
            self.crash()
        else:
            self.stop({"smart": signal.SIGTERM, "fast": signal.SIGINT,
                       "immediate": signal.SIGQUIT}[mode])
        return self.start()

    def kill(self):
        """SIGKILL to the postmaster and every backend, as a power cut does:
        backends have sessions of their own."""
        pid = self.pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGSTOP)  # none is born that is not seen
        started = {child: proc.start_time(child)
                   for child in proc.children(pid)}
        super().kill()
        for child, when in started.items():
            if when is not None and proc.start_time(child) == when:
                try:
                    os.kill(child, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        proc.wait_until(lambda: all(
            when is None or proc.start_time(child) != when
            for child, when in started.items()), 10)

    crash = kill

    def psql(self, sql, user="postgres", database=None):
        """Run SQL; the rows as a list of lists of text."""
        done = subprocess.run(
            [os.path.join(self.bin, "psql"), "-X", "-q", "-A", "-t", "-F",
             "\x1f", "-v", "ON_ERROR_STOP=1"], input=sql, text=True,
            env=self.own_environment(user, database), check=False,
            capture_output=True)
        if done.returncode != 0:
            raise proc.StackError("psql: " + done.stderr.strip())
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def make_database(self, name=None, migrate=True):
        """The roles, the database and what sql/migrate makes in it."""
        name = name or self.database
        roles = os.path.join(self.srcdir, "sql", "roles.sql")
        with open(roles) as f:
            self.psql(f.read(), database="postgres")
        if not self.has_database(name):
            self.psql(f'CREATE DATABASE "{name}"', database="postgres")
        if migrate:
            self.migrate(name)

    def has_database(self, name):
        return self.psql("SELECT 1 FROM pg_database WHERE datname = "
                         f"'{name}'", database="postgres") != []

    def copy_database(self, name):
        """What make_database() makes, by a copy of one that nobody uses:
        a server with many databases need not make each of them."""
        if not self.has_database(PRISTINE):
            self.make_database(PRISTINE)
        self.psql(f'CREATE DATABASE "{name}" TEMPLATE {PRISTINE}',
                  database="postgres")

    def migrate(self, name=None):
        done = subprocess.run(
            [os.path.join(self.srcdir, "sql", "migrate")], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False,
            env=self.own_environment(database=name))
        with open(os.path.join(self.dir, "log", "migrate.log"), "a") as log:
            log.write(done.stdout)
        if done.returncode != 0:
            raise proc.StackError("sql/migrate failed:\n" + done.stdout)
