"""Three brokers that keep each record three times."""

import ctypes

import kafka
from oracle.topic import Metadata, check, lib
from stacklib import proc
from stacklib.broker import Kafka, cluster_id


class MetadataPartition(ctypes.Structure):
    _fields_ = [("id", ctypes.c_int32), ("err", ctypes.c_int),
                ("leader", ctypes.c_int32), ("replica_cnt", ctypes.c_int),
                ("replicas", ctypes.c_void_p), ("isr_cnt", ctypes.c_int),
                ("isrs", ctypes.c_void_p)]


class Replicas:
    """In the place of the broker of a stack."""

    def __init__(self, stack, count=3):
        controllers = {n: proc.free_port() for n in range(1, count + 1)}
        cluster, how = cluster_id(), stack.settings
        self.nodes = [Kafka(stack.dir, how["build"], how["src"], n,
                            controllers, cluster) for n in controllers]

    def start(self):
        for node in self.nodes:
            node.spawn()
        for node in self.nodes:
            node.wait_ready()
        return self

    def kill(self):
        for node in self.nodes:
            node.kill()

    def brokers(self):
        return ",".join(node.brokers() for node in self.nodes)

    def make_topic(self, topic, partitions):
        self.nodes[0].make_topic(topic, partitions)

    def leads(self, topic):
        """{partition: (node that leads it, how many replicas are in sync)};
        empty while it cannot be told."""
        rk = kafka.handle(kafka.CONSUMER, {
            "bootstrap.servers": self.brokers(), "group.id": "leads"})
        rkt = lib.rd_kafka_topic_new(rk, topic.encode(), None)
        found = ctypes.POINTER(Metadata)()
        try:
            if lib.rd_kafka_metadata(rk, 0, rkt, ctypes.byref(found),
                                     5000) != 0:
                return {}
            one = found.contents.topics[0]
            check(one.err)
            parts = ctypes.cast(one.partitions,
                                ctypes.POINTER(MetadataPartition))
            out = {parts[i].id: (parts[i].leader, parts[i].isr_cnt)
                   for i in range(one.partition_cnt)}
            lib.rd_kafka_metadata_destroy(found)
            return out
        finally:
            lib.rd_kafka_topic_destroy(rkt)
            kafka.destroy(rk)

    def in_sync(self, topic):
        """Whether every replica of every partition is."""
        found = self.leads(topic)
        return bool(found) and all(
            count == len(self.nodes) for _, count in found.values())

    def led_by_others(self, topic, node):
        """Whether every partition has a leader, and none is this node."""
        found = self.leads(topic)
        return bool(found) and all(
            leader not in (node, -1) for leader, _ in found.values())
