"""The DAG that counts everything again, as Airflow's DAG processor reads it."""

from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import TimeRestriction

from headrace.settings import PROJECT

DAGS = PROJECT / "dags"
CONTRACT = PROJECT / "include" / "streams" / "wind_turbine.yaml"


@pytest.fixture
def streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two sound contracts and a broken one."""
    text = CONTRACT.read_text("utf-8")
    for name, changed in (
        ("wind_turbine", text),
        ("second", text.replace("stream: wind_turbine", "stream: second")),
        ("broken", text.replace("stream: wind_turbine", "stream: audit")),
    ):
        (tmp_path / f"{name}.yaml").write_text(changed, "utf-8")
    monkeypatch.setenv("HEADRACE_STREAMS", str(tmp_path))
    return tmp_path


def read() -> tuple[DAG, dict[str, str]]:
    bag = DagBag(DAGS, bundle_path=DAGS, bundle_name="dags")
    return bag.dags["audit"], bag.import_errors


def test_every_sound_contract_is_a_task_and_no_stream_can_take_its_name(streams: Path) -> None:
    dag, errors = read()
    assert dag.task_ids == ["second", "wind_turbine"]
    assert all(not task.downstream_task_ids for task in dag.tasks)
    assert "'audit' is the DAG that counts all streams again" in errors["broken_contracts.py"]


def test_it_runs_once_a_week_unless_told_otherwise(streams: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dag, _ = read()
    assert str(dag.schedule) == "@weekly"
    assert (dag.is_paused_upon_creation, dag.max_active_runs, dag.max_active_tasks) == (False, 1, 1)
    monkeypatch.setenv("HEADRACE_AUDIT_SCHEDULE", "30 4 * * 6")
    assert str(read()[0].schedule) == "30 4 * * 6"
    monkeypatch.setenv("HEADRACE_AUDIT_SCHEDULE", "never")
    assert read()[0].schedule is None


def test_policy_of_the_audit(streams: Path) -> None:
    dag, _ = read()
    assert "by hand" in str(dag.doc_md)
    assert all(task.retries == 3 and task.execution_timeout is not None for task in dag.tasks)
    serialized = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    assert serialized.task_ids == dag.task_ids
    nothing_before = TimeRestriction(earliest=None, latest=None, catchup=False)
    first = serialized.timetable.next_dagrun_info(
        last_automated_data_interval=None, restriction=nothing_before
    )
    assert first
