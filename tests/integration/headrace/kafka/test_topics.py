"""Topics on a real broker: made as declared, refused when they differ, asked in bounded time."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from headrace.contract.model import Topic
from headrace.errors import (
    BrokerUnreachable,
    ContractError,
    SettingsError,
    TopicDiffers,
    TopicMissing,
    TopicRecreated,
)
from headrace.kafka.topics import describe_topic, ensure_topic, log_end, log_start, require_topic_id
from local.stack.broker import Broker
from local.stack.ports import free_port
from testbed.waiting import until_nothing_is_open


@pytest.fixture
def config(broker: Broker) -> dict[str, Any]:
    return {**broker.config, "group.id": "of the connection"}


@pytest.fixture
def topic() -> Topic:
    return Topic(
        name=f"topics.{uuid4().hex}", partitions=3, config={"retention.ms": "-1", "compression.type": "zstd"}
    )


def test_a_topic_is_made_once(config: dict[str, Any], topic: Topic) -> None:
    made = ensure_topic(config, topic)
    assert (made.partitions, made.replication) == (3, 1)
    assert topic.config.items() <= made.config.items()
    assert ensure_topic(config, topic) == made
    assert log_start(config, topic.name) == log_end(config, topic.name) == {0: 0, 1: 0, 2: 0}


def test_two_may_make_it_at_once(config: dict[str, Any], topic: Topic) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: ensure_topic(config, topic), range(4)))
    assert len({state.topic_id for state in made}) == 1


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ({"partitions": 4}, r"has 3 partitions, declared are 4: .*--alter --topic \S+ --partitions 4"),
        ({"partitions": 2}, r"has 3 partitions, declared are 2, and .* set topic\.partitions: 3"),
        ({"replication": 2}, r"its replication is 1, declared is 2: set topic\.replication: 1"),
        (
            {"config": {"retention.ms": "60000"}},
            r"its retention\.ms is -1, declared is 60000: .*--add-config retention\.ms=60000",
        ),
        ({"config": {"retention.mss": "1"}}, r"its retention\.mss is None, declared is 1"),
        ({"partitions": 4, "config": {"retention.ms": "1"}}, r"declared are 4: .*; its retention\.ms is -1"),
    ],
)
def test_a_difference_is_named_with_the_way_out(
    config: dict[str, Any], topic: Topic, update: dict[str, Any], message: str
) -> None:
    ensure_topic(config, topic)
    with pytest.raises(TopicDiffers, match=message):
        ensure_topic(config, topic.model_copy(update=update))


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ({"config": {"retention.mss": "1"}}, r"refuses topic\.config of the contract: Unknown topic config"),
        ({"replication": 5}, r"refuses topic\.replication of the contract: "),
    ],
)
def test_a_topic_that_cannot_be_made_is_the_contracts_fault(
    config: dict[str, Any], topic: Topic, update: dict[str, Any], message: str
) -> None:
    with pytest.raises(ContractError, match=message):
        ensure_topic(config, topic.model_copy(update=update))


def test_an_absent_topic_is_named(config: dict[str, Any]) -> None:
    with pytest.raises(TopicMissing, match=r"topic nowhere is not on broker .*; run `provision_topics`"):
        describe_topic(config, "nowhere")
    with pytest.raises(TopicMissing):
        log_end(config, "nowhere")


def test_an_absent_broker_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.kafka.topics.ANSWER_SECONDS", 2.0)
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(BrokerUnreachable, match=f"broker {re.escape(address)} did not answer"):
        describe_topic({"bootstrap.servers": address}, "any")


def test_a_connection_without_brokers_or_with_unknown_keys_is_named(broker: Broker) -> None:
    with pytest.raises(SettingsError, match=r"names no bootstrap\.servers"):
        describe_topic({}, "any")
    with pytest.raises(SettingsError, match=r'No such configuration property: "foo\.bar"'):
        describe_topic({**broker.config, "foo.bar": 1}, "any")


def test_a_topic_that_was_made_again_is_refused(broker: Broker, config: dict[str, Any], topic: Topic) -> None:
    first = ensure_topic(config, topic)
    assert require_topic_id(config, topic.name, first.topic_id) == first
    admin = AdminClient(broker.config)
    admin.delete_topics([topic.name])[topic.name].result(30)
    second = ensure_topic(config, topic)
    with pytest.raises(TopicRecreated, match=rf"its id is {second.topic_id}, .*{first.topic_id}.*republish"):
        require_topic_id(config, topic.name, first.topic_id)


def test_an_open_transaction_holds_the_committed_end_back(
    broker: Broker, config: dict[str, Any], topic: Topic
) -> None:
    ensure_topic(config, topic)
    producer = Producer({**broker.config, "transactional.id": topic.name, "linger.ms": 0})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic.name, "x", partition=0)
    assert producer.flush(30) == 0
    assert log_end(config, topic.name)[0] == 0
    assert log_end(config, topic.name, committed=False)[0] == 1
    producer.commit_transaction(30)
    # the commit's mark reaches the partition a moment after the commit has returned
    until_nothing_is_open(config, topic.name)
    assert log_end(config, topic.name)[0] == 2
