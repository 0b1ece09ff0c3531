"""Calls of librdkafka that never return, or fail."""

from threading import Event

import pytest
from confluent_kafka import KafkaError, KafkaException

from headrace.kafka import bounded as module
from headrace.kafka.bounded import bounded


def test_a_call_that_never_returns_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE", 0.05)
    never = Event()
    with pytest.raises(KafkaException) as late:
        bounded(lambda _: never.wait(), 0.05)
    assert late.value.args[0].code() == KafkaError._TIMED_OUT
    never.set()


def test_what_a_call_raises_is_raised() -> None:
    def refuse(_: float) -> None:
        raise KafkaException(KafkaError(KafkaError.INVALID_PRODUCER_EPOCH))

    with pytest.raises(KafkaException) as refused:
        bounded(refuse, 1)
    assert refused.value.args[0].code() == KafkaError.INVALID_PRODUCER_EPOCH
