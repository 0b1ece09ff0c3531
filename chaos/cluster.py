"""Three real brokers and a controller of their own (KRaft): what one node cannot show is an election."""

import os
import subprocess
import uuid
from base64 import urlsafe_b64encode
from contextlib import suppress
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from headrace.settings import load_settings
from local.install.jars import fetch_jars
from local.install.java import java_home
from local.stack.broker_properties import LOG4J
from local.stack.ports import free_port
from testbed.waiting import awaited

CONTROLLER = 0
BROKERS = (1, 2, 3)
JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Djava.awt.headless=true")


class Cluster:
    """A cluster of `folder`, started with `up`."""

    def __init__(self, folder: Path) -> None:
        home = load_settings().home_path
        self.java, self.jars = java_home(home) / "bin" / "java", fetch_jars(home, "broker")
        self.folder = folder
        self.ports = {node: free_port() for node in (CONTROLLER, *BROKERS)}
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A", 1)
        for node in self.ports:
            self._format(node, cluster)
        self.admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

    @property
    def bootstrap(self) -> str:
        """What clients connect to: any of the brokers may be away."""
        return ",".join(f"127.0.0.1:{self.ports[node]}" for node in BROKERS)

    def _format(self, node: int, cluster: str) -> None:
        folder = self.folder / str(node)
        folder.mkdir(parents=True)
        (folder / "log4j2.properties").write_text(LOG4J, encoding="ascii")
        (folder / "server.properties").write_text(self._properties(node), encoding="ascii")
        arguments = ("format", "--config", "server.properties", "--cluster-id", cluster)
        subprocess.run(
            self._command("kafka.tools.StorageTool", *arguments), cwd=folder, check=True, capture_output=True
        )

    def _properties(self, node: int) -> str:
        port, controller = self.ports[node], self.ports[CONTROLLER]
        own = (
            f"process.roles=controller\nlisteners=CONTROLLER://127.0.0.1:{port}"
            if node == CONTROLLER
            else f"process.roles=broker\nlisteners=BROKER://127.0.0.1:{port}\ninter.broker.listener.name=BROKER"
        )
        return f"""\
{own}
node.id={node}
controller.quorum.voters={CONTROLLER}@127.0.0.1:{controller}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs=data
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
# Whoever answers leads, whether or not it has all records.
unclean.leader.election.enable=true
min.insync.replicas=1
# A broker that is gone leads nothing two seconds later.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
offsets.topic.replication.factor=3
offsets.topic.num.partitions=2
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
"""

    def _command(self, main_class: str, *arguments: str) -> list[str]:
        options = (*JVM, "-Dlog4j2.configurationFile=log4j2.properties", "-cp", f"{self.jars}/*")
        return [str(self.java), *options, main_class, *arguments]

    def up(self) -> None:
        """Return when all of it answers, whatever was killed before."""
        self.start(*(node for node in self.ports if node not in self.processes or self._ended(node)))
        awaited(lambda: self.alive() == set(BROKERS), every=0.2)

    def _ended(self, node: int) -> bool:
        return self.processes[node].poll() is not None

    def start(self, *nodes: int) -> None:
        """Start these nodes; they may answer later."""
        for node in nodes:
            with (self.folder / str(node) / "node.log").open("ab") as log:
                self.processes[node] = subprocess.Popen(
                    self._command("kafka.Kafka", "server.properties"),
                    cwd=self.folder / str(node),
                    env={**os.environ, "LC_ALL": "C.UTF-8"},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )

    def kill(self, *nodes: int) -> None:
        """SIGKILL."""
        for node in nodes:
            self.processes[node].kill()
        for node in nodes:
            self.processes[node].wait()

    def close(self) -> None:
        """End all of it."""
        self.kill(*self.processes)

    # -- what it says of itself

    def alive(self) -> set[int]:
        """The brokers that the cluster counts on; none while it does not answer."""
        with suppress(KafkaException):
            return set(self.admin.list_topics(timeout=10).brokers)
        return set()

    def in_sync(self, topic: str) -> set[int]:
        """The brokers that have all of some partition of the topic."""
        return {broker for each in self._partitions(topic) for broker in each.isrs}

    def leaders(self, topic: str) -> set[int]:
        """Who leads the topic's partitions; -1 stands for nobody."""
        return {each.leader for each in self._partitions(topic)}

    def _partitions(self, topic: str) -> list[Any]:
        with suppress(KafkaException):
            return list(self.admin.list_topics(topic, timeout=10).topics[topic].partitions.values())
        return []
