"""Errors of Headrace as Airflow sees them."""

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from headrace.errors import BrokerUnreachable, TopicDiffers
from headrace_airflow.failures import failing_as_task


def test_a_terminal_error_is_not_tried_again_and_says_what_to_do() -> None:
    with (
        pytest.raises(AirflowFailException, match=r"^\[HR303\] add two partitions$") as failed,
        failing_as_task(),
    ):
        raise TopicDiffers("add two partitions")
    assert failed.value.__suppress_context__  # no chain of tracebacks buries the message


def test_a_transient_error_is_tried_again() -> None:
    with pytest.raises(AirflowException) as failed, failing_as_task():
        raise BrokerUnreachable("start the broker")
    assert not isinstance(failed.value, AirflowFailException)
    assert str(failed.value) == "[HR301] start the broker"


def test_any_other_error_stays_what_it_is() -> None:
    with pytest.raises(KeyError), failing_as_task():
        raise KeyError("a mistake of ours")
