"""One batch from records to rows: the same function lands new batches, finishes open ones and replays.

The order is the promise: `readings` (the commit point), `quarantine`, the batch's row in `batches`. What the
first holds is landed for good; `quarantine` is the rest of the batch's ranges, whoever works it out and when.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.batches import Batch, append_batch
from headrace.commits import BatchCommit, Commit, batch_commit, newest_batch, require_own
from headrace.contract import Contract
from headrace.crash import crash_point
from headrace.offsets import Ranges
from headrace.reasons import Reason
from headrace.warehouse import Warehouse
from headrace_spark.parse import bytes_where, is_reading
from headrace_spark.repeats import (
    Overview,
    any_repeats,
    look_over,
    may_repeat,
    near,
    repeats,
    with_own_reasons,
    with_reasons,
    without,
)
from headrace_spark.tables import QUARANTINE, READINGS, append, read_table

ROWS_A_FILE = 250_000


@dataclass(frozen=True)
class Try:
    """What all batches of one process have in common; its id tells its commits from those of others."""

    spark: SparkSession
    contract: Contract
    warehouse: Warehouse
    run_id: str
    try_id: str

    def commit_of(self, batch: int, topic_id: str, ranges: Ranges) -> BatchCommit:
        """The metadata of a new batch of this try."""
        return BatchCommit(
            batch=batch,
            run_id=self.run_id,
            try_id=self.try_id,
            topic_id=topic_id,
            ranges=ranges,
            contract_sha256=self.contract.sha256,
        )


def land_batch(this: Try, parsed: DataFrame, commit: BatchCommit) -> Batch:
    """Bring the batch `commit` into the tables and close it; what is committed already stays as it is.

    `parsed`: what `parse` makes of the records of the commit's ranges. The caller holds the stream's lock.

    Raises:
        ForeignCommit: another try committed the batch meanwhile.
        PositionBroken: the batch does not begin where the last one ended.
    """
    started = datetime.now(UTC)
    crash_point("land.before_write")
    # Counted, looked through for repeats and written from memory. Of readings without their bytes, which are
    # asked for only when a reading is refused after all; then they are read again.
    kept = bytes_where(parsed, ~is_reading()).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        seen = look_over(kept, this.contract)
        landed = _land_readings(this, kept, seen, commit, started)
        crash_point("land.after_readings")
        rest = _rest(this, parsed, kept, seen, landed)
        quarantined = _quarantine(this, rest, commit, seen.records - landed.rows)
        crash_point("land.after_quarantine")
    finally:
        kept.unpersist()
    row = Batch(
        batch=commit.batch,
        kind="batch",
        topic_id=commit.topic_id,
        ranges=commit.ranges,
        records=seen.records,
        landed=landed.rows,
        quarantined=quarantined,
        run_id=this.run_id,
        try_id=this.try_id,
        contract_sha256=commit.contract_sha256,
        started=started,
        finished=datetime.now(UTC),
    )
    append_batch(this.warehouse, row)
    return row


def _land_readings(
    this: Try, kept: DataFrame, seen: Overview, commit: BatchCommit, now: datetime
) -> Commit[BatchCommit]:
    table = this.warehouse.table(READINGS)
    if newest_batch(table, this.warehouse.stream) >= commit.batch:
        return require_own(table, commit.batch, commit.try_id)  # an open batch, or a rival's
    good = kept.where(is_reading())
    if seen.candidates:
        candidates = kept.where(may_repeat(this.contract))
        landed = near(read_table(this.spark, table), this.contract, seen)
        if any_repeats(candidates, landed):  # a join of wide rows, once in a long while
            good = without(good, repeats(candidates, landed))
    create_ts = F.timestamp_micros(F.lit(int(now.timestamp() * 1_000_000)))
    rows = good.withColumns(
        {
            "signal_date": F.to_date("signal_ts"),
            "create_ts": create_ts,
            "create_date": F.to_date(create_ts),
            "provenance": _with_batch(commit.batch),
        }
    )
    return append(_few_files(rows, seen.records), this.warehouse, READINGS, commit)


def _rest(
    this: Try, parsed: DataFrame, kept: DataFrame, seen: Overview, landed: Commit[BatchCommit]
) -> DataFrame:
    """The batch's records that `readings` does not hold, with their reasons."""
    own = landed.metadata.try_id == this.try_id  # a dead try may have parsed under another contract
    if own and landed.rows == seen.readings:
        return with_own_reasons(kept.where(~is_reading()))
    readings = read_table(this.spark, this.warehouse.table(READINGS))
    landed_now = readings.where(F.col("provenance.batch") == landed.metadata.batch)
    refused = without(parsed, landed_now.select("provenance.partition", "provenance.offset"))
    rows = with_reasons(refused, near(readings, this.contract, seen))
    return bytes_where(rows, F.col("reason") != Reason.DUPLICATE.value)


def _quarantine(this: Try, rest: DataFrame, commit: BatchCommit, count: int) -> int:
    """Put the `count` records of `rest` into `quarantine`, unless a dead try did so."""
    table = this.warehouse.table(QUARANTINE)
    if newest_batch(table, this.warehouse.stream) >= commit.batch:
        return batch_commit(table, commit.batch).rows
    if not count:
        return 0
    rows = rest.withColumn("provenance", _with_batch(commit.batch))
    own = this.commit_of(commit.batch, commit.topic_id, commit.ranges)
    return append(_few_files(rows, count), this.warehouse, QUARANTINE, own).rows


def _few_files(rows: DataFrame, count: int) -> DataFrame:
    return rows.coalesce(max(1, ceil(count / ROWS_A_FILE)))


def _with_batch(batch: int) -> Column:
    return F.col("provenance").withField("batch", F.lit(batch).cast("bigint"))
