"""Detached processes that another process can find and stop again.

A server gets a session of its own and a record DIR/run/NAME.json with its pid
and start time; whoever reads the record signals that very process or none.
Waiting is always for a condition, with a deadline; nothing sleeps for luck.
"""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time


class StackError(Exception):
    """Something did not start or stop; the text is for a person."""


class Missing(StackError):
    """A server program is not installed: the caller skips (77)."""


def program(name, *places):
    """The path of a program, or Missing with its name."""
    for place in places:
        path = os.path.join(place, name)
        if os.access(path, os.X_OK):
            return path
    sbin = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    path = shutil.which(name, path=sbin)
    if path is None:
        raise Missing(f"{name} is not installed")
    return path


def free_port():
    """A TCP port of 127.0.0.1 that is free now.

    Below the kernel's range for outgoing connections, so that nobody gets it
    by chance before its server binds it.
    """
    for _ in range(200):
        port = random.SystemRandom().randrange(15000, 32000)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise StackError("no free TCP port between 15000 and 32000")


def port_is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def wait_until(condition, seconds, every=0.02):
    """True as soon as condition() is, False when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def stat_fields(pid):
    """Those of /proc/PID/stat behind the name, None for gone and zombies.

    A zombie with threads left is not gone: they hold its sockets.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            fields = f.read().rpartition(b")")[2].split()
    except OSError:
        return None
    gone = fields[0] in (b"Z", b"X") and int(fields[17]) <= 1
    return None if gone else fields


def start_time(pid):
    """When pid started (clock ticks), or None when it is gone."""
    fields = stat_fields(pid)
    return None if fields is None else int(fields[19])


def children(pid):
    """The pids of a process's children."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return {int(word) for word in f.read().split()}


def name_of(pid):
    """What a process calls itself, None when it is gone."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
            return f.read().strip()
    except OSError:
        return None


def orphans(leader, started):
    """What is left of the session of a leader that is gone.

    While one of them lives the kernel gives the leader's number to nobody
    else, so whoever has it for a session now got it from our leader.
    """
    found = []
    if os.path.exists(f"/proc/{leader}") and stat_fields(leader) is not None:
        return found
    for name in os.listdir("/proc"):
        fields = stat_fields(name) if name.isdigit() else None
        if fields and int(fields[3]) == leader and int(fields[19]) >= started:
            found.append(int(name))
    return found


def tail(path, lines=12):
    """The last lines of a file, for an error message."""
    try:
        with open(path, "rb") as f:
            f.seek(0, os.SEEK_END)
            f.seek(max(0, f.tell() - 16384))
            text = f.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


class Server:
    """One server program.  A subclass says how to start it and when it is ready.

    name        of the record and the log
    stop_signal the polite one
    """

    stop_signal = signal.SIGTERM
    start_timeout = 30
    stop_timeout = 15

    def __init__(self, dir, name):
        self.dir = os.path.abspath(dir)
        self.name = name
        self.log = os.path.join(self.dir, "log", name + ".log")
        self.record = os.path.join(self.dir, "run", name + ".json")
        self.child = None
        self.log_from = 0

    # What a subclass says.

    def command(self):
        raise NotImplementedError

    def prepare(self):
        """Files and directories that must be there before the start."""

    def ready(self):
        """Whether it answers.  Asked again and again, so it must be quick."""
        raise NotImplementedError

    def environment(self):
        return None

    def user(self):
        return None

    # What all of them do.

    def recorded(self):
        """(pid, start time) of the last start; (None, None) of none."""
        try:
            with open(self.record) as f:
                record = json.load(f)
        except (OSError, ValueError):
            return None, None
        return record["pid"], record["start"]

    def pid(self):
        """The pid of the running server, or None."""
        pid, started = self.recorded()
        if started is None or start_time(pid) != started:
            return None
        return pid

    def spawn(self):
        """Start the process without waiting until it is ready."""
        if self.pid() is not None:
            raise StackError(f"{self.name} is already running")
        for sub in ("log", "run"):
            os.makedirs(os.path.join(self.dir, sub), exist_ok=True)
        self.prepare()
        command = self.command()
        user = self.user()
        with open(self.log, "ab") as log:
            self.log_from = log.tell()
            self.child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.dir, start_new_session=True, env=self.environment(),
                user=user, group=user, extra_groups=[] if user else None)
        record = {"pid": self.child.pid, "start": start_time(self.child.pid),
                  "command": command[0]}
        with open(self.record + ".new", "w") as f:
            json.dump(record, f)
        os.replace(self.record + ".new", self.record)

    def start(self):
        """Start it and wait until it is ready."""
        self.spawn()
        self.wait_ready()
        return self

    def wait_ready(self):
        def settled():
            return self.ready() or not self.alive()

        done = wait_until(settled, self.start_timeout)
        if done and self.alive() and self.ready():
            return
        if not self.alive():
            status = self.child.poll() if self.child else None
            why = f"it ended with status {status}"
        else:
            why = f"not ready after {self.start_timeout} s"
        last = tail(self.log)
        self.kill()
        raise StackError(f"{self.name} did not start: {why}\n{last}".rstrip())

    def alive(self):
        if self.child is not None:
            self.child.poll()
        return self.pid() is not None

    def signal(self, number):
        """Send a signal to the server itself; False when it is not there."""
        pid = self.pid()
        if pid is None:
            return False
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    def stop(self, number=None, timeout=None):
        """Stop it politely; SIGKILL when it does not go.  True = politely."""
        timeout = self.stop_timeout if timeout is None else timeout
        polite = True
        if self.signal(number or self.stop_signal):
            polite = wait_until(lambda: not self.alive(), timeout)
            if not polite:
                self.kill()
        self.kill_orphans()
        self.forget()
        return polite

    def kill(self):
        """SIGKILL to the server and whatever is left of its process group."""
        pid = self.pid()
        if pid is not None:
            try:
                os.killpg(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                self.signal(signal.SIGKILL)
            wait_until(lambda: not self.alive(), 10)
        self.kill_orphans()
        self.forget()

    def kill_orphans(self):
        """SIGKILL to children that survived the server itself."""
        pid, started = self.recorded()
        if started is None:
            return

        def kill_them():
            found = orphans(pid, started)
            for orphan in found:
                try:
                    os.kill(orphan, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return not found

        wait_until(kill_them, 10)

    def forget(self):
        if self.child is not None:
            self.child.poll()
        try:
            os.unlink(self.record)
        except FileNotFoundError:
            pass

    def restart(self):
        self.stop()
        return self.start()

    def logged(self, text):
        """Whether text was logged since the last start."""
        return any(text in line for line in self.logged_lines())

    def logged_lines(self):
        """What was logged since the last start."""
        try:
            with open(self.log, "rb") as f:
                f.seek(self.log_from)
                return f.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return []


def unix_answers(path, ask, expect):
    """Whether the server on a Unix socket answers ask with expect."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(1)
        try:
            s.connect(path)
            s.sendall(ask)
            return s.recv(64).startswith(expect)
        except OSError:
            return False


def tcp_answers(port, host="127.0.0.1"):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex((host, port)) == 0
