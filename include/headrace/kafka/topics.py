"""Topics as the broker has them: their id, partitions, config and offsets.

A `config` is a librdkafka configuration, as the extra of an Airflow connection of type `kafka` gives it.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # lacks __all__
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)
from pydantic import BaseModel, ConfigDict

from headrace.contract.topic import Topic
from headrace.errors import (
    BrokerUnreachable,
    ContractError,
    HeadraceError,
    TopicMissing,
    TopicRecreated,
)
from headrace.kafka.librdkafka import ANSWER_SECONDS, Admin


class TopicState(BaseModel):
    """A topic as it is on the broker.

    `config` holds every value, defaults among them; `set_on_topic` names those that were set on it itself.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    topic_id: str
    partitions: int
    replication: int
    config: dict[str, str]
    set_on_topic: frozenset[str] = frozenset()


def describe_topic(config: Mapping[str, Any], topic: str) -> TopicState:
    """The topic as it is now.

    Raises:
        TopicMissing: there is none of that name.
        BrokerUnreachable: no answer in time.
        SettingsError: the broker refuses the log-in or the question.
    """
    admin = Admin(config, topic)
    resource = ConfigResource(ResourceType.TOPIC, topic)
    names = TopicCollection([topic])
    (found,) = admin.answer(lambda client: client.describe_topics(names, request_timeout=ANSWER_SECONDS))
    (values,) = admin.answer(
        lambda client: client.describe_configs([resource], request_timeout=ANSWER_SECONDS)
    )
    return TopicState(
        name=topic,
        # librdkafka writes the id in base64's first alphabet, Java (Spark, the console tools) URL-safe
        topic_id=str(found.topic_id).replace("+", "-").replace("/", "_"),
        partitions=len(found.partitions),
        replication=min(len(each.replicas) for each in found.partitions),
        config={name: str(entry.value) for name, entry in values.items() if entry.value is not None},
        set_on_topic=frozenset(
            name for name, entry in values.items() if entry.source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value
        ),
    )


def log_start(config: Mapping[str, Any], topic: str) -> dict[int, int]:
    """The first offset that each partition still holds; raises as `describe_topic`."""
    spec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # the library types its client, not this
    return _offsets(config, topic, spec, IsolationLevel.READ_UNCOMMITTED)


def log_end(config: Mapping[str, Any], topic: str, committed: bool = True) -> dict[int, int]:
    """The offset after each partition's last record; raises as `describe_topic`.

    `committed`: the last stable offset, where read_committed consumers stop; else the high watermark.
    """
    level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
    spec = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the library types its client, not this
    return _offsets(config, topic, spec, level)


def log_ends(config: Mapping[str, Any], topics: Sequence[str]) -> dict[str, dict[int, int] | HeadraceError]:
    """The ends of many topics as `log_end` has them, in two requests; of one without an answer, why."""
    spec = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the library types its client, not this
    return _offsets_of_all(config, topics, spec, IsolationLevel.READ_COMMITTED)


def _offsets(
    config: Mapping[str, Any], topic: str, spec: OffsetSpec, level: IsolationLevel
) -> dict[int, int]:
    found = _offsets_of_all(config, [topic], spec, level)[topic]
    if isinstance(found, HeadraceError):
        raise found
    return found


def _offsets_of_all(
    config: Mapping[str, Any], topics: Sequence[str], spec: OffsetSpec, level: IsolationLevel
) -> dict[str, dict[int, int] | HeadraceError]:
    admin = Admin(config, ", ".join(topics))
    names = TopicCollection(list(topics))
    described = admin.answers(
        lambda client: client.describe_topics(names, request_timeout=ANSWER_SECONDS), str
    )
    wanted = {
        TopicPartition(topic, partition.id): spec
        for topic, answer in described.items()
        if not isinstance(answer, HeadraceError)
        for partition in answer.partitions
    }
    found: dict[str, dict[int, int] | HeadraceError] = {
        topic: answer if isinstance(answer, HeadraceError) else {} for topic, answer in described.items()
    }
    if not wanted:
        return found
    offsets = admin.answers(
        lambda client: client.list_offsets(wanted, isolation_level=level, request_timeout=ANSWER_SECONDS),
        lambda partition: partition.topic,
    )
    for partition, answer in sorted(offsets.items()):
        ends = found[partition.topic]
        if isinstance(answer, HeadraceError):
            found[partition.topic] = answer
        elif not isinstance(ends, HeadraceError):
            ends[partition.partition] = int(answer.offset)
    return found


def offsets_at(config: Mapping[str, Any], topic: str, moment: datetime) -> dict[int, int]:
    """The first offset of each partition whose record is not older than that; its end where none is."""
    spec = OffsetSpec.for_timestamp(int(moment.timestamp() * 1000))
    found = _offsets(config, topic, spec, IsolationLevel.READ_UNCOMMITTED)
    ends = log_end(config, topic, committed=False)
    return {partition: ends[partition] if offset < 0 else offset for partition, offset in found.items()}


def ensure_topic(config: Mapping[str, Any], topic: Topic) -> TopicState:
    """The topic, made as declared if it was not there; harmless when repeated.

    Raises:
        ContractError: the broker refuses the declared partitions, replication or config.
        BrokerUnreachable: no answer, or the new topic does not show, in time.
        SettingsError: the broker refuses the log-in or the request.
    """
    try:
        return describe_topic(config, topic.name)
    except TopicMissing:
        _create(config, topic)
        return _appeared(config, topic.name, topic.partitions)


def set_config(config: Mapping[str, Any], topic: str, values: Mapping[str, str]) -> None:
    """Set those values of the topic's config, and leave all others; raises as `ensure_topic`."""
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in values.items()
    ]
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    admin = Admin(config, topic)
    with _refused_by_broker(topic):
        admin.answer(
            lambda client: client.incremental_alter_configs([resource], request_timeout=ANSWER_SECONDS)
        )
    deadline = time.monotonic() + ANSWER_SECONDS
    while not values.items() <= describe_topic(config, topic).config.items():
        if time.monotonic() > deadline:
            raise BrokerUnreachable(f"topic {topic}: the broker took its config, but does not show it")
        time.sleep(0.1)


def add_partitions(config: Mapping[str, Any], topic: str, partitions: int) -> None:
    """Give the topic so many partitions, and wait for all of them to answer; raises as `ensure_topic`."""
    admin = Admin(config, topic)
    wanted = [NewPartitions(topic, partitions)]
    with _refused_by_broker(topic):
        admin.answer(lambda client: client.create_partitions(wanted, request_timeout=ANSWER_SECONDS))
    _appeared(config, topic, partitions)


REFUSED = {
    KafkaError.INVALID_CONFIG: "topic.config",
    KafkaError.INVALID_PARTITIONS: "topic.partitions",
    KafkaError.INVALID_REPLICATION_FACTOR: "topic.replication",
    KafkaError.TOPIC_EXCEPTION: "topic.name",
    KafkaError.POLICY_VIOLATION: "topic",
}
"""Which field of a contract the broker does not take."""


def _create(config: Mapping[str, Any], topic: Topic) -> None:
    new = NewTopic(topic.name, topic.partitions, topic.replication, config=dict(topic.config))
    admin = Admin(config, topic.name)
    try:
        with _refused_by_broker(topic.name):
            admin.answer(lambda client: client.create_topics([new], request_timeout=ANSWER_SECONDS))
    except HeadraceError as failed:
        error = _kafka_error(failed)
        if error is None or error.code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another run was faster
            raise


@contextmanager
def _refused_by_broker(topic: str) -> Iterator[None]:
    """Turn the broker's refusal of a declared value into the contract's fault."""
    try:
        yield
    except HeadraceError as failed:
        error = _kafka_error(failed)
        field = REFUSED.get(error.code()) if error else None
        if error is None or field is None:
            raise
        raise ContractError(
            f"topic {topic}: the broker refuses {field} of the contract: {error.str()}"
        ) from failed


def _kafka_error(failed: HeadraceError) -> KafkaError | None:
    cause = failed.__cause__
    return cause.args[0] if isinstance(cause, KafkaException) else None


def _appeared(config: Mapping[str, Any], topic: str, partitions: int) -> TopicState:
    """What is new spreads from the controller to the brokers a moment after it was made."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            state = describe_topic(config, topic)
            answering = len(log_end(config, topic))  # answers only once each partition has a leader
        except (TopicMissing, BrokerUnreachable):
            if time.monotonic() > deadline:
                raise
        else:
            if answering >= partitions:
                return state
            if time.monotonic() > deadline:
                raise BrokerUnreachable(f"topic {topic}: {answering} of {partitions} partitions answer")
        time.sleep(0.1)


def require_topic_id(config: Mapping[str, Any], topic: str, topic_id: str) -> TopicState:
    """The topic as it is now, which must have that id; otherwise raises as `describe_topic`.

    Raises:
        TopicRecreated: it was deleted and made again, so its offsets mean other records.
    """
    state = describe_topic(config, topic)
    if state.topic_id != topic_id:
        raise TopicRecreated(
            f"topic {topic} was deleted and made again: its id is {state.topic_id}, the tables know "
            f"{topic_id}, so its offsets no longer mean what they hold. Give the contract another topic.name "
            "or trigger a run with the parameter republish: it publishes the source once more, into the new "
            "topic (rows that are landed already count as duplicates)."
        )
    return state
