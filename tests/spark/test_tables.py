"""Tables are made although a driver was killed while it made them before."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from headrace.tables.warehouse import Warehouse
from headrace_spark.tables import COLUMNS, create_tables, read_table


@pytest.mark.parametrize("left", [(), (".00000000000000000000.json.5d1f.tmp", "_staged_commits/.x.tmp")])
def test_what_a_killed_making_left_behind_is_swept_away(
    spark: SparkSession, tmp_path: Path, left: tuple[str, ...]
) -> None:
    warehouse = Warehouse(tmp_path, "mill")
    for name in COLUMNS:
        log = warehouse.table(name) / "_delta_log"
        (log / "_staged_commits").mkdir(parents=True)  # as seen after a kill in the first second of a landing
        for file in left:
            (log / file).write_text("{")
    create_tables(spark, warehouse)
    for name, columns in COLUMNS.items():
        assert read_table(spark, warehouse.table(name)).columns == [column for column, _, _ in columns]


def test_tables_that_are_there_are_left_alone(spark: SparkSession, tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path, "mill")
    create_tables(spark, warehouse)
    before = sorted(file.name for file in tmp_path.rglob("*.json"))
    create_tables(spark, warehouse)
    assert sorted(file.name for file in tmp_path.rglob("*.json")) == before
