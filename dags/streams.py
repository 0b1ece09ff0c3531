"""One DAG per contract: its records go from the source through Kafka into Delta tables, gate by gate.

1. `provision_topics`: the topic is on the broker as the contract declares it.
2. `publish`: the source's rows are in the topic, each exactly once (by Spark: at least once); an external
   stream has no such stage.
3. `land`: the run's slice of the topic is in `readings` and `quarantine`.
4. `analyse`: the gold tables have come up to the landed position.
5. `reconcile`: every record is accounted for in `ledger`, or the run fails and names what is not.
6. `report`: the run's page is written; the button "Report" in the task's tab "Details" opens it.

Between them stand gates (`topic_ready`, `published_visible`, `landed`, `analysed`), which let a run pass only
when the stage before has done what it says. Topic and tables are Airflow's assets: another DAG can be
scheduled by `ledger`, whose event says that every record is accounted for.
"""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from airflow.sdk import DAG, BaseOperator, XComArg, chain

from headrace.contract.model import Contract
from headrace.tables.gold_columns import gold_tables
from headrace.tables.names import LANDED, LEDGER, READINGS
from headrace_airflow import alerts
from headrace_airflow.assets import table_asset, topic_asset
from headrace_airflow.contracts import sound_contracts
from headrace_airflow.operators.analyse import AnalyseOperator
from headrace_airflow.operators.land import LandOperator
from headrace_airflow.operators.provision_topics import ProvisionTopicsOperator
from headrace_airflow.operators.publish import PublishOperator
from headrace_airflow.operators.publish_by_spark import SparkPublishOperator
from headrace_airflow.operators.reconcile import ReconcileOperator
from headrace_airflow.operators.report import ReportOperator
from headrace_airflow.params import stream_params
from headrace_airflow.sensors import conditions
from headrace_airflow.sensors.gate import Gate


def stream_dag(file: Path, contract: Contract) -> DAG:
    """The DAG of one contract."""
    with DAG(
        dag_id=contract.stream,
        description=contract.description,
        doc_md=f"{contract.description}\n\n{__doc__}",
        schedule=contract.schedule,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        params=stream_params(contract),
        tags=["headrace", contract.source.kind],
        default_args={
            "owner": contract.owner,
            "retries": 3,
            "retry_delay": timedelta(seconds=10),
            "retry_exponential_backoff": 2,
            "max_retry_delay": timedelta(minutes=5),
            "execution_timeout": timedelta(hours=6),
            "on_failure_callback": alerts.when_failed(contract),
        },
        deadline=alerts.when_late(file, contract),
    ) as dag:
        topic = contract.topic
        records, table = topic_asset(topic.name), partial(table_asset, contract.stream)
        landed_tables = [table(name) for name in LANDED]
        gold = [table(name) for name in gold_tables(contract)]
        provision_topics = ProvisionTopicsOperator(task_id="provision_topics", contract=file)
        topic_ready = Gate(
            task_id="topic_ready",
            until=conditions.topic_ready(topic.name, topic.partitions),
        )
        publishing = publishing_of(file, contract)
        published = xcom(publishing[0], "until") if publishing else None
        land = LandOperator(
            task_id="land", contract=file, published=published, inlets=[records], outlets=landed_tables
        )
        landed = Gate(
            task_id="landed",
            until=conditions.landed(contract.stream, **end_of_slice(land)),
        )
        analyse = AnalyseOperator(task_id="analyse", contract=file, inlets=[table(READINGS)], outlets=gold)
        analysed = Gate(
            task_id="analysed",
            until=conditions.analysed(contract.stream, **end_of_slice(analyse)),
        )
        reconcile = ReconcileOperator(
            task_id="reconcile",
            contract=file,
            inlets=[*landed_tables, *gold],
            outlets=[table(LEDGER)],
            on_success_callback=alerts.when_through(contract),
        )
        chain(provision_topics, topic_ready, *publishing, land)
        report = ReportOperator(task_id="report", contract=file)
        chain(land, landed, analyse, analysed, reconcile, report)
    return dag


def publishing_of(file: Path, contract: Contract) -> list[BaseOperator]:
    """The stage `publish` and its gate, for streams that have a source of their own."""
    if contract.own_source is None:
        return []
    by_spark = contract.publish.engine == "spark"
    publish = (SparkPublishOperator if by_spark else PublishOperator)(
        task_id="publish", contract=file, outlets=[topic_asset(contract.topic.name)]
    )
    published_visible = Gate(
        task_id="published_visible",
        until=conditions.visible(contract.topic.name, until=xcom(publish, "until")),
    )
    return [publish, published_visible]


def end_of_slice(stage: BaseOperator) -> dict[str, XComArg]:
    """Where the run's slice ends."""
    return {"topic_id": xcom(stage, "topic_id"), "until": xcom(stage, "until")}


def xcom(stage: BaseOperator, key: str) -> XComArg:
    """One value of a stage's XCom."""
    value: XComArg = stage.output[key]  # type: ignore[index]  # the annotation of `output` is its base class
    return value


for contract_file, stream_contract in sound_contracts().items():
    stream_dag(contract_file, stream_contract)
