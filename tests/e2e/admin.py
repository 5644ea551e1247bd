"""What an administrator does to a topic, by librdkafka's admin API."""

import ctypes

import kafka
from oracle.topic import check, lib

POINTER = ctypes.c_void_p
WAIT_MS = 20000

for name in ("DeleteRecords_new", "NewPartitions_new", "DeleteTopic_new",
             "queue_new", "queue_poll"):
    getattr(lib, "rd_kafka_" + name).restype = POINTER


def ask(brokers, call, make):
    """One request; make() gives what is asked for, and call destroys it."""
    rk = kafka.handle(kafka.PRODUCER, {"bootstrap.servers": brokers})
    try:
        what = (POINTER * 1)(make())
        queue = POINTER(lib.rd_kafka_queue_new(POINTER(rk)))
        getattr(lib, "rd_kafka_" + call)(
            POINTER(rk), what, ctypes.c_size_t(1), None, queue)
        event = lib.rd_kafka_queue_poll(queue, WAIT_MS)
        assert event, f"no answer to {call}"
        check(lib.rd_kafka_event_error(POINTER(event)))
        lib.rd_kafka_event_destroy(POINTER(event))
        lib.rd_kafka_queue_destroy(queue)
        return POINTER(what[0])
    finally:
        kafka.destroy(rk)


class Partition(ctypes.Structure):
    _fields_ = [("topic", ctypes.c_char_p), ("partition", ctypes.c_int32),
                ("offset", ctypes.c_int64), ("metadata", POINTER),
                ("metadata_size", ctypes.c_size_t), ("opaque", POINTER),
                ("err", ctypes.c_int), ("private", POINTER)]


class Partitions(ctypes.Structure):
    _fields_ = [("cnt", ctypes.c_int), ("size", ctypes.c_int),
                ("elems", ctypes.POINTER(Partition))]


def committed(brokers, group, topic, part=0):
    """What Kafka was told of a partition; below 0: nothing yet."""
    rk = kafka.handle(kafka.CONSUMER, {"bootstrap.servers": brokers,
                                       "group.id": group})
    parts = POINTER(lib.rd_kafka_topic_partition_list_new(1))
    try:
        lib.rd_kafka_topic_partition_list_add(parts, topic.encode(), part)
        check(lib.rd_kafka_committed(POINTER(rk), parts, WAIT_MS))
        return Partitions.from_address(parts.value).elems[0].offset
    finally:
        lib.rd_kafka_topic_partition_list_destroy(parts)
        kafka.destroy(rk)


def delete_before(brokers, topic, offset, part=0):
    """Move the beginning of a partition, as retention does."""
    parts = POINTER(lib.rd_kafka_topic_partition_list_new(1))
    lib.rd_kafka_topic_partition_list_add(parts, topic.encode(), part)
    check(lib.rd_kafka_topic_partition_list_set_offset(
        parts, topic.encode(), part, offset))
    lib.rd_kafka_DeleteRecords_destroy(ask(
        brokers, "DeleteRecords",
        lambda: lib.rd_kafka_DeleteRecords_new(parts)))
    lib.rd_kafka_topic_partition_list_destroy(parts)


def grow(brokers, topic, partitions):
    """Give the topic so many partitions."""
    why = ctypes.create_string_buffer(256)
    lib.rd_kafka_NewPartitions_destroy(ask(
        brokers, "CreatePartitions", lambda: lib.rd_kafka_NewPartitions_new(
            topic.encode(), ctypes.c_size_t(partitions), why,
            ctypes.c_size_t(256))))


def delete_topic(brokers, topic):
    lib.rd_kafka_DeleteTopic_destroy(ask(
        brokers, "DeleteTopics",
        lambda: lib.rd_kafka_DeleteTopic_new(topic.encode())))
