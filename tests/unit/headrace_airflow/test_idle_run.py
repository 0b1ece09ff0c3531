"""A run with nothing new: its tasks say so, and import none of what the work would need."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from headrace.contract.loader import load_contract
from headrace.reconcile.ledger import Entry, SliceAccount, append_entry
from headrace.report.newest import Shown, note_report
from headrace.settings import PROJECT
from headrace.tables.batches import append_batch
from headrace.tables.commits import GoldCommit
from headrace.tables.creation import create_tables
from headrace.tables.gold_commits import commit_gold
from headrace.tables.names import GOLD
from headrace.tables.slices import fix_slice, new_slice
from headrace.tables.warehouse import Warehouse
from testbed.batch_rows import a_batch
from testbed.landed_batches import land_as_they_are
from testbed.parsed_rows import Parsed, parsed

CONTRACT = PROJECT / "include/streams/wind_turbine.yaml"
HEAVY = ("pyspark", "polars", "pyarrow", "pandas", "numpy", "matplotlib", "fastapi")
TOPIC_ID = "topic-1"

RUN = f"""
import json, logging, sys
from pathlib import Path
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
from headrace_airflow.operators.analyse import AnalyseOperator
from headrace_airflow.operators.land import LandOperator
from headrace_airflow.operators.report import ReportOperator
from headrace_airflow.sensors.gate import Gate
contract = Path({str(CONTRACT)!r})
context = {{"run_id": "idle", "params": {{"accept_loss": False}}}}
end = {{"stream": "wind_turbine", "topic_id": {TOPIC_ID!r}, "until": {{"0": 2}}}}
for task in (
    LandOperator(task_id="land", contract=contract),
    Gate(task_id="landed", until={{"kind": "landed", **end}}),
    AnalyseOperator(task_id="analyse", contract=contract),
    Gate(task_id="analysed", until={{"kind": "analysed", **end}}),
    ReportOperator(task_id="report", contract=contract),
):
    task.execute(context)
    print(task.task_id, "imported", [name for name in {HEAVY!r} if name in sys.modules])
"""


def an_idle_run(root: Path) -> Warehouse:
    """Tables as a run that landed two records left them, up to the report, and a run since with no record."""
    contract, warehouse = load_contract(CONTRACT), Warehouse(root, "wind_turbine")
    warehouse.prepare()
    create_tables(warehouse)
    land_as_they_are(warehouse, 0, parsed(Parsed(0), Parsed(1)))
    append_batch(warehouse, a_batch(0, (0, 0, 2), topic_id=TOPIC_ID))
    gold = GoldCommit(
        run_id="first",
        try_id="t",
        batch=0,
        topic_id=TOPIC_ID,
        position={0: 2},
        readings_version=1,
        analysis_sha256=contract.analysis_sha256,
    )
    for name in GOLD:
        commit_gold(warehouse, name, pa.table({"n": [1]}), gold, None)
    fix_slice(warehouse, new_slice("idle", contract.topic.name, TOPIC_ID, {0: 2}, {0: 2}))
    nothing = SliceAccount(ranges=(), visible=0, landed=0, quarantined=0)
    for run_id in ("first", "idle"):
        account = Entry(
            run_id=run_id, finished=datetime.now(UTC), topic="t", topic_id=TOPIC_ID, slice=nothing, sources=()
        )
        append_entry(warehouse, account)
        if run_id == "first":
            warehouse.reports.mkdir()
            warehouse.report(run_id).write_text("the page")
            note_report(warehouse, account, Shown.now(contract, warehouse, account))
    return warehouse


def test_no_task_imports_what_only_the_work_needs_and_each_says_why(tmp_path: Path) -> None:
    warehouse = an_idle_run(tmp_path / "a warehouse")
    kafka = {"conn_type": "kafka", "extra": {"bootstrap.servers": "127.0.0.1:1"}}
    own = {"HEADRACE_WAREHOUSE": str(warehouse.root), "AIRFLOW_CONN_KAFKA_DEFAULT": json.dumps(kafka)}
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        env={**os.environ, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    for task in ("land", "landed", "analyse", "analysed", "report"):
        assert f"{task} imported []" in done.stdout, done.stdout
    for why in (
        "nothing new: topic wind_turbine.readings ends at 0:2, and up to there all is landed",
        "nothing new: no batch was landed since the last analysis",
        "nothing new since run first: its report stands",
    ):
        assert why in done.stdout, done.stdout
    assert warehouse.report("idle").read_text() == "the page"
