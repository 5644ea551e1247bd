"""Where messages come from: lines of files, records of a Kafka topic."""

import collections
import gzip
import os

MS_NONE = -1  # how Kafka says that a record has no timestamp

# A record of the log.  ts None: it has no timestamp of its own.  topic None:
# nobody asks for its dead letter.
Record = collections.namedtuple(
    "Record", "ts partition offset value key topic", defaults=(None, None))


class Away(Exception):
    """The database, the broker or the API cannot be asked; says why."""


def lines_of(path):
    """The lines of a file or a .gz, without their newlines; what follows the
    last newline is a line too."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as f:
        lines = f.read().split(b"\n")
    return lines if lines[-1] else lines[:-1]


def records_of_lines(lines, name=None):
    """As an import takes them: partition -1, the number of the line from 0;
    blank ones have a number and are no records."""
    topic = None if name is None else "import:" + os.path.basename(name)
    for number, line in enumerate(lines):
        if line.strip(b" \t\r"):
            yield Record(None, -1, number, line, None, topic)


def records_of_topic(brokers, topic, timeout=60):
    """The whole topic as it stands now, each partition in order."""
    from . import topic as kafka  # librdkafka is loaded where it is needed
    return sorted((Record(None if r.ts == MS_NONE else r.ts, *r[1:], topic)
                   for r in kafka.consume(brokers, topic, timeout)),
                  key=lambda r: (r.partition, r.offset))
