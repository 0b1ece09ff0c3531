"""`headrace new` from the records of a topic; counts are those of who wrote them."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from headrace.contract.loader import load_contract
from headrace.contract.topic import Topic
from headrace.draft import topic as topic_records
from headrace.draft.guess import leave
from headrace.draft.new import Wish, new_of_topic
from headrace.errors import SourceError, TopicMissing
from headrace.kafka.topics import ensure_topic
from local.stack.broker import Broker

BEGIN = 1_700_000_000_000
EACH = 40


@pytest.fixture
def config(broker: Broker) -> dict[str, Any]:
    return broker.config


@pytest.fixture
def name(config: dict[str, Any]) -> str:
    """A topic of three partitions with readings of two pumps, every second."""
    topic = Topic(name=f"new.{uuid4().hex}", partitions=3)
    ensure_topic(config, topic)
    producer = Producer(config)
    for n in range(EACH):
        for pump in ("a", "b"):
            value = {"pump": pump, "at": BEGIN + 1000 * n, "bar": n / 8, "on": n % 2 == 0}
            producer.produce(topic.name, json.dumps(value), key=pump)
    producer.flush()
    return topic.name


def wish(folder: Path) -> Wish:
    return Wish("pumps", folder / "pumps.yaml", leave)


def test_its_records_say_what_they_are(config: dict[str, Any], name: str, tmp_path: Path) -> None:
    drafted = new_of_topic(name, wish(tmp_path), config)
    contract = load_contract(drafted.file)
    assert (contract.source.kind, contract.topic) == ("external", Topic(name=name, partitions=3))
    time = contract.record.event_time
    assert (time.field, time.format, str(time.every)) == (("at",), ("epoch_ms",), "0:00:01")
    assert (contract.record.entity, contract.record.identity) == ("pump", ("pump", "at"))
    assert {each.name: each.type for each in contract.record.signals} == {"bar": "double", "on": "boolean"}
    assert drafted.trial is not None
    assert (drafted.trial.records, drafted.trial.readings) == (2 * EACH, 2 * EACH)
    assert not drafted.draft.unsure
    assert "all 80 records" in drafted.draft.sample.look.said


def test_of_many_the_first_and_the_newest_are_looked_at(
    config: dict[str, Any], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_records, "RECORDS", 30)
    drafted = new_of_topic(name, wish(tmp_path), config)
    assert (
        "records of about 80, the first and newest of each of 3 partitions" in drafted.draft.sample.look.said
    )
    assert drafted.trial is not None
    assert drafted.trial.readings == drafted.trial.records <= 30


def test_a_topic_without_records_and_one_that_is_not_there(config: dict[str, Any], tmp_path: Path) -> None:
    topic = Topic(name=f"new.{uuid4().hex}")
    with pytest.raises(TopicMissing):
        new_of_topic(topic.name, wish(tmp_path), config)
    ensure_topic(config, topic)
    with pytest.raises(SourceError, match="holds no record"):
        new_of_topic(topic.name, wish(tmp_path), config)
