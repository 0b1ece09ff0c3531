"""Kafka's own tools against the broker, by the lines of Kafka's quick start."""

import subprocess
from pathlib import Path
from uuid import uuid4

import pytest

from local.stack.broker import Broker
from local.stack.kafka_tools import write_tools

TOPIC = f"quickstart-events-{uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def kafka(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which a person stands who reads Kafka's pages."""
    folder = tmp_path_factory.mktemp("Käfka's folder")
    write_tools(broker, folder)
    return folder


def said(kafka: Path, line: str, typed: str = "") -> str:
    """What the line prints; it must succeed, and complain of nothing."""
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=kafka, input=typed, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_the_lines_of_the_quick_start_work_as_they_stand(kafka: Path) -> None:
    own = "--bootstrap-server localhost:9092"
    made = said(kafka, f"bin/kafka-topics.sh --create --topic {TOPIC} {own}")
    assert made == f"Created topic {TOPIC}.\n"
    assert f"Topic: {TOPIC}\tTopicId: " in said(kafka, f"bin/kafka-topics --describe --topic {TOPIC}")
    lines = "This is my first event\nDies ist mein zweites Ereignis: ä Ω 日\n"
    said(kafka, f"bin/kafka-console-producer.sh --topic {TOPIC} {own}", lines)
    read = f"bin/kafka-console-consumer.sh --topic {TOPIC} --from-beginning --max-messages 2"
    done = subprocess.run(
        ["/bin/sh", "-c", f"{read} {own}"], cwd=kafka, capture_output=True, text=True, check=True
    )
    assert done.stdout == lines
    assert done.stderr.endswith("Processed a total of 2 messages\n")


def test_a_tool_with_commands_of_its_own_takes_them_last(kafka: Path) -> None:
    assert said(kafka, "bin/kafka-transactions.sh list").startswith("TransactionalId")
