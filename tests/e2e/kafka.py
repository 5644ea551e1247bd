"""Records in and out of a topic, byte for byte, by librdkafka itself.

ctypes, because Debian has no Kafka client for Python: a record's value may
be anything here (empty, absent, a newline), and consume() gives the log as
it stands, with partition, offset and timestamp, for the oracle.
"""

import collections
import ctypes
import ctypes.util
import threading
import time

import oracle

PARTITION_EOF = -191
VTYPE = {"end": 0, "topic": 1, "partition": 3, "value": 4, "key": 5,
         "msgflags": 7, "timestamp": 8}
COPY = 2  # RD_KAFKA_MSG_F_COPY
PRODUCER, CONSUMER = 0, 1

Out = collections.namedtuple("Out", "value key partition ts")


def out(value, key=None, partition=0, ts=0):
    """A record to produce; value and key None = absent, ts 0 = now."""
    return Out(value, key, partition, ts)


class Message(ctypes.Structure):
    _fields_ = [("err", ctypes.c_int), ("rkt", ctypes.c_void_p),
                ("partition", ctypes.c_int32), ("payload", ctypes.c_void_p),
                ("len", ctypes.c_size_t), ("key", ctypes.c_void_p),
                ("key_len", ctypes.c_size_t), ("offset", ctypes.c_int64),
                ("private", ctypes.c_void_p)]


def library():
    lib = ctypes.CDLL(ctypes.util.find_library("rdkafka"))
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    for name, result, arguments in (
            ("conf_new", pointer, []),
            ("conf_set", ctypes.c_int, [pointer, text, text, text,
                                        ctypes.c_size_t]),
            ("new", pointer, [ctypes.c_int, pointer, text, ctypes.c_size_t]),
            ("destroy", None, [pointer]),
            ("flush", ctypes.c_int, [pointer, ctypes.c_int]),
            ("outq_len", ctypes.c_int, [pointer]),
            ("poll", ctypes.c_int, [pointer, ctypes.c_int]),
            ("last_error", ctypes.c_int, []),
            ("err2str", text, [ctypes.c_int]),
            ("query_watermark_offsets", ctypes.c_int,
             [pointer, text, ctypes.c_int32, pointer, pointer, ctypes.c_int]),
            ("topic_partition_list_new", pointer, [ctypes.c_int]),
            ("topic_partition_list_add", pointer,
             [pointer, text, ctypes.c_int32]),
            ("topic_partition_list_set_offset", ctypes.c_int,
             [pointer, text, ctypes.c_int32, ctypes.c_int64]),
            ("topic_partition_list_destroy", None, [pointer]),
            ("assign", ctypes.c_int, [pointer, pointer]),
            ("poll_set_consumer", ctypes.c_int, [pointer]),
            ("consumer_poll", ctypes.POINTER(Message),
             [pointer, ctypes.c_int]),
            ("consumer_close", ctypes.c_int, [pointer]),
            ("message_destroy", None, [pointer]),
            ("message_timestamp", ctypes.c_int64, [pointer, pointer])):
        function = getattr(lib, "rd_kafka_" + name)
        function.restype, function.argtypes = result, arguments
    lib.rd_kafka_producev.restype = ctypes.c_int
    return lib


lib = library()


def destroy(rk):
    """rd_kafka_destroy() of librdkafka 2.0.2 may wait for ever for a broker
    thread; then its threads are left behind, and nothing else is."""
    thread = threading.Thread(target=lib.rd_kafka_destroy, args=(rk,),
                              daemon=True)
    thread.start()
    thread.join(5)


def handle(kind, settings):
    why = ctypes.create_string_buffer(512)
    conf = lib.rd_kafka_conf_new()
    for name, value in settings.items():
        if lib.rd_kafka_conf_set(conf, name.encode(), str(value).encode(),
                                 why, len(why)) != 0:
            raise RuntimeError(why.value.decode())
    rk = lib.rd_kafka_new(kind, conf, why, len(why))
    if not rk:
        raise RuntimeError(why.value.decode())
    return rk


def check(err):
    if err != 0:
        raise RuntimeError(lib.rd_kafka_err2str(err).decode())


def produce(brokers, topic, records, **settings):
    """Produce in order (a record a call); returns when all are stored."""
    rk = handle(PRODUCER, {"bootstrap.servers": brokers, "linger.ms": 5,
                           "enable.idempotence": "true",
                           "message.max.bytes": 4000000,
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
    c_int, size = ctypes.c_int, ctypes.c_size_t

    def bytes_of(value):
        return (ctypes.c_char_p(value),
                size(0 if value is None else len(value)))

    while True:
        err = lib.rd_kafka_producev(
            ctypes.c_void_p(rk),
            c_int(VTYPE["topic"]), ctypes.c_char_p(topic.encode()),
            c_int(VTYPE["partition"]), ctypes.c_int32(r.partition),
            c_int(VTYPE["value"]), *bytes_of(r.value),
            c_int(VTYPE["key"]), *bytes_of(r.key),
            c_int(VTYPE["timestamp"]), ctypes.c_int64(r.ts),
            c_int(VTYPE["msgflags"]), c_int(COPY), c_int(VTYPE["end"]))
        if err != -184:  # the queue is full
            check(err)
            return
        lib.rd_kafka_poll(rk, 50)


def ends(rk, topic, partitions):
    out = {}
    low, high = ctypes.c_int64(), ctypes.c_int64()
    for part in range(partitions):
        check(lib.rd_kafka_query_watermark_offsets(
            rk, topic.encode(), part, ctypes.byref(low), ctypes.byref(high),
            10000))
        out[part] = high.value
    return out


def consume(brokers, topic, partitions=1, timeout=60):
    """The whole topic as it stands now: a list of oracle.Record, each
    partition in order."""
    rk = handle(CONSUMER, {"bootstrap.servers": brokers, "group.id": "judge",
                           "enable.auto.commit": "false",
                           "auto.offset.reset": "error",
                           "enable.partition.eof": "true",
                           "fetch.wait.max.ms": 10, "log_level": 3})
    name = topic.encode()
    records = []
    try:
        lib.rd_kafka_poll_set_consumer(rk)
        want = ends(rk, topic, partitions)
        parts = lib.rd_kafka_topic_partition_list_new(partitions)
        for part in want:
            lib.rd_kafka_topic_partition_list_add(parts, name, part)
            lib.rd_kafka_topic_partition_list_set_offset(parts, name, part, 0)
        check(lib.rd_kafka_assign(rk, parts))
        lib.rd_kafka_topic_partition_list_destroy(parts)
        done = set()
        deadline = time.monotonic() + timeout
        while len(done) < partitions:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{topic} was not read in {timeout} s")
            m = lib.rd_kafka_consumer_poll(rk, 200)
            if not m:
                continue
            if m.contents.err == PARTITION_EOF:
                done.add(m.contents.partition)
            elif m.contents.err == 0:
                records.append(record(m))
            else:
                check(m.contents.err)
            lib.rd_kafka_message_destroy(m)
        lib.rd_kafka_consumer_close(rk)
    finally:
        destroy(rk)
    return sorted(records, key=lambda r: (r.partition, r.offset))


def record(m):
    value = None
    if m.contents.payload:
        value = ctypes.string_at(m.contents.payload, m.contents.len)
    return oracle.Record(lib.rd_kafka_message_timestamp(m, None),
                         m.contents.partition, m.contents.offset, value)
