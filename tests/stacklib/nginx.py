"""A private nginx: the files an operator gets, with this stack's values."""

import os
import re
import shutil
import signal

from . import proc

TEMPLATES = ("site.conf", "turnout-http.conf", "turnout.conf",
             "turnout-pass.conf")
PLAIN = ("turnout-cache.conf", "turnout-guard.conf", "turnout-headers.conf")


class Nginx(proc.Server):
    """stop() drains (SIGQUIT); reload() is SIGHUP."""

    stop_signal = signal.SIGQUIT
    stop_timeout = 5

    def __init__(self, dir, srcdir, port=0, prefix="", fcgi_socket=None,
                 extra=""):
        super().__init__(dir, "nginx")
        self.srcdir = srcdir
        self.home = os.path.join(self.dir, "nginx")
        self.conf = os.path.join(self.home, "site.conf")
        self.port = port or proc.free_port()
        self.prefix = prefix
        self.fcgi_socket = fcgi_socket or os.path.join(self.dir, "fcgi.sock")
        self.extra = extra  # more locations, for a benchmark
        self.access_log = os.path.join(self.dir, "log", "access.log")
        self._requests = self._read_to = 0

    def values(self):
        """What stands for each @NAME@ of nginx/*.in."""
        return {
            "DIR": self.home,
            "CONFDIR": self.home,
            "PORT": str(self.port),
            "PREFIX": self.prefix,
            "SOCKET": self.fcgi_socket,
            "STATUS_SOCKET": os.path.join(
                os.path.dirname(self.fcgi_socket), "status.sock"),
            "WWWDIR": os.path.join(self.srcdir, "www"),
            "CACHEDIR": os.path.join(self.home, "cache"),
            "LOGDIR": os.path.join(self.dir, "log"),
            "WORKERS_NGINX": "2",
            "EXTRA": self.extra,
            "USER": "user root;" if os.geteuid() == 0 else "",
        }

    def prepare(self):
        if not proc.port_is_free(self.port):
            raise proc.StackError(f"nginx: port {self.port} is in use")
        os.makedirs(os.path.join(self.home, "cache"), exist_ok=True)
        os.makedirs(os.path.join(self.home, "tmp"), exist_ok=True)
        values = self.values()
        for name in PLAIN:
            shutil.copy(os.path.join(self.srcdir, "nginx", name), self.home)
        for name in TEMPLATES:
            path = os.path.join(self.srcdir, "nginx", name + ".in")
            with open(path) as f:
                text = f.read()
            unknown = set(re.findall(r"@([A-Z_]+)@", text)) - set(values)
            if unknown:
                raise proc.StackError(f"{path}: what is @{unknown.pop()}@?")
            for key, value in values.items():
                text = text.replace(f"@{key}@", value)
            with open(os.path.join(self.home, name), "w") as f:
                f.write(text)

    def command(self):
        return [proc.program("nginx"), "-p", self.home, "-c", self.conf,
                "-e", os.path.join(self.dir, "log", "nginx.log"),
                "-g", "daemon off;"]

    def ready(self):
        return proc.tcp_answers(self.port)

    def reload(self):
        self.signal(signal.SIGHUP)

    def requests(self):
        """How many requests its access log has."""
        try:
            with open(self.access_log, "rb") as f:
                f.seek(self._read_to)
                while part := f.read(1 << 20):
                    self._requests += part.count(b"\n")
                self._read_to = f.tell()
        except OSError:
            pass
        return self._requests

    def url(self):
        return f"http://127.0.0.1:{self.port}{self.prefix}"
