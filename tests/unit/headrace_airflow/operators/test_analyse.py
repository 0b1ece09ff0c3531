"""The task `analyse` does in its own process what needs no Spark."""

from pathlib import Path
from typing import cast

import pytest
import yaml
from airflow.sdk import Context

from headrace.contract.loader import WrittenContract, load_contract
from headrace.driver.protocol import Job
from headrace.tables.attempt import Attempt
from headrace.tables.creation import create_tables
from headrace.tables.queries import counts
from headrace.tables.warehouse import Warehouse
from headrace_airflow.operators.analyse import AnalyseOperator
from headrace_airflow.ui.watched import Watched
from testbed.landed_batches import land_values
from testbed.parse_cases import contract, fields


@pytest.mark.parametrize(("engine", "hours"), [("worker", 1), ("auto", 1), ("spark", 0)])
def test_it_starts_a_driver_only_where_spark_is_asked_for(tmp_path: Path, engine: str, hours: int) -> None:
    file = tmp_path / "small.yaml"
    definition = contract().model_dump(mode="json") | {"landing": {"engine": engine}}
    file.write_text(yaml.safe_dump(definition, sort_keys=False))
    of, warehouse = load_contract(file), Warehouse(tmp_path / "warehouse", "small")
    warehouse.prepare()
    create_tables(warehouse)
    land_values(Attempt(of, warehouse, "a run"), 0, 0, fields('"p": 1'))
    analyse = AnalyseOperator(task_id="analyse", contract=file)
    job = Job(contract=WrittenContract.of(file), run_id="a run", warehouse=warehouse.root)
    assert analyse.done_here(of, job, Watched(cast("Context", {}))) == bool(hours)
    assert counts(warehouse).hours == hours
