"""The brokers: Apache Kafka from the Maven jars, and librdkafka's mock.

Both bind free ports of 127.0.0.1.  The mock keeps 5 MiB a partition, forgets
all when it stops and starts in milliseconds; Kafka is the real thing.
"""

import base64
import glob
import os
import subprocess
import uuid

from . import proc

PROPERTIES = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
num.partitions=1
default.replication.factor={replicas}
auto.create.topics.enable=false
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=1
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
log.message.timestamp.after.max.ms=9223372036854775807
log.retention.ms=-1
message.max.bytes=11000000
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=2097152
"""


def jars(srcdir):
    """The folder with Kafka's jars, or Missing."""
    places = [os.environ.get("TURNOUT_KAFKA_JARS"),
              os.path.join(srcdir, ".deps-of-tests", "kafka")]
    for place in places:
        if place and glob.glob(os.path.join(place, "kafka_2*.jar")):
            return place
    raise proc.Missing("Apache Kafka's jars are not here; "
                       "./bootstrap fetches them")


class Broker(proc.Server):
    """What both have: brokers() to connect to, and topics."""

    def __init__(self, dir, build, name="broker"):
        super().__init__(dir, name)
        self.feeder = os.path.join(build, "tests", "kafkafeed")

    def brokers(self):
        raise NotImplementedError

    def make_topic(self, topic, partitions):
        """Make the topic, or find it there; it has leaders on return."""
        done = subprocess.run(
            [self.feeder, "-b", self.brokers(), "-t", topic, "--create",
             str(partitions)], stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise proc.StackError(f"could not make topic {topic}: "
                                  + done.stderr.strip())


class MockBroker(Broker):
    stop_timeout = 5

    def __init__(self, dir, build, topic="rsvps", partitions=1):
        super().__init__(dir, build)
        self.mock = os.path.join(build, "tests", "mockbroker")
        self.topic = topic
        self.partitions = partitions
        self.fifo = os.path.join(self.dir, "broker.fifo")

    def prepare(self):
        if not os.access(self.mock, os.X_OK):
            raise proc.StackError(f"{self.mock} is not built")
        if os.path.isdir(self.dir) and not os.path.exists(self.fifo):
            os.mkfifo(self.fifo, 0o600)

    def command(self):
        return [self.mock, "-c", self.fifo, "-t", self.topic,
                "-p", str(self.partitions)]

    def tell(self, line):
        """A command of mockbroker's, as its usage has them; it is done."""
        done = len([l for l in self.logged_lines() if l == f"done: {line}"])
        with open(self.fifo, "w") as fifo:
            fifo.write(line + "\n")
        if not proc.wait_until(lambda: len([
                l for l in self.logged_lines() if l == f"done: {line}"])
                > done, 10):
            raise proc.StackError(f"the mock broker did not do: {line}")

    def errors_left(self, api):
        """How many of "errors API ..." no request has met yet; none before
        the first."""
        self.tell(f"left {api}")
        told = [line.split() for line in self.logged_lines()
                if line.startswith(f"left {api} ")]
        return int(told[-1][2]) if told else 0

    def ready(self):
        return self.logged("BROKERS=")

    def brokers(self):
        with open(self.log) as f:
            lines = [line for line in f if line.startswith("BROKERS=")]
        return lines[-1].strip().partition("=")[2]

    def make_topic(self, topic, partitions):
        """It has one from the start."""
        if (topic, partitions) != (self.topic, self.partitions):
            self.tell(f"topic {topic} {partitions}")


def cluster_id():
    """22 characters; "A", for a first "-" would look like an option."""
    text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()
    return ("A" + text)[:22]


class Kafka(Broker):
    """KRaft, one node that is broker and controller; its log stays when it
    stops, so that restart() is what a restart of a broker is.

    One of several: controllers {node: port} of all of them, the number of
    this one, and the id of their cluster.
    """

    start_timeout = 60
    stop_timeout = 20

    def __init__(self, dir, build, srcdir, node=1, controllers=None,
                 cluster=None):
        super().__init__(dir, build, f"broker{node}" if controllers
                         else "broker")
        self.home = os.path.join(self.dir, f"kafka{node}" if controllers
                                 else "kafka")
        self.properties = os.path.join(self.home, "server.properties")
        self.srcdir = srcdir
        self.node, self.controllers = node, controllers
        self.cluster = cluster or cluster_id()
        self.port = None
        if os.path.exists(self.properties):
            with open(self.properties) as f:
                listeners = [l for l in f if l.startswith("advertised.")]
            self.port = int(listeners[0].rpartition(":")[2])

    def java(self):
        """Quick start and a small heap rather than peak speed."""
        return [proc.program("java"), "-Xmx512m", "-XX:+UseSerialGC",
                "-XX:-UsePerfData", "-Xshare:auto",
                f"-Djava.io.tmpdir={self.home}",
                "-Dlog4j2.disable.jmx=true", "-cp",
                os.path.join(jars(self.srcdir), "*")]

    def prepare(self):
        if self.port is not None:
            return
        command = self.java()
        os.makedirs(self.home, exist_ok=True)
        self.port = proc.free_port()
        controllers = self.controllers or {self.node: proc.free_port()}
        with open(self.properties, "w") as f:
            f.write(PROPERTIES.format(
                node=self.node, port=self.port,
                controller=controllers[self.node],
                voters=",".join(f"{node}@127.0.0.1:{port}"
                                for node, port in controllers.items()),
                replicas=len(controllers),
                data=os.path.join(self.home, "data")))
        done = subprocess.run(
            command + ["kafka.tools.StorageTool", "format", "-t",
                       self.cluster, "-c", self.properties],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, cwd=self.home)
        if done.returncode != 0:
            raise proc.StackError("Kafka's format failed:\n" + done.stdout)

    def command(self):
        return self.java() + ["kafka.Kafka", self.properties]

    def ready(self):
        """Its port accepts; make_topic() waits until it also answers."""
        return proc.tcp_answers(self.port)

    def brokers(self):
        return f"127.0.0.1:{self.port}"
