"""A warehouse of layout 1 as its version wrote it: clustered by Delta-Spark, instants as INT96.

Ported from `spark_jobs/headrace_spark/tables.py` and `gold.py` of commit 1890a07, the last of that layout.
"""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession

from headrace.staging.staging import quarantine_rows, reading_rows
from headrace.tables.batches import append_batch
from headrace.tables.commits import BatchCommit, GoldCommit, application_id
from headrace.tables.names import QUARANTINE, READINGS
from headrace.tables.warehouse import Warehouse
from testbed.batch_rows import a_batch
from testbed.landed_batches import a_staging

PROVENANCE = (
    "STRUCT<topic_id: STRING COMMENT 'id of the topic, not its name', "
    "partition: INT, offset: BIGINT, "
    "timestamp: TIMESTAMP COMMENT 'of the Kafka record', "
    "publication: STRING COMMENT 'header: which publishing of a source', "
    "row: BIGINT COMMENT 'header: row of the source, from 1', "
    "identity: STRING COMMENT 'JSON array: what makes two records the same one', "
    "batch: BIGINT COMMENT 'the batch that landed it'>"
)

COLUMNS = {
    READINGS: (
        ("signal_date", "DATE", "day of signal_ts in the contract's zone"),
        ("signal_ts", "TIMESTAMP", "the record's own time"),
        ("create_date", "DATE", "day of create_ts in the contract's zone"),
        ("create_ts", "TIMESTAMP", "when its batch was landed"),
        ("signals", "MAP<STRING, STRING>", "signal -> value, as the source wrote it"),
        ("entity", "STRING", "the device, where the contract names a field for it"),
        ("provenance", PROVENANCE, "where the record came from"),
    ),
    QUARANTINE: (
        ("reason", "STRING", "code of the reason"),
        ("message", "STRING", "what is wrong, for a person"),
        ("key", "BINARY", "the record's key; null for a duplicate"),
        ("value", "BINARY", "the record's value; null for a duplicate"),
        (
            "headers",
            "ARRAY<STRUCT<key: STRING, value: BINARY>>",
            "the record's headers; null for a duplicate",
        ),
        ("provenance", PROVENANCE, "where the record came from"),
    ),
}


def make_tables(spark: SparkSession, warehouse: Warehouse) -> None:
    """The folder with its note of layout 1, and both tables of landing, empty."""
    warehouse.folder.mkdir(parents=True)
    (warehouse.folder / "_layout.json").write_text(json.dumps({"layout": 1}), encoding="utf-8")
    for name, columns in COLUMNS.items():
        table = DeltaTable.createIfNotExists(spark).location(str(warehouse.table(name)))
        for column, kind, comment in columns:
            table = table.addColumn(column, kind, comment=comment)
        (table.clusterBy("signal_date") if name == READINGS else table).execute()


def land_readings(spark: SparkSession, warehouse: Warehouse, commit: BatchCommit, rows: pa.Table) -> None:
    """The batch's commit point."""
    _append(spark.createDataFrame(rows), warehouse, READINGS, commit)


def land_parsed(
    spark: SparkSession, warehouse: Warehouse, commit: BatchCommit, parsed: pa.RecordBatch
) -> None:
    """Land and close a batch; `parsed` is what a parser hands to staging."""
    staging = a_staging(warehouse, commit.batch, zone="Europe/Istanbul")
    good = pc.is_null(parsed["reason"])
    readings, quarantine = parsed.filter(good), parsed.filter(pc.invert(good))
    land_readings(spark, warehouse, commit, reading_rows(readings, staging))
    if len(quarantine):
        refused = spark.createDataFrame(quarantine_rows(quarantine, staging))
        _append(refused, warehouse, QUARANTINE, commit)
    counts = {"landed": len(readings), "quarantined": len(quarantine)}
    named = {name: getattr(commit, name) for name in ("topic_id", "ranges", "run_id", "try_id")}
    append_batch(warehouse, a_batch(commit.batch, records=len(parsed), **counts, **named))


def _append(rows: DataFrame, warehouse: Warehouse, name: str, commit: BatchCommit) -> None:
    (
        rows.write.format("delta")
        .mode("append")
        .option("txnAppId", application_id(warehouse.stream))
        .option("txnVersion", commit.batch)
        .option("userMetadata", commit.model_dump_json())
        .save(str(warehouse.table(name)))
    )


def bring_together(spark: SparkSession, path: Path) -> None:
    """What Delta's auto-compaction did at every fiftieth commit."""
    DeltaTable.forPath(spark, str(path)).optimize().executeCompaction()


def write_gold(rows: DataFrame, warehouse: Warehouse, name: str, commit: GoldCommit) -> None:
    """All days of a gold table."""
    (
        rows.coalesce(1)
        .write.format("delta")
        .mode("overwrite")
        .option("overwriteSchema", "true")
        .option("txnAppId", f"{application_id(warehouse.stream)}:{name}")
        .option("txnVersion", 0)
        .option("userMetadata", commit.model_dump_json())
        .save(str(warehouse.table(name)))
    )
