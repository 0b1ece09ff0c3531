"""A call of librdkafka that never returns does not hold the publisher; the crash suite has the real one."""

from threading import Event

import pytest
from confluent_kafka import KafkaError, KafkaException

from headrace.publish import transactions


def test_a_call_that_never_returns_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "GRACE", 0.05)
    never = Event()
    with pytest.raises(KafkaException) as late:
        transactions._bounded(lambda _: never.wait(), 0.05)
    assert late.value.args[0].code() == KafkaError._TIMED_OUT
    never.set()


def test_what_a_call_raises_is_raised() -> None:
    def refuse(_: float) -> None:
        raise KafkaException(KafkaError(KafkaError.INVALID_PRODUCER_EPOCH))

    with pytest.raises(KafkaException) as refused:
        transactions._bounded(refuse, 1)
    assert refused.value.args[0].code() == KafkaError.INVALID_PRODUCER_EPOCH
