"""What each parameter of a run does, by the operators themselves against a real broker."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest
import yaml
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from confluent_kafka import Producer

from headrace.contract.loader import load_contract
from headrace.publish.publications import read_publications
from headrace.reconcile.ledger import read_ledger
from headrace.settings import PROJECT
from headrace.tables.batches import read_batches
from headrace.tables.queries import scan
from headrace.tables.warehouse import Warehouse
from headrace_airflow.operators.land import LandOperator
from headrace_airflow.operators.provision_topics import ProvisionTopicsOperator
from headrace_airflow.operators.publish import PublishOperator
from headrace_airflow.operators.reconcile import ReconcileOperator
from headrace_airflow.operators.report import ReportOperator
from headrace_airflow.params import stream_params
from local.stack.broker import Broker
from testbed.waiting import until_nothing_is_open

T1 = (PROJECT / "include/data/wind_turbine/T1.csv").read_bytes().splitlines(keepends=True)
NAMES = ("Date/Time", "LV_ActivePower", "Wind_Speed", "Theoretical_Power_Curve", "Wind_Direction")
TEN_MINUTES = 600_000
STAMPED = 1_767_225_600_000
"""Kafka's timestamp of the first record of an external stream: 2026-01-01, in milliseconds."""


@dataclass
class Runs:
    """A stream whose stages are run one after the other, by the worker."""

    file: Path
    broker: Broker
    warehouse: Warehouse
    told: dict[str, Any] = field(default_factory=dict)

    def stage(self, operator: type, run_id: str, **conf: Any) -> Any:
        """One stage of a run, with the parameters that its DAG would have."""
        contract = load_contract(self.file)
        params = {name: param.value for name, param in stream_params(contract).items()} | conf
        context = {
            "run_id": run_id,
            "params": params,
            "dag": SimpleNamespace(dag_id=contract.stream, params=params),
            "dag_run": SimpleNamespace(conf=conf),
        }
        more = {"published": self.told.get("until")} if operator is LandOperator else {}
        return operator(task_id="stage", contract=self.file, **more).execute(cast("Context", context))

    def run(self, run_id: str, **conf: Any) -> None:
        """All stages up to the account, which must balance."""
        self.stage(ProvisionTopicsOperator, run_id, **conf)
        if load_contract(self.file).own_source:
            self.told = self.stage(PublishOperator, run_id, **conf)
            until_nothing_is_open(self.broker.config, self.topic)
        self.stage(LandOperator, run_id, **conf)
        self.stage(ReconcileOperator, run_id, **conf)
        assert read_ledger(self.warehouse)[-1].balanced

    @property
    def topic(self) -> str:
        return load_contract(self.file).topic.name

    def produce(self, *rows: int) -> None:
        """Rows of T1.csv, as an outside producer sends them: the n-th stamped n times ten minutes later."""
        producer = Producer(self.broker.config)
        for row in rows:
            values = T1[1 + row].decode().rstrip("\r\n").split(",")
            value = json.dumps(dict(zip(NAMES, values, strict=True)))
            producer.produce(
                self.topic, value=value, partition=row % 2, timestamp=STAMPED + row * TEN_MINUTES
            )
        assert producer.flush(30) == 0

    def landed(self) -> set[tuple[int, int]]:
        """Partition and offset of every reading."""
        places = scan(self.warehouse, "readings").select("provenance").collect()["provenance"].to_list()
        return {(each["partition"], each["offset"]) for each in places}

    def ranges(self) -> list[tuple[str, dict[int, tuple[int, int]]]]:
        """What each row of `batches` covers."""
        return [
            (row.kind, {each.partition: (each.start, each.until) for each in row.ranges})
            for row in read_batches(self.warehouse)
        ]


@pytest.fixture
def runs(tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """The wind turbine's first rows, of a file in a folder that sources may be read from."""
    extra = {"conn_type": "kafka", "extra": broker.config}
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_DEFAULT", json.dumps(extra))
    monkeypatch.setenv("HEADRACE_WAREHOUSE", str(tmp_path / "warehouse"))
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEADRACE_SOURCE_ROOTS", str(tmp_path / "sources"))
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "own.csv").write_bytes(b"".join(T1[:11]))
    contract = yaml.safe_load((PROJECT / "include/streams/wind_turbine.yaml").read_text("utf-8"))
    contract["topic"] |= {"name": f"params.{uuid4().hex[:8]}", "partitions": 2}
    contract["landing"]["engine"] = "worker"
    contract["source"]["path"] = str(tmp_path / "sources" / "own.csv")
    return _runs(tmp_path, broker, contract)


@pytest.fixture
def external(runs: Runs, tmp_path: Path, broker: Broker) -> Runs:
    """The same, fed by somebody else: ten records, five in each partition."""
    contract = yaml.safe_load(runs.file.read_text("utf-8")) | {"source": {"kind": "external"}}
    external = _runs(tmp_path, broker, contract)
    external.stage(ProvisionTopicsOperator, "before")
    external.produce(*range(10))
    return external


def _runs(folder: Path, broker: Broker, contract: dict[str, Any]) -> Runs:
    file = folder / "wind_turbine.yaml"
    file.write_text(yaml.safe_dump(contract, sort_keys=False, allow_unicode=True), "utf-8")
    return Runs(file, broker, Warehouse(folder / "warehouse", "wind_turbine"))


def test_another_source_path_is_a_publication_of_its_own_and_all_balances(runs: Runs, tmp_path: Path) -> None:
    other = tmp_path / "sources" / "other.csv"
    other.write_bytes(T1[0] + b"".join(T1[11:26]))
    runs.run("own")
    runs.run("other", source_path=str(other))
    runs.run("own again")
    published = {
        Path(each.source).name: (each.rows, each.state) for each in read_publications(runs.warehouse)
    }
    assert published == {"own.csv": (10, "published"), "other.csv": (15, "published")}
    times = scan(runs.warehouse, "readings").select("signal_ts").collect()["signal_ts"]
    assert (len(times), times.n_unique()) == (25, 25)
    account = {Path(each.source).name: each.landed for each in read_ledger(runs.warehouse)[-1].sources}
    assert account == {"own.csv": 10, "other.csv": 15}


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ("/etc/passwd", r"^\[HR201\] /etc/passwd: leads to .* HEADRACE_SOURCE_ROOTS"),
        ("sources", r"folder or a pattern; a run's own source is one file"),
    ],
)
def test_a_source_path_that_may_not_be_read_is_refused_by_the_first_task(
    runs: Runs, tmp_path: Path, path: str, refused: str
) -> None:
    with pytest.raises(AirflowFailException, match=refused):
        runs.stage(ProvisionTopicsOperator, "a run", source_path=str(tmp_path / path))


def test_a_source_path_that_is_not_there_is_waited_for(runs: Runs, tmp_path: Path) -> None:
    with pytest.raises(AirflowException, match=r"^\[HR202\] .*nowhere.csv: no such file") as failed:
        runs.stage(ProvisionTopicsOperator, "a run", source_path=str(tmp_path / "sources" / "nowhere.csv"))
    assert not isinstance(failed.value, AirflowFailException)


def test_records_per_batch_bounds_the_batches_of_that_run_alone(runs: Runs, tmp_path: Path) -> None:
    runs.run("small", records_per_batch=4)
    small = [row.records for row in read_batches(runs.warehouse)]
    assert max(small) <= 4
    assert sum(small) == 10
    runs.run("large", republish=True)
    large = [row.records for row in read_batches(runs.warehouse) if row.run_id == "large"]
    assert large == [10]


def test_until_ends_a_slice_and_the_next_run_lands_the_rest(external: Runs) -> None:
    external.run("short", until="0:3, 1:2")
    assert external.landed() == {(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)}
    external.run("one partition", until="0:4 1:2")
    with pytest.raises(AirflowFailException, match=r"before the run's parameter until \(0:1 1:2\) is landed"):
        external.stage(LandOperator, "back", until="0:1 1:2")
    external.run("the rest")
    assert Counter(partition for partition, _ in external.landed()) == {0: 5, 1: 5}
    assert read_ledger(external.warehouse)[-1].balanced


def test_until_a_time_lands_what_kafka_has_stamped_before(external: Runs) -> None:
    external.run("by time", until="2026-01-01T01:00:00+00:00")  # rows 0 to 5 of the ten, every ten minutes
    assert external.landed() == {(row % 2, row // 2) for row in range(6)}
    external.run("the rest", until="2030-01-01T00:00Z")
    assert len(external.landed()) == 10


def test_from_begins_an_external_stream_and_names_what_lies_before(external: Runs) -> None:
    conf = {"from": "2026-01-01T00:30+00:00", "until": "0:4 1:4"}
    external.run("first", **conf)
    assert external.ranges() == [
        ("gap", {0: (0, 2), 1: (0, 1)}),  # rows 0, 2; 1
        ("batch", {0: (2, 4), 1: (1, 4)}),
    ]
    assert read_batches(external.warehouse)[0].reason == "before the run's parameter from"
    external.run("first", **conf)  # cleared
    assert len(external.ranges()) == 2
    with pytest.raises(AirflowFailException, match="where the first landing of a topic begins, and this one"):
        external.stage(ProvisionTopicsOperator, "second", **{"from": "0:5"})
    external.run("the rest")
    assert external.landed() == {(row % 2, row // 2) for row in range(3, 10)}


def test_a_partition_that_the_topic_lacks_is_named(external: Runs) -> None:
    with pytest.raises(AirflowFailException, match=r"has no partition 7: its partitions are 0, 1\."):
        external.stage(LandOperator, "a run", until="7:1")


def test_a_run_without_report_leaves_the_newest_one(runs: Runs) -> None:
    runs.run("silent", skip_report=True)
    with pytest.raises(AirflowSkipException, match="skip_report"):
        runs.stage(ReportOperator, "silent", skip_report=True)
    assert not runs.warehouse.reports.exists()
