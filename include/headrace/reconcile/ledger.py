"""The table `ledger`: one row per reconciled run, balanced or not."""

from datetime import datetime
from typing import Annotated, Any

from deltalake import write_deltalake
from pydantic import BaseModel, BeforeValidator, ConfigDict, computed_field

from headrace.offsets import Ranges
from headrace.tables.active_files import active_files, last_rows_from
from headrace.tables.arrow_schema import arrow_table
from headrace.tables.commits import open_table
from headrace.tables.compaction import compact
from headrace.tables.durability import durable
from headrace.tables.names import LEDGER
from headrace.tables.reading import read_rows
from headrace.tables.warehouse import Warehouse

NEWEST = 16
"""Accounts that are read at first: that of a run which goes on is among them, in a ledger of thousands."""


class SourceAccount(BaseModel):
    """One publication: where the rows of its source are now."""

    model_config = ConfigDict(frozen=True)

    publication: str
    source: str
    rows: int
    landed: int
    quarantined: int
    accepted_loss: int
    pending: bool
    problems: tuple[str, ...] = ()


class SliceAccount(BaseModel):
    """One run's slice: what consumers see of it, and where it is now."""

    model_config = ConfigDict(frozen=True)

    ranges: Ranges
    visible: int | None
    landed: int
    quarantined: int
    problems: tuple[str, ...] = ()


class Counted(BaseModel):
    """How much of the tables was counted for this account, and how much stood sealed by an earlier one.

    `new`: records counted now; `sealed`: those that stood, up to `version` of `readings`; `sources`: how many
    sources stood, their rows counted from a spool whose bytes had the published hash. `reason`: why
    everything was counted; None where the seal held.
    """

    model_config = ConfigDict(frozen=True)

    new: int
    sealed: int
    version: int | None
    sources: int
    reason: str | None

    def __str__(self) -> str:
        stood = "1 source" if self.sources == 1 else f"{self.sources:,} sources"
        sources = f"; the rows of {stood} stood as counted before" if self.sources else ""
        if self.reason is not None:
            return f"all {self.new:,} records of the tables counted: {self.reason}{sources}"
        at = f" at version {self.version}" if self.version is not None else ""
        return f"{self.new:,} new records counted; {self.sealed:,} sealed{at}{sources}"


class Entry(BaseModel):
    """A row of the ledger; `notes`: what could not be counted as always, in words.

    `counted` is None in rows of before there were seals.
    """

    model_config = ConfigDict(frozen=True)

    run_id: str
    finished: datetime
    topic: str
    topic_id: str
    slice: SliceAccount
    sources: tuple[SourceAccount, ...]
    batch_problems: tuple[str, ...] = ()
    counted: Counted | None = None
    notes: Annotated[tuple[str, ...], BeforeValidator(lambda notes: notes or ())] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that does not add up: sources first, then the slice, then batches and files."""
        return (
            *(problem for source in self.sources for problem in source.problems),
            *self.slice.problems,
            *self.batch_problems,
        )

    @computed_field  # type: ignore[prop-decorator]  # pydantic documents the two together
    @property
    def balanced(self) -> bool:
        """Whether every record is accounted for."""
        return not self.problems

    def lines(self) -> list[str]:
        """The account in words."""
        said = [
            f"{source.source} ({source.publication}): {source.rows:,} rows = {source.landed:,} landed + "
            f"{source.quarantined:,} quarantined + {source.accepted_loss:,} accepted as lost"
            + (", not all landed yet" if source.pending else "")
            for source in self.sources
        ]
        visible = (
            "expired from the log since" if self.slice.visible is None else f"{self.slice.visible:,} visible"
        )
        account = f"{self.slice.landed:,} landed + {self.slice.quarantined:,} quarantined"
        said.append(f"this run's slice: {visible} = {account}")
        if self.counted:
            said.append(str(self.counted))
        return [*said, *self.notes]


def append_entry(warehouse: Warehouse, entry: Entry) -> None:
    """Keep the account of a run; a run that is reconciled twice has two rows."""
    warehouse.prepare()
    with durable(warehouse.table(LEDGER)):
        write_deltalake(
            str(warehouse.table(LEDGER)),
            arrow_table(Entry, [entry]),
            mode="append",
            schema_mode="merge",  # a ledger of before there were seals gets the column, and keeps its rows
        )
    compact(warehouse.table(LEDGER))


def read_ledger(warehouse: Warehouse) -> list[Entry]:
    """All accounts, oldest first."""
    if not warehouse.exists(LEDGER):
        return []
    return _entries(read_rows(open_table(warehouse.table(LEDGER))))


def _entries(rows: list[dict[str, Any]]) -> list[Entry]:
    return sorted((Entry.model_validate(row) for row in rows), key=lambda entry: entry.finished)


def newest_entries(warehouse: Warehouse, count: int = NEWEST) -> list[Entry]:
    """The newest accounts, oldest first, read without the many before them."""
    if not warehouse.exists(LEDGER):
        return []
    table = open_table(warehouse.table(LEDGER))
    since = last_rows_from(active_files(table, "finished"), count)
    where = None if since is None else f"finished >= '{since.isoformat()}'"
    return _entries(read_rows(table, where))[-count:]


def account_of(warehouse: Warehouse, run_id: str) -> Entry | None:
    """The newest account of that run; None where it has none."""
    for entries in (newest_entries, read_ledger):
        found = [entry for entry in entries(warehouse) if entry.run_id == run_id]
        if found:
            return found[-1]
    return None
