"""One batch from records to rows: the same function lands new batches and finishes open ones.

The order is the promise: `readings` (the commit point), `quarantine`, the batch's row in `batches`. What the
first holds is landed for good; `quarantine` is the rest of the batch's ranges, whoever works it out and when.
"""

from datetime import UTC, datetime
from math import ceil

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.crash_points import crash_point
from headrace.parse.reasons import Reason
from headrace.tables.attempt import Attempt
from headrace.tables.batches import Batch, append_batch
from headrace.tables.commits import BatchCommit, Commit, batch_commit, newest_batch, require_own
from headrace.tables.names import QUARANTINE, READINGS
from headrace_spark.parse import bytes_where, is_reading
from headrace_spark.repeats import (
    BatchSummary,
    any_repeats,
    may_repeat,
    near,
    repeats,
    summarize,
    with_own_reasons,
    with_reasons,
    without,
)
from headrace_spark.tables import append, read_table

ROWS_A_FILE = 250_000


def land_batch(attempt: Attempt, parsed: DataFrame, commit: BatchCommit) -> Batch:
    """Bring the batch `commit` into the tables and close it; what is committed already stays as it is.

    `parsed`: what `parse` makes of the records of the commit's ranges. The caller holds the stream's lock.

    Raises:
        ForeignCommit: another attempt committed the batch meanwhile.
        PositionBroken: the batch does not begin where the last one ended.
    """
    started = datetime.now(UTC)
    crash_point("land.before_write")
    # Counted, searched for repeats and written from memory. Readings are kept without their bytes, which are
    # needed only when a reading is refused after all, and are then read again.
    kept = bytes_where(parsed, ~is_reading()).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        summary = summarize(kept, attempt.contract)
        landed = _land_readings(attempt, kept, summary, commit, started)
        crash_point("land.after_readings")
        rest = _rest(attempt, parsed, kept, summary, landed)
        quarantined = _quarantine(attempt, rest, commit, summary.records - landed.rows)
        crash_point("land.after_quarantine")
    finally:
        kept.unpersist()
    row = Batch(
        batch=commit.batch,
        kind="batch",
        topic_id=commit.topic_id,
        ranges=commit.ranges,
        records=summary.records,
        landed=landed.rows,
        quarantined=quarantined,
        run_id=attempt.run_id,
        try_id=attempt.try_id,
        contract_sha256=commit.contract_sha256,
        started=started,
        finished=datetime.now(UTC),
    )
    append_batch(attempt.warehouse, row)
    return row


def _land_readings(
    attempt: Attempt, kept: DataFrame, summary: BatchSummary, commit: BatchCommit, now: datetime
) -> Commit[BatchCommit]:
    table = attempt.warehouse.table(READINGS)
    if newest_batch(table, attempt.warehouse.stream) >= commit.batch:
        return require_own(table, commit.batch, commit.try_id)  # an open batch, or a rival's
    good = kept.where(is_reading())
    if summary.candidates:
        candidates = kept.where(may_repeat(attempt.contract))
        known = near(read_table(kept.sparkSession, table), attempt.contract, summary)
        if any_repeats(candidates, known):  # a join of wide rows, rarely needed
            good = without(good, repeats(candidates, known))
    create_ts = F.timestamp_micros(F.lit(int(now.timestamp() * 1_000_000)))
    rows = good.withColumns(
        {
            "signal_date": F.to_date("signal_ts"),
            "create_ts": create_ts,
            "create_date": F.to_date(create_ts),
            "provenance": _with_batch(commit.batch),
        }
    )
    return append(_few_files(rows, summary.records), attempt.warehouse, READINGS, commit)


def _rest(
    attempt: Attempt, parsed: DataFrame, kept: DataFrame, summary: BatchSummary, landed: Commit[BatchCommit]
) -> DataFrame:
    """The batch's records that `readings` does not hold, with their reasons."""
    own = landed.metadata.try_id == attempt.try_id  # a dead attempt may have parsed under another contract
    if own and landed.rows == summary.readings:
        return with_own_reasons(kept.where(~is_reading()))
    readings = read_table(parsed.sparkSession, attempt.warehouse.table(READINGS))
    landed_now = readings.where(F.col("provenance.batch") == landed.metadata.batch)
    refused = without(parsed, landed_now.select("provenance.partition", "provenance.offset"))
    rows = with_reasons(refused, near(readings, attempt.contract, summary))
    return bytes_where(rows, F.col("reason") != Reason.DUPLICATE.value)


def _quarantine(attempt: Attempt, rest: DataFrame, commit: BatchCommit, count: int) -> int:
    """Put the `count` records of `rest` into `quarantine`, unless a dead attempt did so."""
    table = attempt.warehouse.table(QUARANTINE)
    if newest_batch(table, attempt.warehouse.stream) >= commit.batch:
        return batch_commit(table, commit.batch).rows
    if not count:
        return 0
    rows = rest.withColumn("provenance", _with_batch(commit.batch))
    own = attempt.batch_commit(commit.batch, commit.topic_id, commit.ranges)
    return append(_few_files(rows, count), attempt.warehouse, QUARANTINE, own).rows


def _few_files(rows: DataFrame, count: int) -> DataFrame:
    return rows.coalesce(max(1, ceil(count / ROWS_A_FILE)))


def _with_batch(batch: int) -> Column:
    return F.col("provenance").withField("batch", F.lit(batch).cast("bigint"))
