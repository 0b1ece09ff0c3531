"""Waiting for a condition, where others would sleep."""

from collections.abc import Callable
from typing import Any

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

SECONDS = 900.0
"""Patience with a machine that has other work; no test waits so long for anything that comes."""


def awaited(condition: Callable[[], Any], seconds: float = SECONDS, every: float = 0.02) -> Any:
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
