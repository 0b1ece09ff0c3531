"""A real Kafka broker of one node (KRaft): its configuration, its command line, its start and end."""

import os
import signal
import subprocess
import sys
import time
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path

from headrace.errors import BrokerUnreachable, SetupFailed
from local.install.jars import fetch_jars
from local.install.java import java_home
from local.stack import rejoin
from local.stack.ports import free_port

JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Djava.awt.headless=true")
"""Small heap, no parallel collector for one machine's data, no file in /tmp/hsperfdata_*."""

LOG4J = """\
status = warn
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5level %logger{1}: %message%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
logger.server.name = org.apache.kafka.server
logger.server.level = info
# What a broker that died waits for before it starts again; see local/stack/rejoin.py.
logger.fencing.name = org.apache.kafka.controller.ReplicationControlManager
logger.fencing.level = info
"""


@dataclass
class Broker:
    """One broker; everything it keeps is in `folder`, so that it survives its process."""

    java_home: Path
    jars: Path
    folder: Path
    port: int
    controller_port: int
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def bootstrap(self) -> str:
        """What clients connect to."""
        return f"127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its processes: Java takes the encoding of file names from the locale."""
        return {**os.environ, "LC_ALL": "C.UTF-8"}

    @property
    def command(self) -> list[str]:
        """The broker's command line, to be run in `folder`: its configuration names its data relatively."""
        return [
            sys.executable,
            "-I",
            str(Path(rejoin.__file__)),
            *self._java("kafka.Kafka", "server.properties"),
        ]

    def _java(self, main_class: str, *arguments: str) -> list[str]:
        return [
            str(self.java_home / "bin" / "java"),
            *JVM,
            "-Dlog4j2.configurationFile=log4j2.properties",
            "-cp",
            f"{self.jars}/*",
            main_class,
            *arguments,
        ]

    def prepare(self) -> None:
        """Write the configuration and format the data folder; a formatted one is left as it is.

        Raises:
            SetupFailed: the data folder could not be formatted.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "server.properties").write_text(self._properties(), encoding="ascii")
        (self.folder / rejoin.PROPERTIES).write_text(self._controller_properties(), encoding="ascii")
        (self.folder / "log4j2.properties").write_text(LOG4J, encoding="ascii")
        if (self.folder / "formatted").exists():
            return
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A", 1)
        format_data = (
            "format",
            "--config",
            "server.properties",
            "--cluster-id",
            cluster,
            "--ignore-formatted",
        )
        done = subprocess.run(
            self._java("kafka.tools.StorageTool", *format_data),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SetupFailed(
                f"The broker's data folder {self.folder} could not be formatted: "
                f"{(done.stderr or done.stdout).strip()[-500:]}"
            )
        (self.folder / "formatted").touch()

    def _properties(self) -> str:
        return f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{self.controller_port}
listeners=BROKER://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}
advertised.listeners=BROKER://127.0.0.1:{self.port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
# Relative to the folder that the broker is started in: a path may hold what this file's syntax cannot.
log.dirs=data
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
# One node: its internal topics cannot have the default of three replicas.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# A publication's progress is kept as committed offsets: a year, where the default forgets after a week.
offsets.retention.minutes=525600
transactional.id.expiration.ms=2147483647
transaction.max.timeout.ms=900000
"""

    def _controller_properties(self) -> str:
        """Of the controller alone, which fences a broker that died (see `rejoin`)."""
        return f"""\
process.roles=controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{self.controller_port}
listeners=CONTROLLER://127.0.0.1:{self.controller_port}
listener.security.protocol.map=CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs=data
broker.session.timeout.ms=200
broker.heartbeat.interval.ms=100
# No heartbeat in the metadata log: it grows when the broker is fenced, and `rejoin` waits for that.
metadata.max.idle.interval.ms=0
"""

    def start(self, within: float = 60) -> None:
        """Start the broker as a child of this process and return when it answers.

        Raises:
            BrokerUnreachable: it ended, or did not answer `within` seconds.
        """
        self.prepare()
        with (self.folder / "broker.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + within
        while not answers(self.bootstrap):
            ended = self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                self.kill()
                raise BrokerUnreachable(
                    f"The broker on {self.bootstrap} {'ended' if ended else 'did not answer in time'}: "
                    f"see {self.folder / 'broker.log'}."
                )
            time.sleep(0.1)

    def stop(self, within: float = 30) -> None:
        """End the broker in good order; one that does not end `within` seconds is killed."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(within)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End the broker as a crash would (SIGKILL)."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def answers(bootstrap: str, timeout: float = 2) -> bool:
    """Whether a broker at `bootstrap` (host:port) answers a metadata request within `timeout` seconds."""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    # log_level 0: while the broker starts, each refused connection would be a line on stderr.
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "socket.timeout.ms": 2000})
    try:
        return bool(admin.list_topics(timeout=timeout).brokers)
    except KafkaException:
        return False


def scratch_broker(home: Path, folder: Path) -> Broker:
    """A broker on free ports with its data in `folder` and the Java and jars of `home`, not started yet."""
    return Broker(java_home(home), fetch_jars(home, "broker"), folder, free_port(), free_port())
