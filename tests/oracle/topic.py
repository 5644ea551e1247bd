"""Records of a topic, byte for byte, by librdkafka itself.

ctypes, because Debian has no client for Python that is new enough, and kcat
may wait for ever in the rd_kafka_destroy() of librdkafka 2.0.2.
"""

import collections
import ctypes
import ctypes.util
import threading
import time

from .source import Away

PARTITION_EOF = -191
PRODUCER, CONSUMER = 0, 1

Consumed = collections.namedtuple("Consumed", "ts partition offset value key")


class Message(ctypes.Structure):
    _fields_ = [("err", ctypes.c_int), ("rkt", ctypes.c_void_p),
                ("partition", ctypes.c_int32), ("payload", ctypes.c_void_p),
                ("len", ctypes.c_size_t), ("key", ctypes.c_void_p),
                ("key_len", ctypes.c_size_t), ("offset", ctypes.c_int64),
                ("private", ctypes.c_void_p)]


class MetadataTopic(ctypes.Structure):
    _fields_ = [("topic", ctypes.c_char_p), ("partition_cnt", ctypes.c_int),
                ("partitions", ctypes.c_void_p), ("err", ctypes.c_int)]


class Metadata(ctypes.Structure):
    _fields_ = [("broker_cnt", ctypes.c_int), ("brokers", ctypes.c_void_p),
                ("topic_cnt", ctypes.c_int),
                ("topics", ctypes.POINTER(MetadataTopic)),
                ("orig_broker_id", ctypes.c_int32),
                ("orig_broker_name", ctypes.c_char_p)]


def library():
    found = ctypes.util.find_library("rdkafka")
    if found is None:
        raise Away("librdkafka is not installed")
    rdkafka = ctypes.CDLL(found)
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
            ("topic_new", pointer, [pointer, text, pointer]),
            ("topic_destroy", None, [pointer]),
            ("metadata", ctypes.c_int,
             [pointer, ctypes.c_int, pointer,
              ctypes.POINTER(ctypes.POINTER(Metadata)), ctypes.c_int]),
            ("metadata_destroy", None, [ctypes.POINTER(Metadata)]),
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
        function = getattr(rdkafka, "rd_kafka_" + name)
        function.restype, function.argtypes = result, arguments
    return rdkafka


lib = library()


def destroy(rk):
    """rd_kafka_destroy() of librdkafka 2.0.2 may wait for ever for a broker
    thread; then its threads are left behind, and nothing else is."""
    thread = threading.Thread(target=lib.rd_kafka_destroy, args=(rk,),
                              daemon=True)
    thread.start()
    thread.join(5)


def handle(kind, settings, more=lambda conf: None):
    """A client; more may do to its configuration what is no setting."""
    why = ctypes.create_string_buffer(512)
    conf = lib.rd_kafka_conf_new()
    for name, value in settings.items():
        if lib.rd_kafka_conf_set(conf, name.encode(), str(value).encode(),
                                 why, len(why)) != 0:
            raise Away(why.value.decode())
    more(conf)
    rk = lib.rd_kafka_new(kind, conf, why, len(why))
    if not rk:
        raise Away(why.value.decode())
    return rk


def check(err):
    if err != 0:
        raise Away(lib.rd_kafka_err2str(err).decode())


def partitions(rk, topic, seconds=5):
    """How many the topic has; a new one may not be known everywhere yet."""
    deadline = time.monotonic() + seconds
    while True:
        count, err = metadata(rk, topic, seconds)
        if err == 0 and count > 0:
            return count
        if time.monotonic() > deadline:
            check(err)
            raise Away(f"{topic} has no partitions")
        time.sleep(0.1)


def metadata(rk, topic, seconds):
    """(the number of its partitions, an error or 0)."""
    rkt = lib.rd_kafka_topic_new(rk, topic.encode(), None)
    if not rkt:
        return 0, lib.rd_kafka_last_error()
    found = ctypes.POINTER(Metadata)()
    err = lib.rd_kafka_metadata(rk, 0, rkt, ctypes.byref(found),
                                seconds * 1000)
    lib.rd_kafka_topic_destroy(rkt)
    if err != 0:
        return 0, err
    one = found.contents.topics[0]
    out = one.partition_cnt, one.err
    lib.rd_kafka_metadata_destroy(found)
    return out


def bounds(rk, topic):
    """{partition: (its first offset, the one after its last)}."""
    return {part: watermarks(rk, topic, part)
            for part in range(partitions(rk, topic))}


def watermarks(rk, topic, part, seconds=30):
    """A partition whose leader has just died has none for a while."""
    low, high = ctypes.c_int64(), ctypes.c_int64()
    deadline = time.monotonic() + seconds
    while True:
        err = lib.rd_kafka_query_watermark_offsets(
            rk, topic.encode(), part, ctypes.byref(low), ctypes.byref(high),
            10000)
        if err == 0 or time.monotonic() > deadline:
            check(err)
            return low.value, high.value
        time.sleep(0.1)


def ends(rk, topic):
    return {part: high for part, (_, high) in bounds(rk, topic).items()}


def assign(rk, topic, found):
    """Read each partition from its first record."""
    name = topic.encode()
    parts = lib.rd_kafka_topic_partition_list_new(len(found))
    for part, (low, _) in found.items():
        lib.rd_kafka_topic_partition_list_add(parts, name, part)
        lib.rd_kafka_topic_partition_list_set_offset(parts, name, part, low)
    err = lib.rd_kafka_assign(rk, parts)
    lib.rd_kafka_topic_partition_list_destroy(parts)
    check(err)


def consume(brokers, topic, timeout=60):
    """Every record there is now; timeout is of no progress at all, in s."""
    rk = handle(CONSUMER, {"bootstrap.servers": brokers, "group.id": "judge",
                           "enable.auto.commit": "false",
                           "auto.offset.reset": "error",
                           "enable.partition.eof": "true",
                           "allow.auto.create.topics": "false",
                           "fetch.wait.max.ms": 10, "log_level": 3})
    try:
        lib.rd_kafka_poll_set_consumer(rk)
        found = bounds(rk, topic)
        assign(rk, topic, found)
        yield from poll(rk, topic, len(found), timeout)
        lib.rd_kafka_consumer_close(rk)
    finally:
        destroy(rk)


def poll(rk, topic, parts, timeout):
    """Records until each partition has said that it is at its end."""
    done = set()
    moved = time.monotonic()
    while len(done) < parts:
        m = lib.rd_kafka_consumer_poll(rk, 200)
        if not m:
            if time.monotonic() - moved > timeout:
                raise Away(f"nothing of {topic} came for {timeout} s")
            continue
        moved = time.monotonic()
        try:
            if m.contents.err == PARTITION_EOF:
                done.add(m.contents.partition)
            else:
                check(m.contents.err)
                yield consumed(m)
        finally:
            lib.rd_kafka_message_destroy(m)


def consumed(m):
    it = m.contents
    return Consumed(
        lib.rd_kafka_message_timestamp(m, None), it.partition, it.offset,
        ctypes.string_at(it.payload, it.len) if it.payload else None,
        ctypes.string_at(it.key, it.key_len) if it.key else None)
