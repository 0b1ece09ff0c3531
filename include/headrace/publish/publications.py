"""The table `publications`: one row per published source, in its newest state."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Literal

from deltalake import write_deltalake
from deltalake.exceptions import DeltaError
from filelock import FileLock, Timeout
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from headrace.contract.source import CsvSource, OwnSource
from headrace.errors import WarehouseUnavailable
from headrace.no_pandas import spare_pandas
from headrace.offsets import position_json
from headrace.tables.arrow_schema import arrow_table
from headrace.tables.commits import open_table
from headrace.tables.compaction import compact
from headrace.tables.durability import durable
from headrace.tables.names import PUBLICATIONS
from headrace.tables.reading import read_rows
from headrace.tables.warehouse import Warehouse

LOCK_SECONDS = 60.0
"""How long a publisher waits for another one that changes the table."""

Until = Annotated[dict[int, int], BeforeValidator(lambda pairs: dict(pairs or {}))]
"""Partition -> offset; Arrow hands a map back as pairs."""

First = Annotated[int, BeforeValidator(lambda row: row or 1)]
"""The number of a row; rows of older versions lack the column."""


Flag = Annotated[bool, BeforeValidator(bool)]
"""Likewise of older versions."""

SOURCE: TypeAdapter[OwnSource] = TypeAdapter(Annotated[OwnSource, Field(discriminator="kind")])


class Publication(BaseModel):
    """A source's content as it went into a topic.

    `publishing` until the last transaction is committed, then `published`; `superseded` when a newer content
    of the same source was published (`finished` is None if it came only half-way). `until`: the topic's end
    after the last commit, empty before. `options`: what it was read with, the contract's source as JSON; rows
    of older versions have `encoding` and `delimiter` instead, or none of them. `stamp`: of a file of several,
    what it was like when it was published (`Listed.stamp`); of a query's rows, how far its cursor had come.
    Instants are UTC.

    `sha256`, `size`: of the source's bytes; `rows`: the number of its last row. Of a source that has grown
    the rows before `first` are those of `continues` and of what that continues; its copy in the spool, of the
    hash `own_sha256`, holds the header and its own rows. `proven`: its records' headers hold a proof.
    `at_least_once`: it was published by Spark, which may repeat rows.
    """

    model_config = ConfigDict(frozen=True)

    publication: str
    source: str
    sha256: str
    rows: int
    topic: str
    topic_id: str
    run_id: str
    state: Literal["publishing", "published", "superseded"]
    started: datetime
    finished: datetime | None = None
    until: Until = {}
    encoding: str | None = None
    delimiter: str | None = None
    options: str | None = None
    stamp: str | None = None
    size: int | None = None
    first: First = 1
    continues: str | None = None
    own_sha256: str | None = None
    proven: Flag = False
    at_least_once: Flag = False

    @property
    def copy_sha256(self) -> str:
        """The hash of its copy in the spool, and that copy's name."""
        return self.own_sha256 or self.sha256

    @property
    def own_rows(self) -> range:
        """The numbers of its own rows."""
        return range(self.first, self.rows + 1)

    def read_as(self, source: OwnSource) -> OwnSource:
        """How its copy in the spool is read, whatever the contract says of `source` now."""
        own = {"path": self.source, "encoding": self.encoding, "delimiter": self.delimiter}
        known = {name: value for name, value in own.items() if value is not None}
        if self.options:
            return SOURCE.validate_python(json.loads(self.options) | known)
        of_csv = source if isinstance(source, CsvSource) else CsvSource(kind="csv", path=source.path)
        return CsvSource.model_validate(of_csv.model_dump() | known)


def read_publications(warehouse: Warehouse) -> list[Publication]:
    """All publications of the stream, oldest first."""
    if not warehouse.exists(PUBLICATIONS):
        return []
    rows = read_rows(open_table(warehouse.table(PUBLICATIONS)))
    return sorted((Publication.model_validate(row) for row in rows), key=lambda row: row.started)


def change_publications(
    warehouse: Warehouse, change: Callable[[list[Publication]], list[Publication]]
) -> list[Publication]:
    """Replace the table by what `change` makes of it, in one commit; no commit if that is the same.

    The table has one row per source, so it is written whole. Publishers share it (`land` may hold the
    stream's own lock meanwhile): a lock of its own keeps one from undoing the other, and ends with the
    process.

    Raises:
        WarehouseUnavailable: it cannot be written just now.
    """
    warehouse.prepare()
    with _alone(warehouse):
        before = read_publications(warehouse)
        after = change(before)
        if after != before:
            spare_pandas()
            try:
                with durable(warehouse.table(PUBLICATIONS)):
                    write_deltalake(
                        str(warehouse.table(PUBLICATIONS)),
                        arrow_table(Publication, after),
                        mode="overwrite",
                        schema_mode="overwrite",  # tables of older versions lack columns
                    )
            except (OSError, DeltaError) as failed:
                raise WarehouseUnavailable(
                    f"{warehouse.table(PUBLICATIONS)}: cannot be written: {failed}"
                ) from failed
            compact(warehouse.table(PUBLICATIONS))
    return after


def with_begun(rows: list[Publication], publication: Publication) -> list[Publication]:
    """The rows with that publication, once."""
    return rows if any(row.publication == publication.publication for row in rows) else [*rows, publication]


def with_finished(
    rows: list[Publication], publication: Publication, until: dict[int, int]
) -> list[Publication]:
    """This publication is published; what was published of the same source before is superseded."""
    now = datetime.now(UTC)
    after = []
    for row in rows:
        if row.publication == publication.publication:
            published = {"state": "published", "finished": row.finished or now, "until": row.until or until}
            after.append(row.model_copy(update=published))
        elif row.source == publication.source:
            after.append(row.model_copy(update={"state": "superseded"}))
        else:
            after.append(row)
    return after


def ends_of(rows: list[Publication], topic_id: str) -> dict[int, int]:
    """The topic's end behind everything that was published into it: partition -> offset."""
    ends: dict[int, int] = {}
    for row in rows:
        if row.topic_id == topic_id:
            ends |= {each: max(end, ends.get(each, 0)) for each, end in row.until.items()}
    return ends


def published_position(warehouse: Warehouse) -> dict[str, int]:
    """`ends_of` the topic that was published into last, as JSON has it; nothing before the first time."""
    rows = read_publications(warehouse)
    ends = ends_of(rows, rows[-1].topic_id) if rows else {}
    return position_json(ends)


@contextmanager
def _alone(warehouse: Warehouse) -> Iterator[None]:
    lock = FileLock(warehouse.folder / "_publications.lock", timeout=LOCK_SECONDS, mode=0o600)
    try:
        lock.acquire()
    except Timeout as held:
        raise WarehouseUnavailable(
            f"{lock.lock_file}: another process has held it for {LOCK_SECONDS:.0f} seconds; "
            "wait until it ends"
        ) from held
    try:
        yield
    finally:
        lock.release()
