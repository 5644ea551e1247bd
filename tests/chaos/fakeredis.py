"""A Redis that lies, for one node of the ring.

    with FakeRedis(dice) as fake:
        s = storm(nodes=[fake.node(), ...])
        fake.lie = drip

Without a lie it keeps values as Redis does.  A lie is what is done instead of
an answer; after it the connection ought to be thrown away, so what is still
asked on it is counted: .met lies (.told[lie] of each; one that was under way
when the next began is not counted to that), .after the most questions after
one.
"""

import collections
import itertools
import select
import socket
import struct
import threading
import time

OK, NIL = b"+OK\r\n", b"$-1\r\n"


def bulk(value):
    return NIL if value is None else b"$%d\r\n%s\r\n" % (len(value), value)


class Client:
    """One connection, from the side of the server."""

    def __init__(self, sock, over):
        self.sock, self.over = sock, over
        self.pending = b""

    def wait(self, seconds):
        """Until there is something to read; False when there is not."""
        deadline = time.monotonic() + seconds
        while not self.pending and not self.over.is_set():
            left = deadline - time.monotonic()
            if select.select([self.sock], [], [],
                             min(0.1, max(0, left)))[0]:
                return True
            if left <= 0:
                break
        return bool(self.pending)

    def more(self):
        self.wait(3600)
        data = b"" if self.over.is_set() else self.sock.recv(65536)
        if not data:
            raise EOFError
        self.pending += data

    def line(self):
        while b"\r\n" not in self.pending:
            self.more()
        line, _, self.pending = self.pending.partition(b"\r\n")
        return line

    def bytes(self, length):
        while len(self.pending) < length + 2:
            self.more()
        data, self.pending = (self.pending[:length],
                              self.pending[length + 2:])
        return data

    def command(self):
        """The words of the next one; EOFError when there is none."""
        return [self.bytes(int(self.line()[1:]))
                for _ in range(int(self.line()[1:]))]

    def send(self, data):
        self.sock.sendall(data)

    def reset(self):
        """Closes with an RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()
        raise EOFError


class FakeRedis:
    def __init__(self, dice):
        self.dice, self.lie = dice, None
        self.met = self.late = self.after = 0
        self.told = collections.Counter()
        self.store, self.lock = {}, threading.RLock()
        self.over = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.1)
        self.threads = [threading.Thread(target=self.accept)]

    def node(self):
        """As redis.nodes of turnout-fcgi.conf has it."""
        return "127.0.0.1:%d" % self.listener.getsockname()[1]

    def __enter__(self):
        self.threads[0].start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        self.listener.close()

    def accept(self):
        while not self.over.is_set():
            try:
                sock, _ = self.listener.accept()
            except TimeoutError:
                continue
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(10)
            thread = threading.Thread(target=self.serve, args=[sock])
            self.threads.append(thread)
            thread.start()

    def serve(self, sock):
        client = Client(sock, self.over)
        try:
            while True:
                words, lie = client.command(), self.lie
                if lie is None:
                    client.send(self.answer(words))
                elif self.lied(lie, client, words):
                    self.count_after(client)
        except (EOFError, OSError):
            pass
        finally:
            sock.close()

    def lied(self, lie, client, words):
        """False when the truth was told; a client that closes in the middle
        has met the lie."""
        told = True
        try:
            told = lie(self, client, words) is not False
        finally:
            with self.lock:
                self.met += told
                self.told[lie] += told
        return told

    def count_after(self, client):
        """Answers, as a server would whose client goes on."""
        for count in itertools.count(1):
            words = client.command()
            with self.lock:
                self.after = max(self.after, count)
            client.send(self.answer(words))

    def answer(self, words):
        """The truth."""
        with self.lock:
            if words[0].upper() == b"GET":
                return bulk(self.value(words[1]))
            if b"NX" in words and self.value(words[1]) is not None:
                return NIL
            life = int(words[words.index(b"PX") + 1]) / 1000
            self.store[words[1]] = words[2], time.monotonic() + life
            return OK

    def value(self, key):
        value, end = self.store.get(key, (None, 0))
        return value if time.monotonic() < end else None

    def another(self, key):
        """The value of some other key, as it was set; None = there is
        none."""
        with self.lock:
            others = [other for other in sorted(self.store)
                      if other != key and b":lock|" not in other]
            return self.value(self.dice.choice(others)) if others else None


# The lies.  What follows is lie(fake, client, words); False = the truth was
# told.

def drip(fake, client, words):
    """A byte each 10 ms of a value that does not end."""
    del words
    for byte in itertools.chain(b"$100000\r\n", itertools.repeat(120)):
        client.send(bytes([byte]))
        if client.wait(0.01) or fake.over.is_set():
            return


def silence(fake, client, words):
    """It accepts, and never answers."""
    del fake, words
    client.wait(3600)


def cut(fake, client, words):
    """A part of a frame, and an RST."""
    del words
    whole = bulk(b"x" * 200)
    client.send(whole[:fake.dice.randrange(1, len(whole))])
    client.reset()


def garbage(fake, client, words):
    """Bytes that are no RESP."""
    del words
    client.send(b"\x16" + bytes(fake.dice.randrange(256)
                                for _ in range(100)))


def huge(fake, client, words):
    """The head of a value of 512 MB, and as much of it as is taken."""
    del words
    client.send(b"$536870912\r\n")
    while not client.wait(0) and not fake.over.is_set():
        client.send(b"x" * 65536)


def nested(fake, client, words):
    """Arrays of depth 9; hiredis takes 7."""
    del fake, words
    client.send(b"*1\r\n" * 9 + b":1\r\n")


def unasked(fake, client, words):
    """The answer, and with it one that nobody asked for."""
    client.send(fake.answer(words) + bulk(fake.another(words[1])))


def unasked_later(fake, client, words):
    """The answer, and a moment later one that nobody asked for."""
    client.send(fake.answer(words))
    if client.wait(0.003):
        return False
    client.send(bulk(fake.another(words[1])))
    return True


def another_key(fake, client, words):
    """The whole value of another key, at once: what a connection gives that
    is one answer behind."""
    value = fake.another(words[1])
    if words[0] != b"GET" or value is None:
        client.send(fake.answer(words))
        return False
    client.send(bulk(value))
    return True


def late(timeout):
    """The answer about that many seconds later; .late counts those whose
    client had given up, or asked something else."""
    def lie(fake, client, words):
        reply = fake.answer(words)
        too_late = client.wait(fake.dice.uniform(0.5, 3) * timeout)
        if too_late:
            with fake.lock:
                fake.late += 1
        client.send(reply)
        return too_late
    return lie


def error(text):
    """An error reply; a type is wrong for a GET only."""
    def lie(fake, client, words):
        if text.startswith("WRONGTYPE") and words[0] != b"GET":
            client.send(fake.answer(words))
            return False
        client.send(b"-%s\r\n" % text.encode())
        return True
    return lie
