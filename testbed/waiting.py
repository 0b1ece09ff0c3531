"""Waiting for a condition, where others would sleep."""

from collections.abc import Callable
from typing import Any

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from headrace.kafka.topics import log_end

PATIENCE = 900.0
"""Patience with a machine that has other work; no test waits so long for anything that comes."""


def awaited(condition: Callable[[], Any], seconds: float = PATIENCE, every: float = 0.02) -> Any:
    """What `condition` answers, as soon as that is something.

    Raises:
        tenacity.RetryError: it was nothing for `seconds`.
    """
    waiting = Retrying(
        retry=retry_if_result(lambda answer: not answer),
        wait=wait_fixed(every),
        stop=stop_after_delay(seconds),
    )
    return waiting(condition)


def until_nothing_is_open(config: dict[str, Any], topic: str) -> None:
    """Until consumers see all that the topic's transactions wrote: a commit is answered a moment before."""
    awaited(lambda: log_end(config, topic) == log_end(config, topic, committed=False))
