"""The broker's configuration files, as texts; all but the log's hold passwords."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headrace.kafka.login import MECHANISM, USER
from headrace.kafka.spark_options import LOGIN_MODULES, java_config

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


@dataclass(frozen=True)
class Node:
    """What the texts are of: the node's ports and passwords (which need no quoting)."""

    port: int
    controller_port: int
    password: str
    controller_password: str

    def server(self, mechanism: str = MECHANISM) -> str:
        """Of broker and controller in one; with PLAIN the password is known from here, else from the data."""
        return f"""\
process.roles=broker,controller
{self._controller()}\
listeners=BROKER://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}
advertised.listeners=BROKER://127.0.0.1:{self.port}
listener.security.protocol.map=BROKER:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
inter.broker.listener.name=BROKER
sasl.mechanism.inter.broker.protocol={mechanism}
listener.name.broker.sasl.enabled.mechanisms={mechanism}
listener.name.broker.{mechanism.lower()}.sasl.jaas.config={_jaas(mechanism, self.password)}
# Nobody but this user may do anything, unless it gives somebody the right (kafka-acls).
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{USER}
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

    def controller(self) -> str:
        """Of the controller alone, which fences a broker that died (see `rejoin`)."""
        return f"""\
process.roles=controller
{self._controller()}\
listeners=CONTROLLER://127.0.0.1:{self.controller_port}
listener.security.protocol.map=CONTROLLER:SASL_PLAINTEXT
broker.session.timeout.ms=200
broker.heartbeat.interval.ms=100
# No heartbeat in the metadata log: it grows when the broker is fenced, and `rejoin` waits for that.
metadata.max.idle.interval.ms=0
"""

    def _controller(self) -> str:
        """What both have."""
        return f"""\
node.id=1
controller.quorum.voters=1@127.0.0.1:{self.controller_port}
controller.listener.names=CONTROLLER
# A controller knows no SCRAM: to it the user has a password that only its settings hold.
sasl.mechanism.controller.protocol=PLAIN
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config={_jaas("PLAIN", self.controller_password)}
# Relative to the folder that the broker is started in: a path may hold what this file's syntax cannot.
log.dirs=data
"""


def _jaas(mechanism: str, password: str) -> str:
    """Who the node is for others; for PLAIN also who may log in."""
    known = f' user_{USER}="{password}"' if mechanism == "PLAIN" else ""
    return f'{LOGIN_MODULES[mechanism]} required username="{USER}" password="{password}"{known};'


def client(config: Mapping[str, Any]) -> str:
    """What Kafka's own tools log in with; the address is an argument of each."""
    said = java_config(config)
    del said["bootstrap.servers"]
    return "".join(f"{name}={value}\n" for name, value in said.items())
