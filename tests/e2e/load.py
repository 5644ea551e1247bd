"""Clients that ask all the time, and remember what went wrong."""

import http.client
import itertools
import threading
import time
import urllib.parse


class Load:
    """with Load(url, paths): ... ; then .answers, .failed and .slowest."""

    def __init__(self, url, paths, clients=3, keep_alive=True):
        place = urllib.parse.urlsplit(url)
        self.host, self.port = place.hostname, place.port
        self.paths = itertools.cycle([place.path + p for p in paths])
        self.keep_alive = keep_alive
        self.over = threading.Event()
        self.answers = 0
        self.failed = []
        self.slowest = 0.0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run)
                        for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        assert self.wait_for(10), "nobody answers"
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def wait_for(self, more, seconds=20):
        """Until so many more answers came."""
        goal = self.answers + more
        deadline = time.monotonic() + seconds
        while self.answers < goal and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.answers >= goal

    def run(self):
        connection = None
        while not self.over.is_set():
            with self.lock:
                path = next(self.paths)
            if connection is None:
                connection = http.client.HTTPConnection(
                    self.host, self.port, timeout=10)
            begin = time.monotonic()
            try:
                wrong = self.ask(connection, path)
            except Exception as why:  # pylint: disable=broad-except
                wrong = repr(why)  # an answer that makes no sense
            took = time.monotonic() - begin
            with self.lock:
                self.answers += 1
                self.slowest = max(self.slowest, took)
                if wrong:
                    self.failed.append((path, wrong, round(took, 3)))
            if wrong or not self.keep_alive:
                connection.close()
                connection = None

    @staticmethod
    def ask(connection, path):
        """What was wrong with the answer; None = nothing."""
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as why:
            return repr(why)
        if answer.status != 200:
            return f"{answer.status} {body[:200]!r}"
        return None if body else "an empty body"
