"""A member of the daemons' consumer group that comes and goes, so that the
group is made anew, and reads nothing.  It takes partitions with it while it
is there, as any member does."""

import ctypes
import threading
import time

from oracle.topic import CONSUMER, check, destroy, handle, lib

ASSIGN = -175
Decided = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int,
                           ctypes.c_void_p, ctypes.c_void_p)

POINTER = ctypes.c_void_p
lib.rd_kafka_conf_set_rebalance_cb.argtypes = [POINTER, Decided]
lib.rd_kafka_subscribe.argtypes = [POINTER, POINTER]
lib.rd_kafka_unsubscribe.argtypes = [POINTER]


class Guest(threading.Thread):
    """With come() and leave() each the group decides anew; decided counts
    how often it gave this member something."""

    def __init__(self, brokers, group, name):
        super().__init__(daemon=True)
        self.topic = name.encode()
        self.wanted, self.over = threading.Event(), threading.Event()
        self.hangs = threading.Event()
        self.decided = 0
        self.callback = Decided(self.hear)  # must live as long as its client
        self.rk = handle(
            CONSUMER,
            {"bootstrap.servers": brokers, "group.id": group,
             "partition.assignment.strategy": "range",
             "heartbeat.interval.ms": 200, "session.timeout.ms": 10000,
             "enable.auto.commit": "false", "log_level": 0},
            lambda conf: lib.rd_kafka_conf_set_rebalance_cb(
                conf, self.callback))
        lib.rd_kafka_poll_set_consumer(self.rk)
        self.start()

    def come(self):
        self.wanted.set()

    def leave(self):
        self.wanted.clear()

    def hang(self):
        """Until wake(): the group waits for it when it is made anew."""
        self.hangs.set()

    def wake(self):
        self.hangs.clear()

    def hear(self, rk, err, _partitions, _opaque):
        if err != ASSIGN:
            lib.rd_kafka_assign(rk, None)
            return
        self.decided += 1
        nothing = lib.rd_kafka_topic_partition_list_new(0)
        lib.rd_kafka_assign(rk, nothing)
        lib.rd_kafka_topic_partition_list_destroy(nothing)

    def subscribe(self):
        names = lib.rd_kafka_topic_partition_list_new(1)
        lib.rd_kafka_topic_partition_list_add(
            names, self.topic, -1)
        check(lib.rd_kafka_subscribe(self.rk, names))
        lib.rd_kafka_topic_partition_list_destroy(names)

    def run(self):
        there = False
        while not self.over.is_set():
            if self.wanted.is_set() != there:
                there = self.wanted.is_set()
                if there:
                    self.subscribe()
                else:
                    lib.rd_kafka_unsubscribe(self.rk)
            if self.hangs.is_set():
                time.sleep(0.05)
                continue
            m = lib.rd_kafka_consumer_poll(self.rk, 50)
            if m:
                lib.rd_kafka_message_destroy(m)
        lib.rd_kafka_consumer_close(self.rk)
        destroy(self.rk)

    def end(self):
        self.over.set()
        self.join(20)
        assert not self.is_alive()
