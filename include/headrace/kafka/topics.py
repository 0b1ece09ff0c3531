"""Topics as the broker has them: their id, partitions, config and offsets.

A `config` is a librdkafka configuration, as the extra of an Airflow connection of type `kafka` gives it.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import ConfigResource, NewTopic, OffsetSpec, ResourceType  # type: ignore[attr-defined]  # lacks __all__
from pydantic import BaseModel, ConfigDict

from headrace.contract.model import Topic
from headrace.errors import (
    BrokerUnreachable,
    ContractError,
    HeadraceError,
    TopicDiffers,
    TopicMissing,
    TopicRecreated,
)
from headrace.kafka.librdkafka import ANSWER_SECONDS, Admin, bootstrap


class TopicState(BaseModel):
    """A topic as it is on the broker; `config` holds every value, defaults among them."""

    model_config = ConfigDict(frozen=True)

    name: str
    topic_id: str
    partitions: int
    replication: int
    config: dict[str, str]


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


def ensure_topic(config: Mapping[str, Any], topic: Topic) -> TopicState:
    """The topic as the contract declares it, made if it was not there; harmless when repeated.

    Raises:
        TopicDiffers: it is there with other partitions, replication or config; the message names each.
        ContractError: the broker refuses the declared partitions, replication or config.
        BrokerUnreachable: no answer, or the new topic does not show, in time.
        SettingsError: the broker refuses the log-in or the request.
    """
    try:
        state = describe_topic(config, topic.name)
    except TopicMissing:
        _create(config, topic)
        state = _appeared(config, topic.name)
    differences = list(_differences(bootstrap(config), topic, state))
    if differences:
        raise TopicDiffers(f"topic {topic.name} is not as its contract declares: " + "; ".join(differences))
    return state


def _create(config: Mapping[str, Any], topic: Topic) -> None:
    new = NewTopic(topic.name, topic.partitions, topic.replication, config=dict(topic.config))
    admin = Admin(config, topic.name)
    try:
        admin.answer(lambda client: client.create_topics([new], request_timeout=ANSWER_SECONDS))
    except HeadraceError as failed:
        error = failed.__cause__.args[0] if isinstance(failed.__cause__, KafkaException) else None
        field = error and {
            KafkaError.INVALID_CONFIG: "topic.config",
            KafkaError.INVALID_PARTITIONS: "topic.partitions",
            KafkaError.INVALID_REPLICATION_FACTOR: "topic.replication",
            KafkaError.TOPIC_EXCEPTION: "topic.name",
            KafkaError.POLICY_VIOLATION: "topic",
        }.get(error.code())
        if error is not None and field:
            raise ContractError(
                f"topic {topic.name}: the broker refuses {field} of the contract: {error.str()}"
            ) from failed
        if error is None or error.code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another run was faster
            raise


def _appeared(config: Mapping[str, Any], topic: str) -> TopicState:
    """A new topic spreads from the controller to the brokers a moment after it was made."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            state = describe_topic(config, topic)
            log_end(config, topic)  # answers only once each partition has a leader
        except (TopicMissing, BrokerUnreachable):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return state


def _differences(servers: str, topic: Topic, state: TopicState) -> list[str]:
    found = []
    if state.partitions < topic.partitions:
        found.append(
            f"it has {state.partitions} partitions, declared are {topic.partitions}: set topic.partitions: "
            f"{state.partitions} in the contract, or add them (keys move to other partitions): "
            f"kafka-topics.sh --bootstrap-server {servers} --alter --topic {topic.name} "
            f"--partitions {topic.partitions}"
        )
    if state.partitions > topic.partitions:
        found.append(
            f"it has {state.partitions} partitions, declared are {topic.partitions}, and a topic never loses "
            f"any: set topic.partitions: {state.partitions} in the contract"
        )
    if state.replication != topic.replication:
        found.append(
            f"its replication is {state.replication}, declared is {topic.replication}: set "
            f"topic.replication: {state.replication} in the contract, or move it with "
            "kafka-reassign-partitions.sh"
        )
    for name, declared in sorted(topic.config.items()):
        actual = state.config.get(name)
        if actual != declared:
            found.append(
                f"its {name} is {actual}, declared is {declared}: set it in topic.config of the contract, or "
                f"run kafka-configs.sh --bootstrap-server {servers} --alter --entity-type topics "
                f"--entity-name {topic.name} --add-config {name}={declared}"
            )
    return found


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
