"""What a running task shows of itself in Airflow."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from airflow.sdk import Context

from headrace.driver.protocol import News
from headrace.land.progress import Progress, progress_after
from headrace.tables.slices import new_slice
from headrace_airflow.ui import watched
from headrace_airflow.ui.links import SparkWebUI
from headrace_airflow.ui.watched import Watched
from testbed.batch_rows import a_batch


class Airflow:
    """Keeps what a task writes; `fails`: takes nothing."""

    def __init__(self, fails: bool = False) -> None:
        self.written: list[tuple[str, Any]] = []
        self.fails = fails

    def set(self, key: str, value: Any) -> None:
        if self.fails:
            raise RuntimeError("the API server is away")
        self.written.append((key, value))

    def xcom_push(self, key: str, value: Any) -> None:
        self.set(key, value)

    def task(self) -> Watched:
        return Watched(cast("Context", {"task_state_store": self, "ti": self}))


def progress(lag: int) -> Progress:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Progress(batch=1, batch_records=9, records_per_second=4, landed=90, lag=lag, at=at)


def test_progress_is_written_at_once_then_now_and_then_and_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watched, "EVERY", 3600)
    airflow = Airflow()
    task = airflow.task()
    for lag in (30, 20, 10, 0):
        task.landed(progress(lag))
    assert [(key, value["lag"]) for key, value in airflow.written] == [("progress", 30), ("progress", 0)]


def test_the_link_is_written_under_the_key_that_the_button_reads() -> None:
    airflow = Airflow()
    airflow.task().tell(News(spark_ui="http://127.0.0.1:4040"))
    assert airflow.written == [("_link_SparkWebUI", "http://127.0.0.1:4040")]
    assert SparkWebUI().xcom_key == "_link_SparkWebUI"


def test_what_airflow_does_not_take_fails_no_landing() -> None:
    Airflow(fails=True).task().tell(News(progress=progress(0), spark_ui="http://127.0.0.1:4040"))
    Watched(cast("Context", {})).landed(progress(0))


def test_progress_counts_the_slices_offsets() -> None:
    run_slice = new_slice("run", "t", "topic-1", {0: 10}, {0: 20, 1: 5})
    now = progress_after(a_batch(0, (0, 10, 14)), {0: 14}, run_slice)
    assert (now.landed, now.lag) == (4, 11)
    assert str(now) == "4 of 15 offsets landed, 11 to go"
