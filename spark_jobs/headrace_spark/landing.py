"""The stage `land`: from the position in the tables to the end of the run's slice, batch by batch."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession

from headrace.driver.protocol import Job
from headrace.errors import TransientError
from headrace.kafka.topics import log_start, require_topic_id
from headrace.land.retention import readable, settle_retention, settle_topic
from headrace.offsets import advance, between, clip, reached, text
from headrace.settings import load_settings
from headrace.tables.attempt import Attempt
from headrace.tables.batches import Batch, landed_position, next_batch, open_batch
from headrace.tables.slices import Slice
from headrace.task_log import say
from headrace_spark.kafka_source import batch_records, stream_records, within
from headrace_spark.land_batch import land_batch
from headrace_spark.offset_log import planned_end
from headrace_spark.parse import parse
from headrace_spark.tables import create_tables, vacuum

VACUUM_EVERY = 100
"""Batches after which the landing that passes them also removes old files."""


def land(spark: SparkSession, attempt: Attempt, job: Job, run_slice: Slice) -> None:
    """Land what is missing of the slice; the caller holds the stream's lock.

    Raises:
        TopicRecreated, RecordsExpired: the position has lost its meaning or its records, and the job does not
            accept the loss.
        TransientError: the log does not reach the slice's end yet.
    """
    create_tables(spark, attempt.warehouse)
    require_topic_id(job.kafka, run_slice.topic, run_slice.topic_id)
    finish_open_batch(spark, attempt, job, run_slice)
    settle_topic(attempt, run_slice, job.accept_loss)
    settle_retention(attempt, run_slice, log_start(job.kafka, run_slice.topic), job.accept_loss)
    stands = landed_position(attempt.warehouse, run_slice.topic_id)
    if not run_slice.ranges:
        say("the topic has nothing that is not landed")
        return
    if reached(stands, run_slice.until):
        say(f"slice {text(run_slice.ranges)} is landed already")
        return
    first = next_batch(attempt.warehouse)
    land_stream(spark, attempt, job, run_slice, stands)
    if next_batch(attempt.warehouse) // VACUUM_EVERY > first // VACUUM_EVERY:
        say("files that no version of the last week needs are removed")
        vacuum(spark, attempt.warehouse)


def finish_open_batch(spark: SparkSession, attempt: Attempt, job: Job, run_slice: Slice) -> None:
    """Finish the batch that a dead attempt left open, from exactly its ranges."""
    commit = open_batch(attempt.warehouse)
    if commit is None:
        return
    ranges = readable(commit, run_slice, log_start(job.kafka, run_slice.topic), job.accept_loss)
    say(f"batch {commit.batch} was left open by run {commit.run_id!r}: it is finished first")
    records = batch_records(spark, job.kafka, run_slice.topic, ranges)
    say_batch(land_batch(attempt, parse(records, attempt.contract, commit.topic_id), commit))


@dataclass
class _Stream:
    """The streaming query's view of the slice: what of each micro-batch is still to be landed."""

    spark: SparkSession
    attempt: Attempt
    job: Job
    run_slice: Slice
    stands: dict[int, int]
    checkpoint: str
    failure: BaseException | None = field(default=None)

    def take(self, parsed: DataFrame, batch_id: int) -> None:
        """Land one micro-batch, clipped to the slice."""
        try:
            self._land(parsed, batch_id)
        except BaseException as failed:
            self.failure = failed  # on its way through the JVM an error becomes a text
            raise

    def _land(self, parsed: DataFrame, batch_id: int) -> None:
        end = planned_end(self.spark, self.checkpoint, batch_id, self.run_slice.topic)
        ranges = between(self.stands, clip(end, self.run_slice.until))
        if not ranges:
            return
        require_topic_id(self.job.kafka, self.run_slice.topic, self.run_slice.topic_id)
        commit = self.attempt.batch_commit(
            next_batch(self.attempt.warehouse), self.run_slice.topic_id, ranges
        )
        if not reached(self.run_slice.until, end):  # else the filter's offsets are new code for every batch
            parsed = within(parsed, ranges, "provenance")
        say_batch(land_batch(self.attempt, parsed, commit))
        self.stands = advance(self.stands, ranges)

    @property
    def covered(self) -> bool:
        """Whether the slice is landed."""
        return reached(self.stands, self.run_slice.until)


def land_stream(
    spark: SparkSession, attempt: Attempt, job: Job, run_slice: Slice, stands: dict[int, int]
) -> None:
    """Land from the position `stands` to the slice's end with one streaming query of its own."""
    start = {partition: stands.get(partition, 0) for partition in run_slice.until}
    size = attempt.contract.landing.max_records_per_batch
    records = stream_records(spark, job.kafka, run_slice.topic, start, size)
    with _scratch(attempt.contract.stream) as checkpoint:
        stream = _Stream(spark, attempt, job, run_slice, start, checkpoint)
        query = (
            parse(records, attempt.contract, run_slice.topic_id)
            .writeStream.foreachBatch(stream.take)
            .option("checkpointLocation", checkpoint)
            .trigger(availableNow=True)
            .start()
        )
        try:
            # A topic that has grown past the slice would keep the query planning batches that hold nothing.
            while not query.awaitTermination(1) and not stream.covered:
                pass
        except StreamingQueryException as failed:
            raise stream.failure or failed from failed
        finally:
            query.stop()
    if not stream.covered:
        raise TransientError(
            f"stream {attempt.contract.stream}: consumers see up to {text(between({}, stream.stands))}, the "
            f"slice is {text(run_slice.ranges)}: is a transaction open? Run the task again when it has ended."
        )


@contextmanager
def _scratch(stream: str) -> Iterator[str]:
    """A checkpoint for one query; none is ever resumed, the tables know the position."""
    # One folder a stream, whose lock the caller holds: what a killed driver left behind is swept away.
    folder = load_settings().home_path / "scratch" / stream
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        yield f"file://{folder}"  # not as_uri: Hadoop would take `a%20b` for the folder's name
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def say_batch(row: Batch) -> None:
    """The batch's line in the task log."""
    seconds = max((row.finished - row.started).total_seconds(), 0.001)
    say(
        f"batch {row.batch}: {text(row.ranges)} records {row.records} landed {row.landed} "
        f"quarantined {row.quarantined}, {row.records / seconds:.0f} records/s"
    )
