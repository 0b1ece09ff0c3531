"""Topics on a real broker: made as declared, refused when they differ, asked in bounded time."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from headrace.contract.topic import Topic
from headrace.errors import (
    BrokerUnreachable,
    ContractError,
    SettingsError,
    TopicMissing,
    TopicRecreated,
)
from headrace.kafka.topics import (
    add_partitions,
    describe_topic,
    ensure_topic,
    log_end,
    log_start,
    offsets_at,
    require_topic_id,
    set_config,
)
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


def test_a_value_and_partitions_are_changed_and_others_stay(config: dict[str, Any], topic: Topic) -> None:
    made = ensure_topic(config, topic)
    assert made.set_on_topic == set(topic.config)
    set_config(config, topic.name, {"retention.ms": "60000", "max.message.bytes": "2000000"})
    add_partitions(config, topic.name, 5)
    changed = describe_topic(config, topic.name)
    assert changed.config["retention.ms"] == "60000"
    assert changed.config["compression.type"] == "zstd"
    assert changed.set_on_topic == {*topic.config, "max.message.bytes"}
    assert log_end(config, topic.name) == dict.fromkeys(range(5), 0)


def test_a_value_that_the_broker_does_not_take_is_the_contracts_fault(
    config: dict[str, Any], topic: Topic
) -> None:
    made = ensure_topic(config, topic)
    with pytest.raises(ContractError, match=r"refuses topic\.config of the contract: .*retention\.ms"):
        set_config(config, topic.name, {"compression.type": "lz4", "retention.ms": "soon"})
    assert describe_topic(config, topic.name) == made


def test_offsets_at_a_moment(broker: Broker, config: dict[str, Any], topic: Topic) -> None:
    ensure_topic(config, topic)
    producer = Producer(broker.config)
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for hour in range(3):
        at = noon + timedelta(hours=hour)
        producer.produce(topic.name, "x", partition=0, timestamp=int(at.timestamp() * 1000))
    assert producer.flush(30) == 0
    assert offsets_at(config, topic.name, noon + timedelta(minutes=1)) == {0: 1, 1: 0, 2: 0}
    assert offsets_at(config, topic.name, noon + timedelta(days=1)) == {0: 3, 1: 0, 2: 0}


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
