"""Records in transactions, by librdkafka's transactional producer."""

import ctypes

import kafka
from oracle.topic import Away, lib

POINTER, MS = ctypes.c_void_p, 30000
lib.rd_kafka_error_string.restype = ctypes.c_char_p
for _name in ("init_transactions", "begin_transaction", "commit_transaction",
              "abort_transaction"):
    getattr(lib, "rd_kafka_" + _name).restype = POINTER


class Transactions:
    """with Transactions(brokers, topic) as t: t.run(records, commit=True)"""

    def __init__(self, brokers, topic):
        self.topic = topic
        self.rk = POINTER(kafka.handle(kafka.PRODUCER, {
            "bootstrap.servers": brokers, "linger.ms": 5, "log_level": 3,
            "transactional.id": topic}))

    def __enter__(self):
        self.call("init_transactions", MS)
        return self

    def __exit__(self, *_):
        kafka.destroy(self.rk)

    def call(self, name, *arguments):
        error = getattr(lib, "rd_kafka_" + name)(self.rk, *arguments)
        if error:
            why = lib.rd_kafka_error_string(POINTER(error)).decode()
            lib.rd_kafka_error_destroy(POINTER(error))
            raise Away(f"{name}: {why}")

    def run(self, records, commit):
        """One transaction; the records are in the log either way."""
        self.call("begin_transaction")
        for r in records:
            kafka.put(self.rk.value, self.topic, r)
        assert lib.rd_kafka_flush(self.rk, MS) == 0
        self.call(("commit" if commit else "abort") + "_transaction", MS)
