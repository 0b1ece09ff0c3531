"""Calls of librdkafka that fail or never return; the crash suite has a real broker's."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from headrace.kafka.headers import Header
from headrace.publish import transactions
from headrace.publish.transactions import Transactions

RETRIABLE = KafkaError(KafkaError.REQUEST_TIMED_OUT, "late", False, True)
FOR_GOOD = KafkaError(KafkaError.INVALID_TXN_STATE, "wrong", False, False)


@pytest.fixture
def publisher() -> Iterator[Transactions]:
    """A publisher whose broker is never there: a delivery may take it 0.4 seconds."""
    config = {"bootstrap.servers": "127.0.0.1:1", "message.timeout.ms": 400, "transaction.timeout.ms": 1000}
    publisher = Transactions(config, "t", transactional_id="id", group="g")
    yield publisher
    publisher.close()


class Group(NamedTuple):
    """The consumer group, as far as the progress needs it."""

    committed: Callable[..., list[TopicPartition]]

    def close(self) -> None:
        """Nothing to leave."""


class Calls:
    """A call that fails of each error in turn, of the last one for ever; none at all is success."""

    def __init__(self, *errors: KafkaError | None) -> None:
        self.errors = list(errors)
        self.given: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.given.append(seconds)
        error = self.errors[0] if len(self.errors) == 1 else self.errors.pop(0)
        if error:
            time.sleep(0.01)
            raise KafkaException(error)


def test_what_librdkafka_calls_retriable_is_called_again_at_once(publisher: Transactions) -> None:
    calls = Calls(RETRIABLE, RETRIABLE, None)
    began = time.monotonic()
    publisher._retried(calls)
    assert time.monotonic() - began < 0.2
    assert calls.given == [0.4] * 3  # no call is given more time than a delivery


def test_what_no_retry_helps_is_raised_at_once(publisher: Transactions) -> None:
    calls = Calls(FOR_GOOD)
    with pytest.raises(KafkaException) as failed:
        publisher._retried(calls)
    assert failed.value.args[0] is FOR_GOOD
    assert len(calls.given) == 1


def test_retries_end_when_a_delivery_would_have_to(publisher: Transactions) -> None:
    calls = Calls(RETRIABLE)
    began = time.monotonic()
    with pytest.raises(KafkaException) as failed:
        publisher._retried(calls)
    assert 0.4 <= time.monotonic() - began < 2
    assert failed.value.args[0] is RETRIABLE
    assert len(calls.given) > 1


@pytest.mark.parametrize("code", transactions.MOVING)
def test_a_moving_coordinator_is_asked_again_for_the_progress(
    monkeypatch: pytest.MonkeyPatch, publisher: Transactions, code: int
) -> None:
    asked = []

    def committed(partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        asked.append(timeout)
        if len(asked) < 2:
            raise KafkaException(KafkaError(code))
        return [TopicPartition("t", 0, 7)]

    monkeypatch.setattr(publisher, "_group", Group(committed))
    assert publisher.progress().offset == 7
    assert asked == [transactions.ANSWER_SECONDS] * 2


class Sent:
    """A producer that takes so many records until its queue is full, and more after each poll."""

    def __init__(self, room: int) -> None:
        self.room, self.values = room, list[str]()

    def produce(self, _: str, value: str, *__: object, **___: object) -> None:
        if self.room <= 0:
            raise BufferError
        self.room -= 1
        self.values.append(value)

    def poll(self, _: float) -> None:
        self.room += 2

    def purge(self) -> None:
        """Nothing waits."""


@pytest.mark.parametrize("room", [0, 3, 100])
def test_a_transaction_ends_at_its_rows_or_bytes_and_the_next_one_goes_on_there(
    publisher: Transactions, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    producer = Sent(room)
    monkeypatch.setattr(publisher, "_producer", producer)
    monkeypatch.setattr(transactions, "BYTES", 5)
    values = ["a", "b", "c", "dddd", "ee", "f"]
    records = iter([(row, None, value, list[Header]()) for row, value in enumerate(values, start=1)])
    lasts = []
    for _ in range(4):
        publisher._sent = 0
        lasts.append((publisher._send(records, 3), publisher._sent))
    assert lasts == [(3, 3), (5, 2), (6, 1), (0, 0)]
    assert producer.values == values


@pytest.mark.parametrize(
    "reported", [("purged", "cause"), ("cause", "purged"), ("purged", "cause", "purged")]
)
def test_the_cause_is_named_and_not_what_was_dropped_because_of_it(
    publisher: Transactions, reported: tuple[str, ...]
) -> None:
    errors = {
        "purged": KafkaError(KafkaError._PURGE_QUEUE),
        "cause": KafkaError(KafkaError.MSG_SIZE_TOO_LARGE),
    }
    for name in reported:
        publisher._refused(errors[name], None)
    assert publisher._refused.first == errors["cause"]
