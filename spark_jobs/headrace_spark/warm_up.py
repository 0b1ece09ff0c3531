"""What a job of Headrace does, in small and without a broker, so that the next one finds all of it warm.

Stages' own code runs on a stream of a few records in a folder of its own: classes are loaded, plans' code is
compiled, and Python, here and on the executors, has what it imports.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from math import ceil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession

from headrace.contract.loader import load_contract
from headrace.offsets import OffsetRange
from headrace.parse.parser import RECORDS, Parser
from headrace.settings import load_settings
from headrace.staging.committer import commit_batch
from headrace.staging.staging import Staging
from headrace.tables.attempt import Attempt
from headrace.tables.batches import Batch, append_batch
from headrace.tables.creation import create_tables
from headrace.tables.names import READINGS
from headrace.tables.warehouse import Warehouse
from headrace_spark.gold import analyse
from headrace_spark.kafka_source import stream_records
from headrace_spark.landing import land_by_spark  # noqa: F401  # imports what a landing imports
from headrace_spark.session import build_session
from headrace_spark.staging import OFFSETS_A_TASK, stage_on_executors

STREAM, TOPIC_ID, RECORD_COUNT = "warm_up", "warm-up", 200
CONTRACT = {
    "stream": STREAM,
    "source": {"kind": "external"},
    "topic": {"name": STREAM},
    "record": {
        "identity": ["at"],
        "event_time": {
            "field": "at",
            "format": "dd MM yyyy HH:mm",
            "timezone": "Europe/Istanbul",
            "every": "PT10M",
        },
        "signals": [
            {"name": "power", "fields": ["power"], "minimum": 0, "maximum": 5000},
            {"name": "direction", "fields": ["direction"], "circular": True},
        ],
    },
    "analysis": {"indicator": {"name": "indicator", "signal": "power", "bands": {"Low": 50, "High": None}}},
}


def warm_up(spark: SparkSession, enough: Callable[[], bool]) -> None:
    """Take the steps of a landing and an analysis until all are taken, or until it is `enough`."""
    with _folder() as folder, redirect_stdout(StringIO()):
        small = _Small(spark, folder)
        for step in (small.kafka, small.land, small.analyse):
            if enough():
                return
            step()


@contextmanager
def _folder() -> Iterator[Path]:
    scratch = load_settings().home_path / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="warm-up-", dir=scratch))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class _Small:
    """A stream of some records in a folder, and its stages."""

    spark: SparkSession
    folder: Path

    @property
    def attempt(self) -> Attempt:
        file = self.folder / f"{STREAM}.yaml"
        file.write_text(json.dumps(CONTRACT), "utf-8")
        return Attempt(load_contract(file), Warehouse(self.folder / "warehouse", STREAM), STREAM)

    def kafka(self) -> None:
        """The source, as far as it comes without a broker."""
        stream_records(self.spark, {"bootstrap.servers": "127.0.0.1:9"}, STREAM, {0: 0}, 1)

    def land(self) -> None:
        """A streaming query over files takes the place of the one over a topic."""
        attempt, now = self.attempt, datetime.now(UTC)
        build_session(attempt.contract, "warm-up")
        create_tables(attempt.warehouse)
        ranges = (OffsetRange(partition=0, start=0, until=RECORD_COUNT),)
        commit = attempt.batch_commit(0, TOPIC_ID, ranges)
        parser = Parser(attempt.contract, TOPIC_ID)
        staging = Staging.of(attempt.contract, attempt.warehouse, 0, now)

        tasks = self.spark.sparkContext.defaultParallelism

        def take(records: DataFrame, _: int) -> None:
            staged = stage_on_executors(records, parser, staging, tasks * OFFSETS_A_TASK)
            commit_batch(attempt.warehouse.table(READINGS), STREAM, commit, staged.readings)

        (self.folder / "topic").mkdir()
        rows = ceil(RECORD_COUNT / tasks)
        for task in range(tasks):  # so that each core has its Python
            pq.write_table(_records().slice(task * rows, rows), self.folder / "topic" / f"{task}.parquet")
        records = self.spark.read.parquet(f"file://{self.folder}/topic")
        stream = self.spark.readStream.schema(records.schema).parquet(f"file://{self.folder}/topic")
        query = (
            stream.writeStream.foreachBatch(take)
            .option("checkpointLocation", f"file://{self.folder}/checkpoint")
            .trigger(availableNow=True)
            .start()
        )
        query.awaitTermination()
        row = Batch(
            **commit.model_dump(),
            records=RECORD_COUNT,
            landed=RECORD_COUNT,
            quarantined=0,
            started=now,
            finished=now,
        )
        append_batch(attempt.warehouse, row)

    def analyse(self) -> None:
        """Both gold tables of it."""
        analyse(self.spark, self.attempt)


def _records() -> pa.Table:
    begin = datetime(2018, 1, 1, tzinfo=UTC)
    times = [begin + timedelta(minutes=10 * number) for number in range(RECORD_COUNT)]
    rows = [
        {
            "key": b"key",
            "value": json.dumps({"at": f"{at:%d %m %Y %H:%M}", "power": place, "direction": place}).encode(),
            "headers": [{"key": "publication", "value": STREAM.encode()}],
            "partition": 0,
            "offset": place,
            "timestamp": at,
        }
        for place, at in enumerate(times)
    ]
    return pa.Table.from_pylist(rows, RECORDS)
