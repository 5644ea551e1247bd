"""Records into a topic, byte for byte, by librdkafka itself.

A record's value may be anything here: empty, absent, a newline.  How they are
read again is the oracle's.
"""

import collections
import ctypes

from oracle.topic import (CONSUMER, PRODUCER, check, destroy, ends, handle,
                          lib)

__all__ = ["CONSUMER", "destroy", "ends", "handle", "out", "produce"]

VTYPE = {"end": 0, "topic": 1, "partition": 3, "value": 4, "key": 5,
         "msgflags": 7, "timestamp": 8, "headers": 10}
COPY = 2  # RD_KAFKA_MSG_F_COPY

lib.rd_kafka_producev.restype = ctypes.c_int
lib.rd_kafka_headers_new.restype = ctypes.c_void_p

Out = collections.namedtuple("Out", "value key partition ts headers")


def out(value, key=None, partition=0, ts=0, headers=()):
    """A record to produce; value and key None = absent, ts 0 = now; headers
    are (name, value) in bytes."""
    return Out(value, key, partition, ts, headers)


def produce(brokers, topic, records, **settings):
    """Produce in order (a record a call); returns when all are stored."""
    rk = handle(PRODUCER, {"bootstrap.servers": brokers, "linger.ms": 5,
                           "enable.idempotence": "true",
                           "message.max.bytes": 12000000,
                           "log_level": 3, **settings})
    try:
        for r in records:
            put(rk, topic, r)
        check(lib.rd_kafka_flush(rk, 30000))
        if lib.rd_kafka_outq_len(rk) != 0:
            raise RuntimeError("some records were not delivered")
    finally:
        destroy(rk)


def put(rk, topic, r):
    c_int, size, pointer = ctypes.c_int, ctypes.c_size_t, ctypes.c_void_p

    def bytes_of(value):
        return (ctypes.c_char_p(value),
                size(0 if value is None else len(value)))

    headers = []
    if r.headers:  # the record owns them once it is taken
        made = pointer(lib.rd_kafka_headers_new(size(len(r.headers))))
        for name, value in r.headers:
            check(lib.rd_kafka_header_add(
                made, name, ctypes.c_ssize_t(len(name)), value,
                ctypes.c_ssize_t(len(value))))
        headers = [c_int(VTYPE["headers"]), made]
    while True:
        err = lib.rd_kafka_producev(
            ctypes.c_void_p(rk),
            c_int(VTYPE["topic"]), ctypes.c_char_p(topic.encode()),
            c_int(VTYPE["partition"]), ctypes.c_int32(r.partition),
            c_int(VTYPE["value"]), *bytes_of(r.value),
            c_int(VTYPE["key"]), *bytes_of(r.key),
            c_int(VTYPE["timestamp"]), ctypes.c_int64(r.ts),
            *headers, c_int(VTYPE["msgflags"]), c_int(COPY),
            c_int(VTYPE["end"]))
        if err != -184:  # the queue is full
            check(err)
            return
        lib.rd_kafka_poll(rk, 50)
