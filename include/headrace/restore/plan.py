"""What a restoration would do: to which batch, each table from which version to which, and what it undoes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable

from headrace.errors import TablesApart, WarehouseError
from headrace.offsets import OffsetRange, Ranges, between, text
from headrace.restore.moments import NOTHING, moments_of
from headrace.tables.batches import Batch, position_after, require_together
from headrace.tables.commits import BatchCommit, commits, newest_version, open_table
from headrace.tables.names import BATCHES, LANDED, QUARANTINE, READINGS
from headrace.tables.put_back import GAINING, undone_version
from headrace.tables.reading import dataset, read_rows
from headrace.tables.warehouse import Warehouse

ORDER = (QUARANTINE, READINGS, BATCHES)
"""`batches` last: until then a killed restoration leaves tables that landing refuses, and is run again."""


@dataclass(frozen=True)
class Step:
    """A table that goes back, from a version to what it was at another, where it ended with `batch`."""

    table: str
    now: int
    version: int
    batch: int
    rows_now: int
    rows: int

    def __str__(self) -> str:
        return f"{self.table}: {self.rows_now:,} rows become {self.rows:,}, as of version {self.version}"


@dataclass(frozen=True)
class Plan:
    """The restoration of a stream's tables to the end of `batch`; `undone`: offsets by topic id.

    `regained`: tables that only ever gain, brought back to the newest that they have had.
    """

    batch: int
    closed: Batch | None
    newest: dict[str, int]
    steps: tuple[Step, ...]
    undone: dict[str, Ranges]
    regained: tuple[Step, ...] = ()

    def lines(self) -> Iterator[str]:
        """What it is, for a person."""
        yield from map(str, self.regained)
        if not self.steps:
            return
        come = ", ".join(f"{name} to {at}" for name, at in self.newest.items())
        yield f"newest batch that can be had, table by table: {come}"
        when = f", closed at {self.closed.finished:%Y-%m-%d %H:%M:%S %Z}" if self.closed else ""
        yield (
            f"all tables are brought to the end of batch {self.batch}{when}"
            if self.closed
            else ("no batch is in all tables: they are brought to before the first")
        )
        yield from map(str, self.steps)
        for ranges in self.undone.values():
            yield f"undone, for the next run to land again: {text(ranges)}, {sum(map(len, ranges)):,} offsets"


class Moments:
    """The tables of a stream by what their logs say of each batch."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.of = {
            name: moments_of(warehouse.table(name), warehouse.stream) if warehouse.exists(name) else {}
            for name in (BATCHES, *LANDED)
        }

    @property
    def newest(self) -> dict[str, int]:
        """The newest batch that each table can have."""
        return {name: max(moments, default=NOTHING) for name, moments in self.of.items()}

    @cached_property
    def rows(self) -> list[Batch]:
        """`batches` at its newest moment, in order."""
        moments = self.of[BATCHES]
        if not moments:
            return []
        table = open_table(self.warehouse.table(BATCHES))
        table.load_as_version(moments[max(moments)])
        return sorted((Batch.model_validate(row) for row in read_rows(table)), key=lambda row: row.batch)

    @property
    def common(self) -> list[int]:
        """The batches that all tables can end with, the newest last."""
        lacking = [
            row.batch
            for row in self.rows
            for name in LANDED
            if self._is_in(row, name) and row.batch > self.newest[name]
        ]
        first = min(lacking, default=None)
        return sorted(batch for batch in self.of[BATCHES] if first is None or batch < first)

    def expected(self, table: str, batch: int) -> int:
        """The batch that the table itself ends with when the stream ends with `batch`."""
        own = (row.batch for row in self.rows if row.batch <= batch and self._is_in(row, table))
        return batch if table == BATCHES else max(own, default=NOTHING)

    @staticmethod
    def _is_in(row: Batch, table: str) -> bool:
        return row.kind == "batch" and (table == READINGS or row.quarantined > 0)

    def undone(self, batch: int) -> dict[str, Ranges]:
        """The offsets that are landed beyond `batch`, as `batches` or the commits of `readings` name them."""
        ends: dict[str, dict[int, int]] = {}
        for topic_id, ranges in self._beyond(batch):
            for each in ranges:
                own = ends.setdefault(topic_id, {})
                own[each.partition] = max(own.get(each.partition, 0), each.until)
        before = [row for row in self.rows if row.batch <= batch]
        begun = {topic_id: position_after(self.warehouse, before, topic_id) for topic_id in ends}
        found = {topic_id: between(begun[topic_id], until) for topic_id, until in ends.items()}
        return {topic_id: ranges for topic_id, ranges in found.items() if ranges}

    def _beyond(self, batch: int) -> Iterator[tuple[str, tuple[OffsetRange, ...]]]:
        for row in self.rows:
            if row.batch > batch:
                yield row.topic_id, row.ranges
        if self.of[READINGS]:
            for commit in commits(open_table(self.warehouse.table(READINGS)), BatchCommit):
                if batch < commit.metadata.batch in self.of[READINGS]:
                    yield commit.metadata.topic_id, commit.metadata.ranges


def make_plan(warehouse: Warehouse, to: int | datetime | None = None) -> Plan | None:
    """How the tables come to the newest batch that all have, or to an earlier one; None: they are there.

    `to`: a batch's number, or a time by which it was closed.

    Raises:
        WarehouseError: there is no such moment, or a file that it needs is no longer on the disk.
    """
    moments = Moments(warehouse)
    batch, regained = _wanted(moments, to), tuple(_regained(warehouse))
    steps: tuple[Step, ...] = ()
    if to is not None or not _is_sound(moments):
        needed = (_step(moments, name, moments.expected(name, batch)) for name in ORDER)
        steps = tuple(step for step in needed if step is not None)
    if not steps and not regained:
        return None
    closed = next((row for row in moments.rows if row.batch == batch), None)
    return Plan(batch, closed, moments.newest, steps, moments.undone(batch) if steps else {}, regained)


def _regained(warehouse: Warehouse) -> Iterator[Step]:
    for name in filter(warehouse.exists, GAINING):
        path = warehouse.table(name)
        version = undone_version(open_table(path))
        if version is not None:
            yield _to_version(path, version, NOTHING)


def _wanted(moments: Moments, to: int | datetime | None) -> int:
    common = moments.common
    if isinstance(to, datetime):
        by_then = {row.batch for row in moments.rows if row.finished <= to}
        common, asked = [each for each in common if each in by_then], f"closed by {to}"
    elif to is not None:
        common, asked = [each for each in common if each == to], f"{to}"
    if not common and to is not None:
        raise WarehouseError(
            f"stream {moments.warehouse.stream}: not all tables can be brought to a batch {asked}; the "
            f"newest that they have is {max(moments.common, default=NOTHING)}"
        )
    return max(common, default=NOTHING)


def _is_sound(moments: Moments) -> bool:
    """Whether the tables are of one moment, and each is as landing has left it."""
    try:
        require_together(moments.warehouse)
    except TablesApart:
        return False
    newest = moments.newest
    return newest[READINGS] <= newest[BATCHES] + 1 and all(
        moments.of[name].get(newest[name]) == open_table(moments.warehouse.table(name)).version()
        for name in ORDER
    )


def _step(moments: Moments, name: str, batch: int) -> Step | None:
    path = moments.warehouse.table(name)
    version = moments.of[name].get(batch)
    if not moments.warehouse.exists(name) and batch == NOTHING:
        return None  # landing makes it
    if version is None:
        raise WarehouseError(
            f"{path}: the table's log no longer says at which version it ended with batch {batch}; restore a "
            "copy of it from a backup, or choose a later batch with --to"
        )
    return None if newest_version(path) == version else _to_version(path, version, batch)


def _to_version(path: Path, version: int, batch: int) -> Step:
    now, then = open_table(path), open_table(path)
    then.load_as_version(version)
    _require_files(path, then)
    return Step(path.name, now.version(), version, batch, _rows(path, now), _rows(path, then))


def _require_files(path: Path, table: DeltaTable) -> None:
    names = map(unquote, pa.table(table.get_add_actions())["path"].to_pylist())
    gone = [name for name in names if not (path / name).exists()]
    if gone:
        raise WarehouseError(
            f"{path}: version {table.version()} needs {len(gone)} files that are no longer on the disk "
            f"({gone[0]} …): a week after a file was replaced it is removed. Restore them from a backup, or "
            "choose another batch with --to"
        )


def _rows(path: Path, table: DeltaTable) -> int:
    return int(dataset(path, table).count_rows())
