"""Counts of a table from which Spark took rows away without writing its files anew."""

from pathlib import Path

from pyspark.sql import SparkSession

from headrace.tables import queries
from headrace.tables.active_files import active_files
from headrace.tables.commits import open_table
from headrace.tables.names import QUARANTINE
from headrace.tables.warehouse import Warehouse


def test_rows_behind_deletion_vectors_are_not_counted(spark: SparkSession, tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "a warehouse", "s")
    table = f"delta.`{warehouse.table(QUARANTINE)}`"
    spark.sql(
        f"CREATE TABLE {table} (reason STRING, n INT) USING delta "
        "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"
    )
    spark.sql(f"INSERT INTO {table} SELECT /*+ COALESCE(1) */ 'duplicate', id FROM range(100)")
    spark.sql(f"DELETE FROM {table} WHERE n < 30")
    opened = open_table(warehouse.table(QUARANTINE))
    assert sum(batch.num_rows for batch in opened.deletion_vectors()) == 1
    assert sum(opened.get_add_actions()["num_records"].to_pylist()) == 100
    assert active_files(opened) is None
    assert queries.quarantine_reasons(warehouse) == {"duplicate": spark.table(table).count()}
    assert queries.counts(warehouse).quarantine == {"duplicate": 70}
