"""The stage `land`: from the position in the tables to the end of the run's slice, batch by batch.

An engine brings a batch's records to the parser and stages its rows: Spark on executors, or this process over
a plain consumer. All else is the same for both, and each finishes what the other left open.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from headrace.crash_points import crash_point
from headrace.errors import TransientError
from headrace.identities.index import catch_up
from headrace.kafka.topics import log_end, log_start, require_topic_id
from headrace.land.authors import authors_of
from headrace.land.bounds import Bound, settle_beginning
from headrace.land.conclusion import conclude
from headrace.land.narrowing import land_narrowly
from headrace.land.progress import Tell, progress_after, tell_nobody
from headrace.land.records import read_again, read_records
from headrace.land.retention import readable, settle_retention, settle_topic
from headrace.land.skipping import next_skipped, skip_over
from headrace.land.truncation import settle_cut_off
from headrace.land.unfinished import Unfinished, left_behind, noted
from headrace.land.worker import land_in_worker
from headrace.offsets import Position, Ranges, between, reached, subtract, text, within
from headrace.parse.parser import Parser
from headrace.parse.schemas import Schemas
from headrace.staging.committer import commit_batch
from headrace.staging.landed_readings import not_landed, places_of
from headrace.staging.refused_before import mark_refused_before
from headrace.staging.restaging import Originals, all_refused, without_repeats
from headrace.staging.staged import Staged
from headrace.staging.staging import Staging, stage
from headrace.tables.attempt import Attempt
from headrace.tables.batches import (
    Batch,
    append_batch,
    begin_batch,
    landed_position,
    open_batch,
    require_together,
)
from headrace.tables.commits import BatchCommit, batch_commit, newest_batch
from headrace.tables.compaction import compact
from headrace.tables.creation import create_tables, identities_by_instant
from headrace.tables.evolution import fit_columns
from headrace.tables.losses import rewinds
from headrace.tables.names import QUARANTINE, READINGS
from headrace.tables.put_back import require_none_put_back
from headrace.tables.slices import Slice
from headrace.task_log import say

StageRows = Callable[[Staging], Staged]
"""Parses a batch's records and writes their rows, where the staging says."""


@dataclass(frozen=True)
class Landing:
    """One process's landing of one slice; `kafka` is librdkafka's configuration.

    `skip`: offsets that a person gives up. `begin`: where the first landing of an external topic begins.
    `records_per_batch`: instead of the contract's. `tell`: takes the progress after each batch. `before`: the
    batch that an earlier process ended in. `schemas`: those that records name, where the
    contract's format has such.
    """

    attempt: Attempt
    run_slice: Slice
    kafka: dict[str, Any]
    accept_loss: bool = False
    skip: Ranges = ()
    begin: Bound | None = None
    records_per_batch: int | None = None
    tell: Tell = tell_nobody
    before: Unfinished | None = None
    schemas: Schemas | None = None

    @property
    def batch_size(self) -> int:
        """Records of one batch at most."""
        return self.records_per_batch or self.attempt.contract.landing.max_records_per_batch

    @cached_property
    def parser(self) -> Parser:
        """What makes readings of the slice's records."""
        return self._parser(self.run_slice.topic_id)

    def land_batch(self, ranges: Ranges, stage_rows: StageRows) -> Batch:
        """Bring the next batch into the tables and close it.

        Raises:
            TopicRecreated: the offsets no longer mean what they did.
            ForeignCommit: another attempt landed or committed these records meanwhile.
            PositionBroken: the batch does not begin where the last one ended.
        """
        with noted(self.attempt.warehouse, self.run_slice.topic_id, ranges, self.before):
            return self._land(ranges, stage_rows)

    def _land(self, ranges: Ranges, stage_rows: StageRows) -> Batch:
        crash_point("land.before_write")
        attempt, topic, topic_id = self.attempt, self.run_slice.topic, self.run_slice.topic_id
        require_topic_id(self.kafka, topic, topic_id)
        commit = attempt.batch_commit(begin_batch(attempt.warehouse, topic_id, ranges), topic_id, ranges)
        staging = self._staging(commit.batch)
        staged = stage_rows(staging)
        crash_point("land.after_staging")
        if staged.candidates:
            staged = without_repeats(staged, staging, catch_up(attempt.warehouse), self._originals)
        staged = mark_refused_before(staged, staging, attempt.warehouse)
        commit_batch(self._table(READINGS), attempt.warehouse.stream, commit, staged.readings)
        crash_point("land.after_readings")
        return self._close(commit, staging, staged)

    def finish(self, commit: BatchCommit, ranges: Ranges) -> Batch:
        """Finish a batch that a dead attempt left open: `quarantine` is what `readings` does not hold of it.

        `ranges`: those of its records that can still be read.
        """
        staging, staged = self._staging(commit.batch), Staged()
        if newest_batch(self._table(QUARANTINE), self.attempt.warehouse.stream) < commit.batch:
            records = read_records(self.kafka, self.run_slice.topic, ranges)
            parsed = self._parser(commit.topic_id).parse_all(records)
            rest = not_landed(parsed, places_of(self._table(READINGS), commit.batch))
            staged = stage(rest, staging)
            staged = all_refused(staged, staging, catch_up(self.attempt.warehouse), self._originals)
            staged = mark_refused_before(staged, staging, self.attempt.warehouse)
        return self._close(commit, staging, staged, lost=subtract(commit.ranges, ranges))

    def _close(self, commit: BatchCommit, staging: Staging, staged: Staged, lost: Ranges = ()) -> Batch:
        """What follows the commit point: `quarantine`, then the batch's row in `batches`."""
        attempt = self.attempt
        quarantined = self._quarantine(commit, staged)
        crash_point("land.after_quarantine")
        landed = batch_commit(self._table(READINGS), commit.batch).rows
        row = Batch(
            batch=commit.batch,
            kind="batch",
            topic_id=commit.topic_id,
            ranges=commit.ranges,
            records=landed + quarantined,
            landed=landed,
            quarantined=quarantined,
            run_id=attempt.run_id,
            try_id=attempt.try_id,
            contract_sha256=commit.contract_sha256,
            started=staging.landed_at,
            finished=datetime.now(UTC),
            lost=lost,
        )
        stands = append_batch(attempt.warehouse, row)
        for name, committed in ((READINGS, True), (QUARANTINE, quarantined > 0)):
            if committed:
                compact(self._table(name))
        say_batch(row)
        if row.topic_id == self.run_slice.topic_id:
            progress = progress_after(row, stands, self.run_slice)
            say(f"  {progress}")
            self.tell(progress)
        return row

    def _quarantine(self, commit: BatchCommit, staged: Staged) -> int:
        """Commit the refused records, unless a dead attempt did so; returns how many there are."""
        table, stream = self._table(QUARANTINE), self.attempt.warehouse.stream
        if staged.quarantined:
            own = self.attempt.batch_commit(commit.batch, commit.topic_id, commit.ranges)
            return commit_batch(table, stream, own, staged.quarantine).rows
        return batch_commit(table, commit.batch).rows if newest_batch(table, stream) == commit.batch else 0

    def _parser(self, topic_id: str) -> Parser:
        contract, warehouse = self.attempt.contract, self.attempt.warehouse
        times_cut_off, authors = rewinds(warehouse, topic_id), authors_of(warehouse, topic_id)
        many = contract.record.event_time.spells_an_instant_in_many_ways
        by_instant = many and identities_by_instant(warehouse)
        return Parser(contract, topic_id, times_cut_off, authors, by_instant, schemas=self.schemas)

    def _staging(self, batch: int) -> Staging:
        return Staging.of(self.attempt.contract, self.attempt.warehouse, batch, datetime.now(UTC))

    def _table(self, name: str) -> Path:
        return self.attempt.warehouse.table(name)

    @property
    def _originals(self) -> Originals:
        return partial(read_again, self.kafka, self.run_slice.topic)


Engine = Callable[[Landing, dict[int, int]], dict[int, int]]
"""Lands from a position towards the slice's end, and returns the position that it came to."""


def land(landing: Landing, engine: Engine) -> None:
    """Land what is missing of the slice, and say what it came to; the caller holds the stream's lock.

    Raises:
        TablesApart: the tables are not of one moment.
        ColumnsDiffer: the contract asks for other columns than `readings` has.
        TopicRecreated, RecordsExpired, LogCutOff: the position has lost its meaning or its records, and the
            loss is not accepted.
        TransientError: the log does not reach the slice's end yet.
        RecordsUnlandable: a record ends each process that lands it, and nobody has given it up.
        QuarantineLimitExceeded: after all is landed, too large a share of the slice was refused.
    """
    attempt, run_slice = landing.attempt, settle(landing)
    stands = landed_position(attempt.warehouse, run_slice.topic_id)
    if not reached(stands, run_slice.until):
        before = left_behind(attempt.warehouse, run_slice.topic_id, stands)
        land_around(replace(landing, run_slice=run_slice, before=before), engine, stands)
    elif run_slice.ranges:
        say(f"slice {text(run_slice.ranges)} is landed already")
    else:
        say("the topic has nothing that is not landed")
    conclude(attempt.contract, attempt.warehouse, run_slice)


def settle(landing: Landing) -> Slice:
    """What comes before landing: tables, a batch left open, what the topic has lost since; raises as `land`.

    Returns:
        The run's slice, which begins earlier where the log was cut off.
    """
    attempt, run_slice = landing.attempt, landing.run_slice
    require_together(attempt.warehouse)  # before a table that is missing is made anew
    require_none_put_back(attempt.warehouse)
    create_tables(attempt.warehouse, attempt.contract)
    fit_columns(attempt.warehouse, attempt.contract)
    require_topic_id(landing.kafka, run_slice.topic, run_slice.topic_id)
    finish_open_batch(landing)
    settle_topic(attempt, run_slice, landing.accept_loss)
    settle_retention(attempt, run_slice, log_start(landing.kafka, run_slice.topic), landing.accept_loss)
    settle_beginning(attempt, run_slice, landing.kafka, landing.begin)
    return settle_cut_off(attempt, run_slice, landing.kafka, landing.accept_loss)


def land_around(landing: Landing, engine: Engine, stands: Position) -> None:
    """Land up to the slice's end, and skip the offsets on the way that a person gives up.

    What lies before those is landed in this process: a query of Spark's would read them too.
    """
    until = landing.run_slice.until
    while not reached(stands, until):
        due = next_skipped(landing.skip, stands, until)
        limit = {
            partition: due[partition].start if partition in due else end for partition, end in until.items()
        }
        part = replace(landing, run_slice=landing.run_slice.model_copy(update={"until": limit}))
        if landing.before and (left := within(landing.before.ranges, limit)):
            before = landing.before.model_copy(update={"ranges": left})
            stands = land_narrowly(replace(part, before=before), before, stands)
        landing = replace(landing, before=None)
        if not reached(stands, limit):
            stands = (land_in_worker if due else engine)(replace(part, before=None), dict(stands))
        _require_end(part, stands)
        if due:
            stands = skip_over(part, stands, due.values())


def finish_open_batch(landing: Landing) -> None:
    """Finish the batch that a dead attempt left open, from exactly its ranges."""
    commit = open_batch(landing.attempt.warehouse)
    if commit is None:
        return
    starts = log_start(landing.kafka, landing.run_slice.topic)
    ends = log_end(landing.kafka, landing.run_slice.topic, committed=False)
    ranges = subtract(readable(commit, landing.run_slice, starts, ends, landing.accept_loss), landing.skip)
    say(f"batch {commit.batch} was left open by run {commit.run_id!r}: it is finished first")
    landing.finish(commit, ranges)


def _require_end(landing: Landing, stands: Position) -> None:
    run_slice = landing.run_slice
    if not reached(stands, run_slice.until):
        raise TransientError(
            f"stream {landing.attempt.contract.stream}: consumers see up to {text(between({}, stands))}, the "
            f"slice is {text(run_slice.ranges)}: is a transaction open? Run the task again when it has ended."
        )


def say_batch(row: Batch) -> None:
    """The batch's line in the task log."""
    seconds = max((row.finished - row.started).total_seconds(), 0.001)
    say(
        f"batch {row.batch}: {text(row.ranges)} records {row.records} landed {row.landed} "
        f"quarantined {row.quarantined}, {row.records / seconds:.0f} records/s"
        f"{f', lost {text(row.lost)}' if row.lost else ''}"
    )
