"""A transactional Kafka producer that commits contiguous rows of a source together with its progress."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from confluent_kafka import (
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from headrace.crash_points import crash_point
from headrace.errors import BrokerUnreachable, DeliveryIncomplete, HeadraceError, PublisherFenced, SourceError
from headrace.kafka.bounded import bounded
from headrace.kafka.headers import Header
from headrace.kafka.librdkafka import ANSWER_SECONDS, Errors, bootstrap, client_config, translate
from headrace.publish.claim import Claim
from headrace.publish.source_records import Record

QUEUE_KB = 65_536
"""What may wait to be sent, however large the rows are."""

BYTES = 32 << 20
"""Of a transaction, after which it takes no further row: the broker ends one that lasts a minute."""

DELIVERY_MS = 45_000
"""How long a record may stay unacknowledged, unless the connection says otherwise (`message.timeout.ms`)."""

FENCED = {
    KafkaError._FENCED,  # noqa: SLF001  # confluent-kafka documents the code under this name
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
}

# Likewise documented with the underscore.
PURGED = {KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT}  # noqa: SLF001  # documented names of codes
"""Records that librdkafka drops because another one of their transaction failed; on a busy machine they are
reported before that one."""

MOVING = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
}
"""What a broker answers for a group whose coordinator is not settled yet."""

T = TypeVar("T")


class Refusals:
    """Records that were not delivered: how many, and why the first of them that is no consequence."""

    def __init__(self) -> None:
        self.count = 0
        self.first: KafkaError | None = None

    def __call__(self, error: KafkaError, _: object) -> None:
        self.count += 1
        if self.first is None or self.first.code() in PURGED:
            self.first = error


class Transactions:
    """Transactions of one publisher; its progress is the offset, 'next row', of a consumer group.

    Errors of librdkafka are met as it documents them: a retriable commit is called again, an abortable error
    aborts, a fatal one ends this producer; the next try begins with a new one and reads what was committed.
    """

    def __init__(self, config: Mapping[str, Any], topic: str, transactional_id: str, group: str) -> None:
        self._config, self._topic, self._errors = config, topic, Errors()
        own = client_config(config, self._errors)
        self._seconds = float(own.get("message.timeout.ms", DELIVERY_MS)) / 1000
        self._sent, self._refused = 0, Refusals()
        self._claim = Claim(config, topic, transactional_id)
        try:
            self._producer = Producer(
                {
                    "compression.type": "lz4",
                    "linger.ms": 20,
                    "message.timeout.ms": DELIVERY_MS,
                    "partitioner": "murmur2_random",  # where Java's producers would put the same key
                    "queue.buffering.max.kbytes": QUEUE_KB,
                    **own,
                    "transactional.id": transactional_id,
                    "enable.idempotence": True,
                    "acks": "all",
                    # a call for each record that was taken would cost 0.4 µs
                    "delivery.report.only.error": True,
                    "on_delivery": self._refused,
                }
            )
            self._group = Consumer(
                {
                    **own,
                    "group.id": group,
                    "enable.auto.commit": False,
                    "isolation.level": "read_committed",  # makes the broker wait for stable group offsets
                }
            )
        except KafkaException as failed:
            raise self._error(failed.args[0]) from failed

    def close(self) -> None:
        """Leave nothing in the queues, so that the clients end at once."""
        self._group.close()
        with suppress(KafkaException):  # a fatal error, which was raised before, is raised here once more
            self._producer.purge()
            self._producer.poll(0)

    def fence(self) -> None:
        """Stop every older publisher of this id; what it left open is aborted.

        Raises:
            BrokerUnreachable: no answer in time.
            SettingsError: the broker refuses the log-in or the id.
        """
        self._claim.make()
        try:
            self._retried(self._producer.init_transactions)
        except KafkaException as failed:
            raise self._error(failed.args[0]) from failed

    def progress(self) -> TopicPartition:
        """The group's committed offset with its metadata, OFFSET_INVALID if it has none; raises as `fence`.

        After a broker was killed between two transactions, its group was seen (Kafka 4.3.1) not to become
        stable for a minute: then it counts as having no offset, and the topic is asked.
        """
        try:
            (found,) = self._committed()
        except KafkaException as failed:
            if failed.args[0].code() == KafkaError._TIMED_OUT:  # noqa: SLF001  # see FENCED
                return TopicPartition(self._topic, 0, OFFSET_INVALID)
            raise self._error(failed.args[0]) from failed
        if found.error:
            raise self._error(found.error)
        return found

    def _committed(self) -> list[TopicPartition]:
        """Ask again while the group's coordinator is moving: a new broker has none for a moment."""

        def ask() -> list[TopicPartition]:
            return self._group.committed([TopicPartition(self._topic, 0)], timeout=ANSWER_SECONDS)

        return self._repeated(ask, again=_is_moving, pause=0.2)

    def commit(self, records: Iterator[Record], metadata: str, rows: int) -> int:
        """Publish the next records in one transaction that also moves the progress past them.

        It takes so many `rows` of them, or fewer if they are large, and returns how many.

        Raises:
            DeliveryIncomplete: a record was not acknowledged; the transaction is aborted.
            PublisherFenced: a newer publisher of this id has begun.
            DeliveryIncomplete: as well where the broker has ended the transaction because it took too long.
            BrokerUnreachable: no answer in time. Whether a commit came through, the next try finds out.
            SourceError: the broker takes no record of that size.
        """
        self._sent = 0
        crash_point("publish.before_begin")
        try:
            self._producer.begin_transaction()
            last = self._send(records, rows)
            self._deliver()
            crash_point("publish.before_commit")
            self._group_offset(last + 1, metadata)
            self._retried(self._producer.commit_transaction)
        except KafkaException as failed:
            raise self._aborted(failed.args[0]) from failed
        crash_point("publish.after_commit")
        return self._sent

    def _send(self, records: Iterator[Record], rows: int) -> int:
        """Hand over the records of one transaction; the last one's row."""
        produce, topic, last, size = self._producer.produce, self._topic, 0, 0
        for sent, (row, key, value, headers) in enumerate(records, 1):
            try:
                produce(topic, value, key, -1, None, None, 0, headers)  # names would take 0.3 µs
            except BufferError:
                self._produce_later(value, key, headers)
            self._sent, last = sent, row
            size += len(value)
            if not sent % 1_000:
                self._producer.poll(0)
                crash_point("publish.inside")
            if sent == rows or size > BYTES:
                break
        return last

    def _produce_later(self, value: str, key: str | None, headers: list[Header]) -> None:
        """The queue is full: wait for acknowledgements."""
        deadline = time.monotonic() + self._seconds
        while time.monotonic() < deadline:
            self._producer.poll(0.5)
            with suppress(BufferError):
                self._producer.produce(self._topic, value, key, headers=headers)
                return
        raise self._aborted(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001  # see FENCED

    def _deliver(self) -> None:
        """Wait until every record is answered for, and by an acknowledgement."""
        try:
            waiting = self._producer.flush(self._seconds + 1)
        except SystemError:
            # confluent-kafka 2.16.1 was seen to return NULL without an exception as another publisher fenced
            # this one off; the next call says how the records fared.
            waiting = self._producer.flush(self._seconds + 1)
        if waiting or self._refused.first:
            late = KafkaError(KafkaError._TIMED_OUT, f"{waiting} records without an answer")  # noqa: SLF001
            raise self._aborted(self._refused.first or late)

    def _group_offset(self, next_row: int, metadata: str) -> None:
        position = TopicPartition(self._topic, 0, next_row, metadata=metadata)
        group = self._group.consumer_group_metadata()
        self._retried(lambda timeout: self._producer.send_offsets_to_transaction([position], group, timeout))

    def _retried(self, call: Callable[[float], object]) -> None:
        """Call again while librdkafka says that this is safe."""
        seconds = min(ANSWER_SECONDS, self._seconds)
        self._repeated(lambda: bounded(call, seconds), again=KafkaError.retriable)

    def _repeated(self, call: Callable[[], T], again: Callable[[KafkaError], bool], pause: float = 0) -> T:
        """Call until it succeeds or fails of something else, and no longer than a delivery may take."""
        retrying = Retrying(
            retry=retry_if_exception(lambda e: isinstance(e, KafkaException) and again(e.args[0])),
            stop=stop_after_delay(self._seconds),
            wait=wait_fixed(pause),
            reraise=True,
        )
        return retrying(call)

    def _aborted(self, error: KafkaError) -> HeadraceError:
        """End the transaction as far as it can be, and say what the error is."""
        if error.retriable():  # it was called again until the time was over: whether it works is not known
            return self._error(error)
        acknowledged = max(0, self._sent - self._refused.count - len(self._producer))
        if not error.fatal():
            try:
                self._producer.purge()
                self._producer.abort_transaction(5)
            except KafkaException as failed:
                # the first fault may be a mere consequence: that this publisher is fenced shows itself here
                return self._error(failed.args[0] if failed.args[0].code() in FENCED else error)
        said = self._error(error)
        if isinstance(said, BrokerUnreachable) and self._answers():
            return DeliveryIncomplete(
                f"topic {self._topic} on broker {bootstrap(self._config)}: {error.str()}; {acknowledged} "
                "records of the transaction were acknowledged, and it was aborted. Run the task again: it "
                "goes on from the last committed row."
            )
        return said

    def _answers(self) -> bool:
        """Whether the broker is there: an empty abort succeeds without it."""
        try:
            self._producer.list_topics(self._topic, timeout=5)
        except KafkaException:
            return False
        return True

    def _error(self, error: KafkaError) -> HeadraceError:
        if error.code() in FENCED and self._claim.stands():
            return DeliveryIncomplete(
                f"topic {self._topic}: the broker has ended this publisher's transaction, which was open for "
                "longer than transaction.timeout.ms (was the process, or the machine, asleep?), and no other "
                "publisher has begun since. Consumers see nothing of it. Run the task again: it goes on from "
                "the last committed row."
            )
        if error.code() in FENCED:
            return PublisherFenced(
                f"topic {self._topic}: a newer publisher of this source has begun, so this one stops; "
                "nothing is lost. Leave the newer one to finish; run this task again only when it has ended."
            )
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            return SourceError(
                f"topic {self._topic} takes no record as large as one of the source's rows: {error.str()}. "
                "Raise max.message.bytes in the contract's topic.config and message.max.bytes in the Kafka "
                "connection, or correct the row"
            )
        return translate(error, self._config, self._topic, self._errors)


def _is_moving(error: KafkaError) -> bool:
    return error.code() in MOVING
