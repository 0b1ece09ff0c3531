"""The records of a topic that read_committed consumers see, read straight from the broker."""

from collections.abc import Iterator
from typing import Any

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, Message, TopicPartition

from headrace.errors import BrokerUnreachable
from headrace.kafka.librdkafka import Errors, client_config
from headrace.offsets import Ranges, text

SECONDS_WITHOUT_PROGRESS = 30.0
CHUNK = 10_000
"""Records that one call takes at most."""
POLL = 0.1
"""Seconds that one call waits for records; the last call of each partition waits for all of them."""


def visible_records(config: dict[str, Any], topic: str, ranges: Ranges) -> Iterator[list[Message]]:
    """The visible records within `ranges`, in chunks, partition by partition; it commits nothing.

    The end of a range need not be a record: a transaction's control record takes an offset that no consumer
    sees. So a partition is done when the consumer's own position has come to the end.

    Raises:
        BrokerUnreachable: no record and no progress for 30 seconds.
    """
    consumer = Consumer(
        {
            **client_config(config, Errors()),
            "group.id": "headrace.kafka.reader",  # required by the client; nothing is ever committed
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
        }
    )
    try:
        for each in ranges:
            consumer.assign([TopicPartition(topic, each.partition, each.start)])
            yield from _until(consumer, topic, each.partition, each.until, text(ranges))
    finally:
        consumer.close()


def _until(consumer: Consumer, topic: str, partition: int, until: int, place: str) -> Iterator[list[Message]]:
    waited = 0.0
    while True:
        messages = consumer.consume(CHUNK, timeout=POLL)
        records = [message for message in messages if message.error() is None]
        at_end = len(records) < len(messages) and any(_is_end(each, topic, place) for each in messages)
        wanted = records
        if records and (records[-1].offset() or 0) >= until:
            wanted = [record for record in records if (record.offset() or 0) < until]
        if wanted:
            yield wanted
        position = consumer.position([TopicPartition(topic, partition)])[0].offset
        if at_end or len(wanted) < len(records) or (position != OFFSET_INVALID and position >= until):
            return
        waited = 0.0 if messages else waited + POLL
        if waited >= SECONDS_WITHOUT_PROGRESS:
            raise BrokerUnreachable(f"topic {topic}: no record within {place} for {waited:.0f} seconds")


def _is_end(message: Message, topic: str, place: str) -> bool:
    """Whether the message is the mark of the partition's end, not a record; any other error is raised."""
    error = message.error()
    if error is None:
        return False
    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # confluent-kafka's documented name of the code
        return True
    raise BrokerUnreachable(f"topic {topic}, {place}: {error.str()}") from KafkaException(error)
