"""The table `batches`: one row per finished batch or accepted gap; the stream's position follows from it."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from headrace.errors import (
    ForeignCommit,
    HeadraceError,
    PositionBroken,
    TablesApart,
    WarehouseUnavailable,
)
from headrace.offsets import Position, Ranges, advance, rewind
from headrace.tables.arrow_schema import arrow_table
from headrace.tables.commits import (
    CHANGES_NO_ROW,
    BatchCommit,
    ClosingCommit,
    application_id,
    batch_commit,
    commits,
    entries,
    newest_batch,
    open_table,
)
from headrace.tables.compaction import CHECKPOINT_EVERY, compact
from headrace.tables.durability import sync_commits
from headrace.tables.names import BATCHES, QUARANTINE, READINGS
from headrace.tables.reading import read_rows
from headrace.tables.table_errors import failures, warehouse_errors
from headrace.tables.warehouse import Warehouse

FOUND_IN = {READINGS: "kind = 'batch'", QUARANTINE: "quarantined > 0"}
"""Which rows of `batches` have a commit of their batch in that table, in words of SQL."""


class Batch(BaseModel):
    """A finished batch; or what a run's parameter accepted.

    A gap: offsets that retention had eaten. A rewind: landed offsets that the broker has lost since, from
    where the log was cut off to where landing stood; it gives them out again, to other records. A restore:
    offsets of batches that `headrace restore` has undone; the batches after it land them again.

    `reason`: why there is a gap, rewind or restore, in words. `lost`: the part of a batch's ranges that the
    broker no longer had when it was finished, or a person gave up. Rows of older versions have neither.
    """

    model_config = ConfigDict(frozen=True)

    batch: int
    kind: Literal["batch", "gap", "rewind", "restore"]
    topic_id: str
    ranges: Ranges
    records: int
    landed: int
    quarantined: int
    run_id: str
    try_id: str
    contract_sha256: str
    started: datetime
    finished: datetime
    lost: Annotated[Ranges, BeforeValidator(lambda ranges: ranges or ())] = ()
    reason: Annotated[str, BeforeValidator(lambda reason: reason or "")] = ""


def read_batches(warehouse: Warehouse) -> list[Batch]:
    """All batches and gaps in their order; the table has few rows, one per batch."""
    if not warehouse.exists(BATCHES):
        return []
    return batches_in(read_rows(open_table(warehouse.table(BATCHES))))


def batches_in(rows: list[dict[str, Any]]) -> list[Batch]:
    return sorted((Batch.model_validate(row) for row in rows), key=lambda row: row.batch)


def append_batch(warehouse: Warehouse, row: Batch) -> Position:
    """Close a batch: of several processes that do, one; it needs no lock. Returns the position after it.

    Raises:
        ForeignCommit: another try closed the batch, now or before.
        PositionBroken: this try did, or the batch does not begin at the position.
        WarehouseUnavailable: it cannot be written just now.
    """
    from deltalake import CommitProperties, Transaction, write_deltalake

    path = warehouse.table(BATCHES)
    with warehouse_errors(path):
        # Opened before anything is read of it: a rival's closing from then on makes the commit fail.
        table = open_table(path) if warehouse.exists(BATCHES) else str(path)
        before = -1 if isinstance(table, str) else table.version()
        newest = newest_closing(warehouse)
        if newest and newest.batch >= row.batch:
            raise _closed_already(warehouse, row)
        stands = position_at(warehouse, row.topic_id, newest)
        reached = _after(warehouse, stands, row)
        closing = ClosingCommit(batch=row.batch, topic_id=row.topic_id, position=reached)
        try:
            write_deltalake(
                table,
                arrow_table(Batch, [row]),
                mode="append",
                schema_mode="merge",  # tables of older versions lack `lost` and `reason`
                configuration=CHECKPOINT_EVERY,
                commit_properties=CommitProperties(
                    custom_metadata={"userMetadata": closing.model_dump_json()},
                    app_transactions=[Transaction(application_id(warehouse.stream), row.batch)],
                ),
            )
        except failures() as failed:
            _require_own(warehouse, row, failed)
        sync_commits(path, before)
        compact(path)
    return reached


def _require_own(warehouse: Warehouse, row: Batch, failed: Exception) -> None:
    """Whether the row is there though its commit failed: its answer was lost.

    Raises:
        ForeignCommit: it is another try's row that is there.
        WarehouseUnavailable: none is.
    """
    found = _row_of(warehouse, row.batch)
    if found is None:
        path = warehouse.table(BATCHES)
        raise WarehouseUnavailable(f"{path}: the commit failed: {failed}") from failed
    if found.try_id != row.try_id:
        raise _closed_already(warehouse, row) from failed


def _row_of(warehouse: Warehouse, batch: int) -> Batch | None:
    return next((each for each in read_batches(warehouse) if each.batch == batch), None)


def _closed_already(warehouse: Warehouse, row: Batch) -> HeadraceError:
    found = _row_of(warehouse, row.batch)
    if found is None or found.try_id == row.try_id:
        return PositionBroken(f"stream {warehouse.stream}: batch {row.batch} is closed already")
    return ForeignCommit(
        f"stream {warehouse.stream}: batch {row.batch} was closed by try {found.try_id} of run "
        f"{found.run_id!r}, not by this one ({row.try_id}); this one stops. Run the task again: it goes on "
        "from where the tables stand."
    )


def newest_closing(warehouse: Warehouse) -> ClosingCommit | None:
    """What the newest batch has come to, from its commit; from all rows where the log does not say it."""
    if not warehouse.exists(BATCHES):
        return None
    for entry in entries(open_table(warehouse.table(BATCHES))):
        if entry.get("operation") in CHANGES_NO_ROW:
            continue
        try:
            return ClosingCommit.model_validate_json(entry.get("userMetadata") or "")
        except ValidationError:
            break  # written by an older version, or changed by hand: the rows are the truth
    rows = read_batches(warehouse)
    if not rows:
        return None
    topic_id = rows[-1].topic_id
    return ClosingCommit(
        batch=rows[-1].batch, topic_id=topic_id, position=position_after(warehouse, rows, topic_id)
    )


def closing_of(warehouse: Warehouse, batch: int) -> ClosingCommit | None:
    """What the stream had come to with that batch, by its commit or else by the rows; None: there is none."""
    newest = newest_closing(warehouse)
    if newest is None or batch > newest.batch:  # a log also has commits that were undone
        return None
    for commit in commits(open_table(warehouse.table(BATCHES)), ClosingCommit):
        if commit.metadata.batch == batch:
            return commit.metadata
    rows = [row for row in read_batches(warehouse) if row.batch <= batch]
    if not rows or rows[-1].batch != batch:
        return None
    topic_id = rows[-1].topic_id
    return ClosingCommit(batch=batch, topic_id=topic_id, position=position_after(warehouse, rows, topic_id))


def landed_position(warehouse: Warehouse, topic_id: str) -> dict[int, int]:
    """Where landing has come to in that topic: what all closed batches have covered."""
    return position_at(warehouse, topic_id, newest_closing(warehouse))


def position_at(warehouse: Warehouse, topic_id: str, newest: ClosingCommit | None) -> dict[int, int]:
    """The same as of that closing, whatever a rival has closed since."""
    if newest is None:
        return {}
    if newest.topic_id == topic_id:
        return newest.position
    rows = [row for row in read_batches(warehouse) if row.batch <= newest.batch]
    return position_after(warehouse, rows, topic_id)


def position_after(warehouse: Warehouse, rows: list[Batch], topic_id: str) -> dict[int, int]:
    """The position that the stream has come to by those rows.

    Raises:
        PositionBroken: the rows leave a hole or overlap.
    """
    reached: dict[int, int] = {}
    for row in rows:
        if row.topic_id == topic_id:
            reached = _after(warehouse, reached, row)
    return reached


def open_batch(warehouse: Warehouse) -> BatchCommit | None:
    """The batch that is in `readings` but not in `batches`; there is one at most.

    Raises:
        TablesApart: the tables are not of one moment, which no crash can leave behind.
    """
    require_together(warehouse)
    if not warehouse.exists(READINGS):
        return None
    newest = newest_batch(warehouse.table(READINGS), warehouse.stream)
    closed = next_batch(warehouse) - 1  # read second: a rival that goes on meanwhile leaves no hole then
    if newest <= closed:
        return None
    if newest != closed + 1:
        raise _apart(warehouse, f"`readings` has come to batch {newest}, `batches` only to {closed}")
    return batch_commit(warehouse.table(READINGS), newest).metadata


def require_together(warehouse: Warehouse) -> None:
    """Whether every batch that `batches` has closed is in the tables that it landed in.

    Raises:
        TablesApart: one of them has not come to it, or has been put back to before it.
    """
    newest = newest_closing(warehouse)  # first: what is closed by now is in the tables
    if newest is None:
        return
    for table, found_in in FOUND_IN.items():
        held = newest_batch(warehouse.table(table), warehouse.stream) if warehouse.exists(table) else -1
        if held >= newest.batch:
            continue
        closed = read_rows(open_table(warehouse.table(BATCHES)), f"batch > {held} AND {found_in}")
        if closed:
            missing = sorted(row["batch"] for row in closed)
            raise _apart(
                warehouse,
                f"`batches` has come to batch {newest.batch}, `{table}` only to {held}, and lacks "
                f"{'batch' if len(missing) == 1 else f'{len(missing)} batches from'} {missing[0]}"
                f"{'' if len(missing) == 1 else ' on'}",
            )


def _apart(warehouse: Warehouse, how: str) -> TablesApart:
    return TablesApart(
        f"stream {warehouse.stream}: the tables are not of one moment: {how}. Was one of them restored, or "
        "copied back, without the others? Nothing was written. Run `headrace restore "
        f"{warehouse.stream}`: it shows which moment all of them have, and brings them there."
    )


def next_batch(warehouse: Warehouse) -> int:
    """The number of the next batch; no batch may be open."""
    newest = newest_closing(warehouse)
    return newest.batch + 1 if newest else 0


def begin_batch(warehouse: Warehouse, topic_id: str, ranges: Ranges) -> int:
    """The number of the batch that lands these ranges, from the very closing that says where it begins.

    Asked for alone, the next number would be free also for ranges that a rival has landed meanwhile.

    Raises:
        ForeignCommit: a rival has.
        PositionBroken: they do not begin where the last batch ended.
    """
    newest = newest_closing(warehouse)
    stands = position_at(warehouse, topic_id, newest)
    number = newest.batch + 1 if newest else 0
    overtaken = [each for each in ranges if stands.get(each.partition, 0) > each.start]
    if overtaken:
        raise ForeignCommit(
            f"stream {warehouse.stream}: another process has landed {overtaken[0]} meanwhile, the next "
            f"batch is {number}; this one stops. Run the task again: it goes on from where the tables stand."
        )
    _advance(warehouse, stands, number, ranges)
    return number


def _after(warehouse: Warehouse, reached: dict[int, int], row: Batch) -> dict[int, int]:
    """The position after that row; what undid others stands where the batch before it ended."""
    if row.kind == "restore":
        return reached
    return _advance(warehouse, reached, row.batch, row.ranges, rewind if row.kind == "rewind" else advance)


def _advance(
    warehouse: Warehouse,
    reached: dict[int, int],
    batch: int,
    ranges: Ranges,
    move: Callable[[Position, Ranges], dict[int, int]] = advance,
) -> dict[int, int]:
    try:
        return move(reached, ranges)
    except ValueError as broken:
        raise PositionBroken(
            f"stream {warehouse.stream}: batch {batch}: {broken}; a batch must begin where the last one "
            "ended. Was a row of `batches` changed by hand? Restore it from the table's history."
        ) from broken


def newest_batches(warehouse: Warehouse, count: int) -> list[Batch]:
    """The newest batches and gaps in their order, read without the many before them."""
    newest = newest_closing(warehouse)
    if newest is None:
        return []
    table = open_table(warehouse.table(BATCHES))
    return batches_in(read_rows(table, f"batch > {newest.batch - count}"))[-count:]
