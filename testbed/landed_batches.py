"""Batches brought into real tables as landing does it, from the parser's rows, without Spark or a broker."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa

from headrace.offsets import OffsetRange
from headrace.parse.parser import Parser
from headrace.sample.records import sample_records
from headrace.staging.committer import commit_batch
from headrace.staging.staged import Staged
from headrace.staging.staging import Staging, stage
from headrace.tables.attempt import Attempt
from headrace.tables.batches import append_batch
from headrace.tables.commits import BatchCommit
from headrace.tables.names import QUARANTINE, READINGS
from headrace.tables.warehouse import Warehouse
from testbed.arrow_records import batch as records
from testbed.batch_rows import a_batch
from testbed.parse_cases import TOPIC_ID, Sent

LANDED_AT = datetime(2026, 11, 25, 22, 30, tzinfo=UTC)


def a_commit(batch: int, try_id: str = "mine") -> BatchCommit:
    """The metadata of a batch's commit."""
    return BatchCommit(
        batch=batch,
        run_id="a run",
        try_id=try_id,
        topic_id="topic-1",
        ranges=(OffsetRange(partition=0, start=batch, until=batch + 1),),
        contract_sha256="c",
    )


def a_staging(
    warehouse: Warehouse,
    batch: int,
    zone: str = "UTC",
    by_contract: bool = True,
    may_come_twice: bool = False,
) -> Staging:
    """Where the batch's rows go."""
    return Staging(
        readings=warehouse.table(READINGS),
        quarantine=warehouse.table(QUARANTINE),
        batch=batch,
        landed_at=LANDED_AT,
        zone=zone,
        by_contract=by_contract,
        may_come_twice=may_come_twice,
    )


def commit_staged(warehouse: Warehouse, batch: int, staged: Staged) -> None:
    """Commit the files to both tables."""
    for name, files in ((READINGS, staged.readings), (QUARANTINE, staged.quarantine)):
        commit_batch(warehouse.table(name), warehouse.stream, a_commit(batch), files)


def land_as_they_are(warehouse: Warehouse, batch: int, *parsed: pa.RecordBatch) -> Staged:
    """Stage and commit a batch without looking for repeats."""
    staged = stage(parsed, a_staging(warehouse, batch))
    commit_staged(warehouse, batch, staged)
    return staged


def land_values(attempt: Attempt, batch: int, start: int, *values: bytes | None) -> None:
    """Land records of these values as the batch that begins at `start`, without looking for repeats."""
    land_sent(attempt, batch, start, [Sent(value) for value in values])


def land_sent(attempt: Attempt, batch: int, start: int, sent: Sequence[Sent]) -> None:
    """The same of whole records."""
    _close(attempt, batch, start, len(sent), commit_open(attempt, batch, start, sent))


def land_source(attempt: Attempt) -> None:
    """Land all rows of the contract's own source as batch 0, without looking for repeats."""
    source = attempt.contract.own_source
    assert source
    of = list(sample_records(attempt.contract, source.file))
    _close(attempt, 0, 0, sum(map(len, of)), _commit(attempt, 0, 0, of))


def _close(attempt: Attempt, batch: int, start: int, count: int, staged: Staged) -> None:
    ranges = (OffsetRange(partition=0, start=start, until=start + count),)
    row = a_batch(
        batch,
        *((each.partition, each.start, each.until) for each in ranges),
        topic_id=TOPIC_ID,
        landed=staged.landed,
        quarantined=staged.quarantined,
    )
    append_batch(attempt.warehouse, row)


def commit_open(attempt: Attempt, batch: int, start: int, sent: Sequence[Sent]) -> Staged:
    """The batch's rows in both tables, and the batch not closed."""
    return _commit(attempt, batch, start, [records(sent, start)])


def _commit(attempt: Attempt, batch: int, start: int, of: Sequence[pa.RecordBatch]) -> Staged:
    ranges = (OffsetRange(partition=0, start=start, until=start + sum(map(len, of))),)
    commit = attempt.batch_commit(batch, TOPIC_ID, ranges)
    parsed = map(Parser(attempt.contract, TOPIC_ID).parse, of)
    staged = stage(parsed, Staging.of(attempt.contract, attempt.warehouse, batch, LANDED_AT))
    for name, files in ((READINGS, staged.readings), (QUARANTINE, staged.quarantine)):
        commit_batch(attempt.warehouse.table(name), attempt.warehouse.stream, commit, files)
    return staged
