"""The records of a topic that read_committed consumers see, read straight from the broker."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, Message, TopicPartition

from headrace.errors import BrokerUnreachable, RecordsUnlandable
from headrace.kafka.librdkafka import FETCH, Errors, client_config, translate
from headrace.offsets import OffsetRange, Ranges

SECONDS_WITHOUT_PROGRESS = 30.0

SECONDS_TOO_LARGE = 3.0
"""The same where the client has said that an answer is too large for it: it only asks again."""

CHUNK = 10_000
"""Records that one call takes at most."""

MOST_CONSUMERS = 16
"""One a partition, so that each reads ahead; partitions beyond share them."""

READ_AHEAD_KB = 16_384
"""What a consumer holds of records that nobody has asked for yet."""

PROBE_SECONDS = 5.0
"""How long anything at all may take to come from an offset that is looked at."""

# confluent-kafka documents these codes under names that begin with an underscore.
UNREADABLE = {
    KafkaError._BAD_MSG,  # noqa: SLF001
    KafkaError._BAD_COMPRESSION,  # noqa: SLF001
    KafkaError._NOT_IMPLEMENTED,  # noqa: SLF001
    KafkaError._UNDERFLOW,  # noqa: SLF001
    KafkaError.INVALID_MSG,
    KafkaError.UNSUPPORTED_COMPRESSION_TYPE,
}
"""What comes in the place of a batch of records that is damaged, or packed in a way that is not known."""

DAMAGED = "Is the broker's disk sound, and has another replica the records?"
TOO_LARGE = (
    "Raise receive.message.max.bytes in the Kafka connection's extra, and clear the task, to land them."
)

POLL = 0.1
"""Seconds that one call waits for its records."""


def visible_records(config: dict[str, Any], topic: str, ranges: Ranges) -> Iterator[list[Message]]:
    """The visible records within `ranges`, by a consumer of their own; raises as `RecordReader.read`."""
    with closing(RecordReader(config, topic)) as reader:
        yield from reader.read(ranges)


def require_readable(config: dict[str, Any], topic: str, ranges: Ranges) -> None:
    """Whether all records within `ranges` can be read; raises as `RecordReader.read`."""
    for _ in visible_records(config, topic, ranges):
        pass


class RecordReader:
    """Consumers that read ranges of a topic, and go on where they ended; they commit nothing."""

    def __init__(self, config: dict[str, Any], topic: str) -> None:
        self._config, self._topic, self._errors = config, topic, Errors()
        self._consumers: dict[int, Consumer] = {}
        self._stands: dict[int, tuple[int, int]] = {}

    def close(self) -> None:
        """Leave the broker."""
        for consumer in self._consumers.values():
            consumer.close()

    def read(self, ranges: Ranges) -> Iterator[list[Message]]:
        """The visible records within `ranges`, in chunks, partition by partition.

        The end of a range need not be a record: a transaction's control record takes an offset that no
        consumer sees. So a partition is done when the consumer's own position has come to the end.

        Raises:
            BrokerUnreachable: no record and no progress for 30 seconds, or the partition ends too early.
            RecordsUnlandable: a batch of records is damaged, packed in an unknown way, or too large.
            SettingsError: the connection's settings do not fit each other.
        """
        for each in ranges:
            yield from self._until(self._consumer_at(each), each)

    def _consumer_at(self, each: OffsetRange) -> Consumer:
        """The consumer that stands there already and has read ahead, or one that is sent there."""
        slot = each.partition % MOST_CONSUMERS
        if slot not in self._consumers:
            try:
                self._consumers[slot] = Consumer(self._configuration())
            except KafkaException as refused:
                error = refused.args[0]
                raise translate(error, self._config, self._topic, self._errors) from refused
        if self._stands.pop(slot, None) != (each.partition, each.start):
            self._consumers[slot].assign([TopicPartition(self._topic, each.partition, each.start)])
        return self._consumers[slot]

    def _configuration(self) -> dict[str, Any]:
        return {
            "queued.max.messages.kbytes": READ_AHEAD_KB,
            **client_config(self._config, self._errors),
            **{key: self._config[key] for key in FETCH if key in self._config},
            "group.id": "headrace.kafka.reader",  # required by the client; nothing is ever committed
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            # Java's clients ask for it by default; without it a number that a disk has changed is landed.
            "check.crcs": True,
        }

    def _until(self, consumer: Consumer, each: OffsetRange) -> Iterator[list[Message]]:
        position, waited = each.start, 0.0
        while position < each.until:
            # No more than can be there: a call that asks for more waits its time out.
            messages = consumer.consume(min(CHUNK, each.until - position), timeout=POLL)
            records = [message for message in messages if message.error() is None]
            wanted = [record for record in records if (record.offset() or 0) < each.until]
            if wanted:
                yield wanted
            if len(wanted) < len(records):
                return  # it has gone past the end, and is sent back should the next range begin there
            errors = [message for message in messages if message.error() is not None]
            ends = [
                self._end(consumer, message, each) for message in errors if not _is_of_no_partition(message)
            ]
            (now,) = consumer.position([TopicPartition(self._topic, each.partition)])
            position = max(position, *ends, -1 if now.offset == OFFSET_INVALID else now.offset)
            if ends and position < each.until:
                raise BrokerUnreachable(
                    f"topic {self._topic}: consumers see partition {each.partition} up to {position}, and "
                    f"not to {each.until}: is a transaction open? Run the task again when it has ended"
                )
            waited = 0.0 if records or ends else waited + POLL
            if waited >= (SECONDS_TOO_LARGE if self._errors.too_large else SECONDS_WITHOUT_PROGRESS):
                if self._errors.too_large:
                    raise self._unreadable(consumer, each, position, self._errors.too_large.str(), TOO_LARGE)
                raise BrokerUnreachable(
                    f"topic {self._topic}: no record within {each} for {waited:.0f} seconds"
                )
        self._stands[each.partition % MOST_CONSUMERS] = (each.partition, each.until)

    def _end(self, consumer: Consumer, message: Message, each: OffsetRange) -> int:
        """Where the partition ends, if the message is the mark of it; any other error is raised."""
        error, offset = message.error(), message.offset() or 0
        assert error is not None  # noqa: S101  # records were sorted out before
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # confluent-kafka's documented name of the code
            return offset
        if error.code() in UNREADABLE:
            if offset >= each.until:  # read ahead of the range
                return offset
            raise self._unreadable(consumer, each, max(offset, each.start), error.str(), DAMAGED)
        raise BrokerUnreachable(f"topic {self._topic}, {each}: {error.str()}") from KafkaException(error)

    def _unreadable(
        self, consumer: Consumer, each: OffsetRange, start: int, said: str, way_out: str
    ) -> RecordsUnlandable:
        until = self._readable_from(consumer, each.partition, start)
        return RecordsUnlandable(
            f"topic {self._topic}, partition {each.partition}, offsets {start} to {until - 1}: no consumer "
            f"can read them ({said}). All before them is landed. {way_out} To go on without them, trigger a "
            f"run with the parameter skip_offsets: {each.partition}:{start}-{until - 1}, which notes them in "
            "`batches` as a gap."
        )

    def _readable_from(self, consumer: Consumer, partition: int, start: int) -> int:
        """The first offset that is not of the same batch as `start`: a batch is read as a whole."""
        step = 1
        while not self._is_readable(consumer, partition, start + step):
            step *= 2
        low, high = start + step // 2, start + step  # the last that is not, the first that is
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._is_readable(consumer, partition, middle) else (middle, high)
        return high

    def _is_readable(self, consumer: Consumer, partition: int, offset: int) -> bool:
        """Whether anything but an error comes at that offset; the partition's end is no error."""
        consumer.assign([TopicPartition(self._topic, partition, offset)])
        for first in consumer.consume(1, timeout=PROBE_SECONDS):
            error = first.error()
            return error is None or error.code() not in UNREADABLE or (first.offset() or 0) >= offset
        return False


def _is_of_no_partition(message: Message) -> bool:
    """Whether the client itself has met with an answer that it cannot read, and asks again.

    Where answers may be no larger than a record, that of a group's coordinator was seen to come so.
    """
    error = message.error()
    return error is not None and error.code() in UNREADABLE and message.topic() is None
