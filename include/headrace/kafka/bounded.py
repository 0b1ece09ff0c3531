"""A call of librdkafka that is left where it is when it does not come back."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread

from confluent_kafka import KafkaError, KafkaException

GRACE = 15.0
"""Seconds after its own time-out that a call of librdkafka is given up."""


def bounded(call: Callable[[float], object], seconds: float) -> None:
    """Make a call that is to take at most `seconds`, and leave it where it is when it takes longer.

    librdkafka (confluent-kafka 2.16.1) was seen to wait for ever in send_offsets_to_transaction, whatever its
    time-out, when the broker was killed inside the transaction. A daemon thread lets the process end.
    """
    answer: Future[object] = Future()

    def ask() -> None:
        try:
            answer.set_result(call(seconds))
        except BaseException as failed:
            answer.set_exception(failed)

    Thread(target=ask, name="headrace-transaction", daemon=True).start()
    try:
        answer.result(seconds + GRACE)
    except TimeoutError as late:
        error = KafkaError(KafkaError._TIMED_OUT, f"no answer within {seconds + GRACE:.0f} s")  # noqa: SLF001  # its documented name
        raise KafkaException(error) from late
