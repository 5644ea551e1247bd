"""Between ingest and PostgreSQL: loses COMMITs, and answers to COMMITs."""

import os
import select
import socket
import threading


class CommitLoser:
    """Forwards a Unix socket of PostgreSQL, and cuts every nth connection
    that commits: before the COMMIT is forwarded, or before its answer is.

    lost and swallowed count them.
    """

    def __init__(self, directory, server, every=5):
        self.path = os.path.join(directory, ".s.PGSQL.5432")
        self.server = server
        self.every = every
        self.commits = self.lost = self.swallowed = 0
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
        if not from_client:
            client.sendall(data)
            return True
        if b"COMMIT" in data:
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
        server.sendall(data)
        return True
