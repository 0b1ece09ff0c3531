"""The DAG that keeps tables small, as Airflow's DAG processor reads it."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG

from headrace.settings import PROJECT
from headrace_airflow.operators.maintain import MaintainOperator, remove_old_logs
from testbed.mill import make_mill
from testbed.parse_cases import contract

DAGS = PROJECT / "dags"


def read() -> DAG:
    return DagBag(DAGS, bundle_path=DAGS, bundle_name="dags").dags["maintain_tables"]


def test_every_stream_is_a_task_and_logs_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    dag = read()
    streams = {file.stem for file in (PROJECT / "include" / "streams").glob("*.yaml")}
    assert set(dag.task_ids) == {*streams, "task-logs"}
    assert (str(dag.schedule), dag.max_active_tasks, dag.catchup) == ("@daily", 1, False)
    monkeypatch.setenv("HEADRACE_MAINTAIN_SCHEDULE", "never")
    assert read().schedule is None


def test_no_stream_can_take_its_name() -> None:
    with pytest.raises(ValueError, match="'maintain_tables' is the DAG that keeps tables small"):
        contract(stream="maintain_tables")


def test_the_task_shows_the_tables_before_and_after(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    mill = make_mill(tmp_path)
    monkeypatch.setenv("HEADRACE_WAREHOUSE", str(mill.settings.warehouse_path))
    monkeypatch.setenv("HEADRACE_HOME", str(mill.settings.home_path))
    monkeypatch.setattr(
        "headrace_airflow.operators.maintain.load_contract", lambda _: SimpleNamespace(stream="mill")
    )
    MaintainOperator(task_id="mill", contract=tmp_path / "mill.yaml").execute(cast(Any, {"params": {}}))
    with caplog.at_level("INFO"):
        remove_old_logs()
    said = capsys.readouterr().out
    assert re.search(r"readings +before +2 +2 ", said)
    assert re.search(r" after +1 +1 ", said)
    assert "commits in the log" in said
    assert "all logs are kept" in caplog.text
