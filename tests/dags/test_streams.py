"""The DAG files as Airflow's DAG processor reads them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization

from headrace.contract.model import OTHER_DAGS
from headrace.land.skipping import parse_offsets
from headrace.settings import PROJECT

DAGS = PROJECT / "dags"
CONTRACT = PROJECT / "include" / "streams" / "wind_turbine.yaml"
HEAVY = ("pyspark", "delta", "deltalake", "confluent_kafka", "polars", "pyarrow", "pandas", "numpy", "duckdb")

ReadDags = Callable[[], DagBag]


@pytest.fixture
def streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of contracts of this test's own, with the wind turbine in it."""
    folder = tmp_path / "streams"
    folder.mkdir()
    (folder / CONTRACT.name).write_text(CONTRACT.read_text("utf-8"), "utf-8")
    monkeypatch.setenv("HEADRACE_STREAMS", str(folder))
    return folder


@pytest.fixture(scope="module")
def wind_turbine() -> DAG:
    return read_dags().dags["wind_turbine"]


def read_dags() -> DagBag:
    return DagBag(DAGS, bundle_path=DAGS, bundle_name="dags")


def streams_in(bag: DagBag) -> set[str]:
    """The streams that have a DAG; those that are none of a stream's are there whatever they are."""
    assert OTHER_DAGS.keys() <= bag.dags.keys()
    return set(bag.dags) - OTHER_DAGS.keys()


def contract(streams: Path, stream: str, *changes: tuple[str, str]) -> Path:
    """A contract like the wind turbine's under another name, with texts exchanged."""
    text = CONTRACT.read_text("utf-8").replace("stream: wind_turbine", f"stream: {stream}")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    file = streams / f"{stream}.yaml"
    file.write_text(text, "utf-8")
    return file


def line(file: Path, text: str) -> int:
    """The number of the first line that holds the text."""
    return next(number for number, held in enumerate(file.read_text("utf-8").splitlines(), 1) if text in held)


def test_each_contract_is_a_dag_and_nothing_else_is() -> None:
    bag = read_dags()
    assert bag.import_errors == {}
    assert streams_in(bag) == {file.stem for file in CONTRACT.parent.glob("*.yaml")}


def test_the_stages_stand_in_their_order_with_gates_between(wind_turbine: DAG) -> None:
    assert {task.task_id: set(task.downstream_task_ids) for task in wind_turbine.tasks} == {
        "provision_topics": {"topic_ready"},
        "topic_ready": {"publish"},
        "publish": {"published_visible", "land"},  # which covers what was published
        "published_visible": {"land"},
        "land": {"landed"},
        "landed": {"analyse"},
        "analyse": {"analysed"},
        "analysed": {"reconcile"},
        "reconcile": {"report"},
        "report": set(),
    }


def test_the_contract_says_who_publishes(streams: Path) -> None:
    source = "{kind: csv, path: include/data/wind_turbine/T1.csv, encoding: utf-8-sig}"
    contract(streams, "by_spark", (source, f"{source}\npublish: {{engine: spark}}"))
    bag = read_dags()
    assert bag.import_errors == {}
    by_spark, by_worker = (bag.dags[stream].get_task("publish") for stream in ("by_spark", "wind_turbine"))
    assert (by_spark.task_type, by_worker.task_type) == ("SparkPublishOperator", "PublishOperator")
    gates = [bag.dags[stream].get_task("published_visible") for stream in ("by_spark", "wind_turbine")]
    assert [gate.upstream_task_ids for gate in gates] == [{"publish"}, {"publish"}]


def test_an_external_stream_has_no_publish(streams: Path) -> None:
    contract(
        streams,
        "fed_by_others",
        ("{kind: csv, path: include/data/wind_turbine/T1.csv, encoding: utf-8-sig}", "{kind: external}"),
    )
    dag = read_dags().dags["fed_by_others"]
    assert set(dag.task_ids).isdisjoint({"publish", "published_visible"})
    assert dag.task_dict["land"].upstream_task_ids == {"topic_ready"}
    assert dag.tags == {"headrace", "external"}


def test_policy_of_the_dag(wind_turbine: DAG) -> None:
    assert wind_turbine.tags == {"headrace", "csv"}
    assert wind_turbine.owner == "headrace"
    assert wind_turbine.max_active_runs == 1
    assert not wind_turbine.catchup
    assert wind_turbine.schedule is None
    assert "SCADA readings" in str(wind_turbine.doc_md)
    for task in wind_turbine.tasks:
        assert f"`{task.task_id}`" in str(wind_turbine.doc_md)


def test_policy_of_every_task(wind_turbine: DAG) -> None:
    for task in wind_turbine.tasks:
        assert task.retries == 3
        assert task.retry_delay.total_seconds() <= 30
        assert task.execution_timeout is not None


def test_parameters_default_to_no(wind_turbine: DAG) -> None:
    assert wind_turbine.params.dump() == {
        "source_path": None,
        "republish": False,
        "records_per_batch": None,
        "skip_report": False,
        "accept_loss": False,
        "skip_offsets": "",
    }


@pytest.mark.parametrize(
    ("written", "taken"),
    [("", True), ("0:1234-1234", True), ("0:5, 12:7-9 ", True), ("0:5-", False), ("'; drop", False)],
)
def test_offsets_to_skip_are_of_the_form_that_landing_names(
    wind_turbine: DAG, written: str, taken: bool
) -> None:
    param = wind_turbine.params.get_param("skip_offsets")
    if taken:
        assert param.resolve(written) == written
        parse_offsets(written)
    else:
        with pytest.raises(ParamValidationError):
            param.resolve(written)


def test_the_dag_survives_serialization(wind_turbine: DAG) -> None:
    data = DagSerialization.to_dict(wind_turbine)
    assert DagSerialization.from_dict(data).task_ids == wind_turbine.task_ids


def test_the_schedule_comes_from_the_contract(streams: Path) -> None:
    contract(streams, "hourly", ("schedule: null", 'schedule: "5 * * * *"'))
    assert str(read_dags().dags["hourly"].schedule) == "5 * * * *"


def test_broken_contracts_are_named_with_line_and_field_and_break_no_other(streams: Path) -> None:
    first = contract(streams, "first", ("partitions: 4", "partitions: many"))
    second = contract(streams, "second", ("timezone: Europe/Istanbul", "timezone: Europe/Nowhere"))
    bag = read_dags()
    assert streams_in(bag) == {"wind_turbine"}
    # Under a file of its own: Airflow marks every DAG of a file with an import error as stale.
    assert set(bag.import_errors) == {"broken_contracts.py"}
    message = bag.import_errors["broken_contracts.py"]
    assert f"{first}, line {line(first, 'partitions:')}: field topic.partitions" in message
    assert f"{second}, line {line(second, 'timezone:')}: field record.event_time.timezone" in message


def test_a_repaired_contract_has_its_dag_and_no_error(streams: Path) -> None:
    file = contract(streams, "first", ("partitions: 4", "partitions: many"))
    assert "first" not in read_dags().dags
    file.write_text(file.read_text("utf-8").replace("partitions: many", "partitions: 4"), "utf-8")
    bag = read_dags()
    assert bag.import_errors == {}
    assert streams_in(bag) == {"wind_turbine", "first"}


def test_a_schedule_that_is_none_breaks_its_own_dag_only(streams: Path) -> None:
    file = contract(streams, "first", ("schedule: null", 'schedule: "at tea time"'))
    bag = read_dags()
    assert streams_in(bag) == {"wind_turbine"}
    assert (
        f"{file}, line {line(file, 'schedule:')}: field schedule" in bag.import_errors["broken_contracts.py"]
    )


def test_a_stream_that_two_files_declare_is_named(streams: Path) -> None:
    (streams / "wind_turbine.yml").write_text(CONTRACT.read_text("utf-8"), "utf-8")
    bag = read_dags()
    assert streams_in(bag) == {"wind_turbine"}
    assert "wind_turbine.yml: stream wind_turbine is declared in" in bag.import_errors["broken_contracts.py"]


def test_an_absent_folder_of_contracts_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_STREAMS", str(tmp_path / "nowhere"))
    bag = read_dags()
    assert streams_in(bag) == set()
    assert "HEADRACE_STREAMS" in bag.import_errors["broken_contracts.py"]


def test_a_task_reads_its_own_contract_alone(streams: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow names the DAG whose task it is about to run."""
    contract(streams, "another")
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "another")
    assert streams_in(read_dags()) == {"another"}
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "audit")  # a task a stream
    assert streams_in(read_dags()) == set(read_dags().dags["audit"].task_ids) == {"another", "wind_turbine"}


def test_reading_the_dag_files_imports_nothing_heavy() -> None:
    script = (
        "import sys; from airflow.dag_processing.dagbag import DagBag; "
        f"bag = DagBag({str(DAGS)!r}); assert bag.dags and not bag.import_errors, bag.import_errors; "
        f"sys.exit(' '.join(name for name in {HEAVY!r} if name in sys.modules) or None)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip().splitlines()[-1:]) == (0, [])
