"""A stream whose stages are run one after the other by the operators, against a real broker."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest
import yaml
from airflow.sdk import Context
from confluent_kafka import Producer

from headrace.contract.loader import load_contract
from headrace.reconcile.ledger import read_ledger
from headrace.settings import PROJECT
from headrace.tables.batches import read_batches
from headrace.tables.queries import scan
from headrace.tables.warehouse import Warehouse
from headrace_airflow.operators.land import LandOperator
from headrace_airflow.operators.provision_topics import ProvisionTopicsOperator
from headrace_airflow.operators.publish import PublishOperator
from headrace_airflow.operators.reconcile import ReconcileOperator
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
