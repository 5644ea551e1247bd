"""Between ingest and PostgreSQL: a proxy that loses what it is told to."""

import os
import select
import socket
import threading


class Proxy:
    """Forwards a Unix socket of PostgreSQL; a subclass says what is lost."""

    def __init__(self, directory, server):
        self.path = os.path.join(directory, ".s.PGSQL.5432")
        self.server = server
        self.over = threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(8)
        self.listener.settimeout(0.1)
        self.threads = [threading.Thread(target=self.accept)]

    def __enter__(self):
        self.threads[0].start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        self.listener.close()
        os.unlink(self.path)

    def accept(self):
        while not self.over.is_set():
            try:
                client, _ = self.listener.accept()
            except TimeoutError:
                continue
            thread = threading.Thread(target=self.forward, args=[client])
            self.threads.append(thread)
            thread.start()

    def forward(self, client):
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self.server)
            while not self.over.is_set():
                ready, _, _ = select.select([client, server], [], [], 0.1)
                for one in ready:
                    data = one.recv(65536)
                    if not data or not self.pass_on(
                            data, one is client, server, client):
                        return
        except OSError:
            pass
        finally:
            client.close()
            server.close()

    def pass_on(self, data, from_client, server, client):
        """False when the connection is to be cut."""
        (server if from_client else client).sendall(data)
        return True


class CommitLoser(Proxy):
    """Cuts every nth connection that commits: before the COMMIT is forwarded,
    or before its answer is.  lost and swallowed count them."""

    def __init__(self, directory, server, every=5):
        super().__init__(directory, server)
        self.every = every
        self.commits = self.lost = self.swallowed = 0

    def pass_on(self, data, from_client, server, client):
        if from_client and b"COMMIT" in data:
            self.commits += 1
            if self.commits % self.every == 0:
                self.lost += 1
                return False
            if self.commits % self.every == self.every // 2:
                server.sendall(data)
                self.swallowed += 1
                # Until it is answered, so that it has happened.
                server.recv(65536)
                return False
        return super().pass_on(data, from_client, server, client)


class CommitHolder(Proxy):
    """After arm(), the next COMMIT is held: with reply=True it happens and
    its answer is kept, else it is kept itself.  held says that it is so;
    release() cuts the connection."""

    def __init__(self, directory, server):
        super().__init__(directory, server)
        self.armed = self.held = self.released = None
        self.reply = False

    def arm(self, reply):
        self.reply = reply
        self.held, self.released = threading.Event(), threading.Event()
        self.armed = True

    def release(self):
        self.released.set()

    def pass_on(self, data, from_client, server, client):
        if not (from_client and self.armed and b"COMMIT" in data):
            return super().pass_on(data, from_client, server, client)
        self.armed = False
        if self.reply:
            server.sendall(data)
            server.recv(65536)
        self.held.set()
        while not self.over.is_set() and not self.released.wait(0.1):
            pass
        return False
