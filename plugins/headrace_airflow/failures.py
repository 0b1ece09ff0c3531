"""Where errors of Headrace become Airflow's: terminal ones end the task, transient ones make it try again."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from headrace.errors import HeadraceError

log = logging.getLogger(__name__)


def task_failure(message: str, *, transient: bool) -> AirflowException:
    """The exception that makes Airflow try again, or not; its message stands in the task log as a block."""
    # Airflow shows an exception's own text without its line breaks, in front of the frames of a traceback.
    log.error("%s", message)
    return AirflowException(message) if transient else AirflowFailException(message)


@contextmanager
def failing_as_task() -> Iterator[None]:
    """Turn an error of Headrace into Airflow's; its message is what the task log ends with.

    Raises:
        AirflowFailException: the error is terminal: Airflow does not try again.
        AirflowException: the error is transient: Airflow tries again.
    """
    try:
        yield
    except HeadraceError as error:
        # Without the cause: the message says what to do, a chain of tracebacks would bury it.
        raise task_failure(str(error), transient=error.transient) from None
