"""Conditions that ask a real broker; those that need none are in tests/unit/headrace/gates."""

from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from headrace.contract.topic import Topic
from headrace.gates.answers import Answers
from headrace.gates.conditions import parse_condition
from headrace.kafka.topics import ensure_topic
from local.stack.broker import Broker


@pytest.fixture
def config(broker: Broker) -> dict[str, Any]:
    return broker.config


@pytest.fixture
def topic() -> Topic:
    return Topic(name=f"conditions.{uuid4().hex}", partitions=3)


def test_records_of_an_open_transaction_are_not_visible(config: dict[str, Any], topic: Topic) -> None:
    ensure_topic(config, topic)
    visible = parse_condition({"kind": "visible", "topic": topic.name, "until": {"0": 1}})
    producer = Producer({**config, "transactional.id": topic.name, "linger.ms": 0})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic.name, "x", partition=0)
    assert producer.flush(30) == 0
    assert visible.check(Answers(config)) == (
        False,
        f"topic {topic.name} is visible up to 0:0 1:0 2:0: 1 offsets before 0:1",
    )
    producer.commit_transaction(30)
    # the commit's mark reaches the partition a moment after the commit has returned
    while not visible.check(Answers(config)).met:
        pass


def test_a_topic_is_ready_when_all_its_partitions_answer(config: dict[str, Any], topic: Topic) -> None:
    ready = parse_condition({"kind": "topic_ready", "topic": topic.name, "partitions": 3})
    assert ready.check(Answers(config)) == (False, f"topic {topic.name} is not there yet")
    ensure_topic(config, topic)
    assert ready.check(Answers(config)) == (True, f"topic {topic.name}: 3 of 3 partitions answer")
    more = ready.model_copy(update={"partitions": 4})
    assert not more.check(Answers(config)).met
