"""A `readings` with typed columns: Spark reads what was landed, both engines analyse it as they do a map."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from headrace.analyse.analysis import Part
from headrace.analyse.worker import analyse_in_worker
from headrace.contract.model import Contract
from headrace.tables import compaction
from headrace.tables.attempt import Attempt
from headrace.tables.commits import open_table
from headrace.tables.compaction import compact
from headrace.tables.creation import create_tables
from headrace.tables.evolution import fit_columns
from headrace.tables.names import DAILY_COMPLETENESS, HOURLY_AVERAGE, READINGS
from headrace.tables.warehouse import Warehouse
from headrace_spark.gold import analyse_in_spark
from testbed.landed_batches import land_values
from testbed.parse_cases import contract

SIGNALS: list[dict[str, Any]] = [
    {"name": "Power (kW)", "fields": ["p"]},
    {"name": "count", "fields": ["n"], "type": "integer"},
    {"name": "price", "fields": ["price"], "type": "decimal(12, 2)"},
    {"name": "on", "fields": ["on"], "type": "boolean"},
    {"name": "seen", "fields": ["seen"], "type": "timestamp"},
    {"name": "word", "fields": ["word"], "type": "string"},
]
BATCHES = (
    (
        (
            b'{"time": "01 01 2018 00:10", "p": 1.25, "n": 9007199254740993, "price": 12.5, '
            b'"on": true, "word": "a"}'
        ),
    ),
    (
        b'{"time": "01 01 2018 00:20", "p": -2.5, "price": "-0.25", "seen": "2020-01-01T00:00:00.123456Z"}',
        b'{"time": "01 01 2018 01:00", "p": null, "n": 7, "on": false, "new": 4, "word": ""}',
    ),
    (b'{"time": "02 01 2018 01:30", "p": 3, "new": 0.5}',),
)


def _landed(folder: Path, columns: str) -> Attempt:
    """Three batches; from the last on the contract knows one signal more."""
    shape = contract().record.model_dump(mode="json")
    grown = [*SIGNALS, {"name": "new", "fields": ["new"]}]
    for batch, values in enumerate(BATCHES):
        of: Contract = contract(
            record=shape | {"signals": grown if batch == 2 else SIGNALS}, landing={"columns": columns}
        )
        attempt = Attempt(of, Warehouse(folder / columns, "small"), "r")
        attempt.warehouse.prepare()
        create_tables(attempt.warehouse, of)
        fit_columns(attempt.warehouse, of)
        land_values(attempt, batch, sum(map(len, BATCHES[:batch])), *values)
    return attempt


@pytest.fixture(scope="module")
def attempts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Attempt]:
    folder = tmp_path_factory.mktemp("columns")
    return {columns: _landed(folder, columns) for columns in ("map", "typed")}


def _gold(rows: pa.Table, order: str) -> list[dict[str, Any]]:
    return rows.select(sorted(rows.column_names)).sort_by(order).to_pylist()


def test_both_engines_make_the_same_of_columns_and_of_a_map(
    spark: SparkSession, attempts: dict[str, Attempt]
) -> None:
    for table, order in ((DAILY_COMPLETENESS, "signal_date"), (HOURLY_AVERAGE, "signal_hour")):
        made = {}
        for columns, attempt in attempts.items():
            part = Part(open_table(attempt.warehouse.table(READINGS)).version(), None, -1)
            made[columns, "worker"] = _gold(analyse_in_worker(attempt, part)[table], order)
            made[columns, "spark"] = _gold(analyse_in_spark(spark, attempt, part)[table], order)
        # What was an unknown field is a signal's in the map; a new column has no history.
        for row in (*made["map", "worker"], *made["map", "spark"]):
            if table == HOURLY_AVERAGE and row["signal_date"].day == 1:
                row["new"] = None
        assert made["map", "worker"] == made["map", "spark"]
        assert made["typed", "worker"] == made["typed", "spark"] == made["map", "worker"]
    assert [row["Power__kW_"] for row in made["typed", "spark"]] == [-0.625, None, 3.0]
    assert [row["price"] for row in made["typed", "spark"]] == [6.125, None, None]


@pytest.mark.parametrize("compacted", [False, True])
def test_predicates_pass_over_files_and_find_what_is_there(
    spark: SparkSession, attempts: dict[str, Attempt], compacted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = attempts["typed"].warehouse.table(READINGS)
    if compacted:
        monkeypatch.setattr(compaction, "EVERY", 1)
        compact(path)
    readings = spark.read.format("delta").load(str(path))
    types = dict(readings.dtypes)
    assert (types["count"], types["price"], types["on"]) == ("bigint", "decimal(12,2)", "boolean")
    for where, files in {
        "Power__kW_ < 0": 1,
        "count = 9007199254740993": 1,
        "price >= 12.5": 1,
        "new = 0.5": 3,  # older files say nothing of it
        "word = 'a'": 1,
        "on": 3,  # of booleans the log keeps no bounds
        "seen = TIMESTAMP '2020-01-01 03:00:00.123456'": 1,
        "others['new'] = '4'": 3,
    }.items():
        found = readings.where(where)
        assert found.count() == 1, where
        assert len(found.inputFiles()) == (1 if compacted else files), where
