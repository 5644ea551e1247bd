"""A private Redis: Unix socket only, memory only."""

import os

from . import proc


class Redis(proc.Server):
    stop_timeout = 5

    def __init__(self, dir, number):
        super().__init__(dir, f"redis{number}")
        self.socket = os.path.join(self.dir, self.name + ".sock")

    def command(self):
        return [proc.program("redis-server"), "--port", "0",
                "--unixsocket", self.socket, "--unixsocketperm", "666",
                "--save", "", "--appendonly", "no", "--maxmemory", "64mb",
                "--maxmemory-policy", "allkeys-lru", "--daemonize", "no",
                "--dir", self.dir, "--loglevel", "warning"]

    def ready(self):
        return proc.unix_answers(self.socket, b"PING\r\n", b"+PONG")

    def node(self):
        """As redis.nodes of turnout-fcgi.conf has it."""
        return "unix:" + self.socket
