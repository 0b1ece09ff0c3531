"""The tables that landing writes: their columns, how they are made, and a batch's commits to them."""

from pathlib import Path
from shutil import rmtree

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession

from headrace.tables.commits import BatchCommit, Commit, application_id, open_table, require_own
from headrace.tables.names import QUARANTINE, READINGS
from headrace.tables.warehouse import Warehouse
from headrace_spark.session import AUTO_COMPACT

COMPACT_EVERY = 50
"""Commits after which Delta brings a table's small files together, in a commit of its own.

A micro-batch leaves one; else every read opens as many files as there were batches (delta-io/delta#859). It
is told commit by commit, because Delta left to itself counts in memory: the first commits of every driver
wrote the table's newest file again, however few small ones there were.
"""

PROVENANCE = (
    "STRUCT<topic_id: STRING COMMENT 'id of the topic, not its name', "
    "partition: INT, offset: BIGINT, "
    "timestamp: TIMESTAMP COMMENT 'of the Kafka record', "
    "publication: STRING COMMENT 'header: which publishing of a source', "
    "row: BIGINT COMMENT 'header: row of the source, from 1', "
    "identity: STRING COMMENT 'JSON array: what makes two records the same one', "
    "batch: BIGINT COMMENT 'the batch that landed it'>"
)

Columns = tuple[tuple[str, str, str], ...]
"""Name, type, comment."""

COLUMNS: dict[str, Columns] = {
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


def create_tables(spark: SparkSession, warehouse: Warehouse) -> None:
    """Make the tables that are not there yet.

    Clustered by day where there is one: whoever optimises the table sorts it so; a folder a day would be
    hundreds of small files a batch.
    """
    for name, columns in COLUMNS.items():
        if warehouse.exists(name):
            continue
        _sweep(warehouse.table(name) / "_delta_log")
        table = DeltaTable.createIfNotExists(spark).location(str(warehouse.table(name)))
        for column, kind, comment in columns:
            table = table.addColumn(column, kind, comment=comment)
        (table.clusterBy("signal_date") if name == READINGS else table).execute()


def _sweep(log: Path) -> None:
    """Remove a log without a commit, which a driver that was killed while it made the table has left behind.

    Delta 4.4 takes the folder alone for a table and then does not find one (DELTA_TABLE_NOT_FOUND), for ever.
    """
    if not any(file.name[0].isdigit() for file in log.rglob("*") if file.is_file()):
        rmtree(log, ignore_errors=True)


def read_table(spark: SparkSession, path: Path, version: int | None = None) -> DataFrame:
    """A table, at `version` or the newest."""
    reader = spark.read.format("delta")
    return (reader if version is None else reader.option("versionAsOf", version)).load(str(path))


def append(rows: DataFrame, warehouse: Warehouse, name: str, commit: BatchCommit) -> Commit[BatchCommit]:
    """Commit the batch's rows to the table, also when there are none.

    Raises:
        ForeignCommit: another try committed this batch; Delta then skipped the write in silence.
    """
    table = warehouse.table(name)
    due = (open_table(table).version() + 1) % COMPACT_EVERY == 0
    rows.sparkSession.conf.set(f"{AUTO_COMPACT}.enabled", str(due).lower())
    rows.sparkSession.conf.set(f"{AUTO_COMPACT}.minNumFiles", "2")
    (
        rows.select(*(column for column, _, _ in COLUMNS[name]))
        .write.format("delta")
        .mode("append")
        .option("txnAppId", application_id(warehouse.stream))
        .option("txnVersion", commit.batch)
        .option("userMetadata", commit.model_dump_json())
        .save(str(table))
    )
    return require_own(table, commit.batch, commit.try_id)


def vacuum(spark: SparkSession, warehouse: Warehouse) -> None:
    """Remove files that no version of the last week needs: compacted ones, those that killed drivers left."""
    for name in COLUMNS:
        DeltaTable.forPath(spark, str(warehouse.table(name))).vacuum()
