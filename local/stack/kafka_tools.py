"""Kafka's own tools, set up for the embedded broker: a folder `bin` as in a Kafka that was unpacked."""

import shlex
import sys
from pathlib import Path

from headrace.files import write_whole
from local.stack import kafka_tool
from local.stack.broker import CLIENT, Broker

TOOLS = {
    "kafka-acls": "org.apache.kafka.tools.AclCommand",
    "kafka-broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-consumer-perf-test": "org.apache.kafka.tools.ConsumerPerformance",
    "kafka-delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "kafka-features": "org.apache.kafka.tools.FeatureCommand",
    "kafka-get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-groups": "org.apache.kafka.tools.GroupsCommand",
    "kafka-leader-election": "org.apache.kafka.tools.LeaderElectionCommand",
    "kafka-log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "kafka-metadata-quorum": "org.apache.kafka.tools.MetadataQuorumCommand",
    "kafka-producer-perf-test": "org.apache.kafka.tools.ProducerPerformance",
    "kafka-reassign-partitions": "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
    "kafka-transactions": "org.apache.kafka.tools.TransactionsCommand",
}
"""Each tool's name in Kafka's own `bin`, without `.sh`, and its class."""

JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
"""For a JVM that lives for a second."""

LOG4J = """\
status = error
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %-5level %message%n
rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = stderr
"""


def tools_folder(home: Path) -> Path:
    """Where the tools of `home` are: in its folder `bin`."""
    return home / "kafka"


def write_tools(broker: Broker, folder: Path) -> Path:
    """Write a script for each tool, with and without `.sh`, into `folder`/bin; returns that."""
    bin_folder = folder / "bin"
    bin_folder.mkdir(parents=True, exist_ok=True)
    log4j = folder / "log4j2.properties"
    write_whole(log4j, LOG4J)
    python = (sys.executable, "-I", kafka_tool.__file__, broker.bootstrap, str(broker.folder / CLIENT))
    java = (str(broker.java_home / "bin" / "java"), *JVM, f"-Dlog4j2.configurationFile={log4j}")
    for name, tool in TOOLS.items():
        command = shlex.join((*python, *java, "-cp", f"{broker.jars}/*", tool))
        script = f'#!/bin/sh\n# Written by `make up`.\nexec {command} -- "$@"\n'
        for file in (bin_folder / name, bin_folder / f"{name}.sh"):
            write_whole(file, script, mode=0o700)
    return bin_folder
