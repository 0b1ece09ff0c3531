"""The stages that run in the Airflow worker, and what the Spark stages hand over, against a real broker."""

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import yaml
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from confluent_kafka import Producer

from headrace.contract.loader import load_contract
from headrace.errors import SettingsError, WarehouseError
from headrace.settings import PROJECT
from headrace.tables.batches import append_batch
from headrace.tables.warehouse import Warehouse
from headrace_airflow.accepted_loss import variable_of
from headrace_airflow.operators.analyse import AnalyseOperator
from headrace_airflow.operators.land import LandOperator
from headrace_airflow.operators.provision_topics import ProvisionTopicsOperator
from headrace_airflow.operators.spark_stage import as_text
from headrace_airflow.sensors.gate import Gate
from local.stack.broker import Broker
from testbed.batch_rows import a_batch

CONTRACT = PROJECT / "include" / "streams" / "wind_turbine.yaml"
HOSTILE = "manual__'; DROP TABLE x; -- $(reboot) ../../etc"


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    """A topic of this test's own."""
    return f"stages.{request.node.name}"


@pytest.fixture
def contract(tmp_path: Path, broker: Broker, topic: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The wind turbine's contract with that topic, and Airflow's connection to the broker."""
    connect(monkeypatch, broker.config)
    monkeypatch.setenv("HEADRACE_WAREHOUSE", str(tmp_path / "warehouse"))
    file = tmp_path / CONTRACT.name
    file.write_text(CONTRACT.read_text("utf-8").replace("wind_turbine.readings", topic), "utf-8")
    return file


def connect(monkeypatch: pytest.MonkeyPatch, extra: dict[str, str]) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_DEFAULT", json.dumps({"conn_type": "kafka", "extra": extra}))


def context(run_id: str = HOSTILE, accept_loss: bool = False, skip_offsets: str = "") -> Context:
    params = {"republish": False, "accept_loss": accept_loss, "skip_offsets": skip_offsets}
    dag, dag_run = SimpleNamespace(dag_id="wind_turbine", params=params), SimpleNamespace(conf={})
    return cast("Context", {"run_id": run_id, "params": params, "dag": dag, "dag_run": dag_run})


GOOD = {
    "Date/Time": "01 01 2018 00:00",
    "LV_ActivePower": 380.05,
    "Wind_Speed": 5.31,
    "Theoretical_Power_Curve": 416.33,
    "Wind_Direction": 259.99,
}


def produce(broker: Broker, topic: str, value: bytes = b"{}") -> None:
    producer = Producer(broker.config)
    producer.produce(topic, value=value, partition=0)
    assert producer.flush(30) == 0


def test_provision_is_harmless_when_repeated_and_opens_its_gate(contract: Path, topic: str) -> None:
    for _ in range(2):
        ProvisionTopicsOperator(task_id="provision_topics", contract=contract).execute(context())
    condition = {"kind": "topic_ready", "topic": topic, "partitions": 4}
    Gate(task_id="topic_ready", until=condition).execute(context())  # would defer if it were shut


def test_a_topic_that_differs_is_refused_for_good(contract: Path) -> None:
    ProvisionTopicsOperator(task_id="provision_topics", contract=contract).execute(context())
    contract.write_text(contract.read_text("utf-8").replace("partitions: 4", "partitions: 5"), "utf-8")
    with pytest.raises(AirflowFailException, match=r"^\[HR303\].* has 4 partitions, declared are 5"):
        ProvisionTopicsOperator(task_id="provision_topics", contract=contract).execute(context())


def test_a_broker_that_is_away_is_tried_again(contract: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, {"bootstrap.servers": "127.0.0.1:1"})
    monkeypatch.setattr("headrace.kafka.topics.ANSWER_SECONDS", 0.5)
    with pytest.raises(AirflowException, match=r"^\[HR301\]") as failed:
        ProvisionTopicsOperator(task_id="provision_topics", contract=contract).execute(context())
    assert not isinstance(failed.value, AirflowFailException)


def test_a_retry_lands_the_slice_of_the_first_try(contract: Path, broker: Broker, topic: str) -> None:
    ProvisionTopicsOperator(task_id="provision_topics", contract=contract).execute(context())
    produce(broker, topic)
    land = LandOperator(task_id="land", contract=contract)
    first, told = land.prepare(load_contract(contract), context())
    produce(broker, topic)
    again, _ = land.prepare(load_contract(contract), context())
    assert again.slice == first.slice
    assert told["until"] == {"0": 1, "1": 0, "2": 0, "3": 0}
    assert json.loads(json.dumps(told)) == told
    later, _ = land.prepare(load_contract(contract), context("another run"))
    assert later.slice is not None
    assert later.slice.until[0] == 2


def test_a_run_that_has_published_more_since_lands_that_too(
    contract: Path, broker: Broker, topic: str
) -> None:
    ProvisionTopicsOperator(task_id="provision_topics", contract=contract).execute(context())
    produce(broker, topic)
    LandOperator(task_id="land", contract=contract).prepare(load_contract(contract), context())
    produce(broker, topic)
    cleared = LandOperator(task_id="land", contract=contract, published={"0": 2, "1": 0})
    job, told = cleared.prepare(load_contract(contract), context())
    assert job.slice is not None
    assert (job.slice.start[0], job.slice.until[0], told["until"]["0"]) == (0, 2, 2)


def test_a_backlog_of_an_external_stream_is_landed_by_several_runs(
    contract: Path, broker: Broker, topic: str, tmp_path: Path
) -> None:
    fields = yaml.safe_load(contract.read_text("utf-8"))
    fields |= {"source": {"kind": "external"}, "landing": {"max_records_per_run": 2}}
    contract.write_text(yaml.safe_dump(fields, sort_keys=False), "utf-8")
    external = load_contract(contract)
    ProvisionTopicsOperator(task_id="provision_topics", contract=contract).execute(context())
    for _ in range(5):
        produce(broker, topic)
    warehouse = Warehouse(tmp_path / "warehouse", external.stream)
    ends = []
    for number in range(4):
        run = context(f"run {number}")
        job, _ = LandOperator(task_id="land", contract=contract).prepare(external, run)
        assert job.slice is not None
        ends.append(job.slice.until[0])
        if job.slice.ranges:  # what landing does when it is done
            batch = a_batch(number, (0, job.slice.start[0], job.slice.until[0]))
            append_batch(warehouse, batch.model_copy(update={"topic_id": job.slice.topic_id}))
    assert ends == [2, 4, 5, 5]


def test_a_loss_is_accepted_only_when_that_is_allowed_to_the_run(
    contract: Path, broker: Broker, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ProvisionTopicsOperator(task_id="provision_topics", contract=contract).execute(context())
    produce(broker, topic, json.dumps(GOOD).encode())
    contract.write_text(contract.read_text("utf-8").replace("engine: spark", "engine: worker"), "utf-8")
    land = LandOperator(task_id="land", contract=contract)
    variable = f"AIRFLOW_VAR_{variable_of('wind_turbine').upper()}"
    monkeypatch.setenv(variable, "another run")
    with pytest.raises(AirflowFailException, match=r"^\[HR103\] stream wind_turbine: "):
        land.execute(context(accept_loss=True))
    with pytest.raises(AirflowFailException, match=r"^\[HR103\] .* triggered with skip_offsets"):
        land.execute(context(skip_offsets="0:0-0"))
    warehouse = Warehouse(tmp_path / "warehouse", "wind_turbine")
    assert not warehouse.exists("readings")
    monkeypatch.setenv(variable, HOSTILE)
    land.execute(context(accept_loss=True))
    assert warehouse.exists("readings")
    monkeypatch.delenv(variable)
    with pytest.raises(AirflowFailException, match=r"^\[HR103\] "):  # a later try asks again
        land.execute(context(accept_loss=True))


def test_analyse_knows_the_slice_and_refuses_a_run_without_one(contract: Path, broker: Broker) -> None:
    ProvisionTopicsOperator(task_id="provision_topics", contract=contract).execute(context())
    analyse = AnalyseOperator(task_id="analyse", contract=contract)
    with pytest.raises(WarehouseError, match="has no slice: `land` has not run"):
        analyse.prepare(load_contract(contract), context())
    landing, told = LandOperator(task_id="land", contract=contract).prepare(
        load_contract(contract), context()
    )
    job, same = analyse.prepare(load_contract(contract), context())
    assert (job.slice, same) == (landing.slice, told)
    assert job.kafka == {}  # no broker, no secrets


def test_a_driver_is_told_whose_end_is_its_own(contract: Path) -> None:
    ProvisionTopicsOperator(task_id="provision_topics", contract=contract).execute(context())
    job, _ = LandOperator(task_id="land", contract=contract).prepare(load_contract(contract), context())
    assert [each.pid for each in job.guardians] == [os.getpid(), os.getppid()]
    assert all(each.is_alive() for each in job.guardians)


def test_nothing_of_the_job_is_in_what_airflow_stores_or_a_process_list_shows(
    contract: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, {**broker.config, "client.id": "hush-hush"})
    ProvisionTopicsOperator(task_id="provision_topics", contract=contract).execute(context())
    land = LandOperator(task_id="land", contract=contract)
    land.prepare(load_contract(contract), context())
    stored = str([getattr(land, field) for field in land.template_fields])
    assert "hush-hush" not in stored
    assert HOSTILE not in stored


def test_a_token_callback_cannot_be_handed_to_spark() -> None:
    with pytest.raises(SettingsError, match="what only Python can use"):
        as_text({"bootstrap.servers": "127.0.0.1:1", "oauth_cb": print})
