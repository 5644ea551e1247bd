"""FastCGI records, for who asks the pool itself, past nginx."""

import itertools
import struct

BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6  # types of records


def record(kind, content=b""):
    return struct.pack("!BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def pair(name, value):
    return bytes([len(name), len(value)]) + name.encode() + value.encode()


def question(uri, query):
    """A request as nginx/turnout-pass.conf has it."""
    params = {"REQUEST_METHOD": "GET", "QUERY_STRING": query,
              "DOCUMENT_URI": uri, "SCRIPT_NAME": "",
              "SERVER_PROTOCOL": "HTTP/1.1"}
    return (record(BEGIN, b"\0\1\0\0\0\0\0\0")
            + record(PARAMS, b"".join(itertools.starmap(
                pair, params.items())))
            + record(PARAMS) + record(STDIN))


def records(raw):
    """(type, content) of each."""
    while len(raw) >= 8:
        _, kind, _, length, padding, _ = struct.unpack("!BBHHBB", raw[:8])
        yield kind, raw[8:8 + length]
        raw = raw[8 + length + padding:]
