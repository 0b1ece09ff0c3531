"""The newest report, and whether it still says all there is: then a run with nothing new needs no other.

What draws and writes a page takes seconds to import; this is asked before, and imports none of it.
"""

import os
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from headrace.contract.model import Contract
from headrace.errors import WarehouseError
from headrace.files import write_whole
from headrace.reconcile.ledger import Entry, SourceAccount, account_of
from headrace.tables.commits import newest_version
from headrace.tables.gold_columns import gold_tables
from headrace.tables.names import BATCHES, LANDED
from headrace.tables.warehouse import Warehouse


class Shown(BaseModel):
    """What a page shows, but for the run that it is of: another one with the same would show the same."""

    model_config = ConfigDict(frozen=True)

    contract: str
    analysis: str
    tables: dict[str, int]
    sources: tuple[SourceAccount, ...]
    balanced: bool

    @classmethod
    def now(cls, contract: Contract, warehouse: Warehouse, entry: Entry) -> "Shown":
        """What a page of the account would show now; the tables by their versions."""
        names = (*LANDED, BATCHES, *gold_tables(contract))
        return cls(
            contract=contract.sha256,
            analysis=contract.analysis_sha256,
            tables={name: newest_version(warehouse.table(name)) for name in names if warehouse.exists(name)},
            sources=entry.sources,
            balanced=entry.balanced,
        )


class Report(BaseModel):
    """A report that was written: of which run, and what it shows."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    shown: Shown


def require_account(warehouse: Warehouse, run_id: str) -> Entry:
    """The run's account.

    Raises:
        WarehouseError: the run has not been reconciled.
    """
    entry = account_of(warehouse, run_id)
    if entry is None:
        raise WarehouseError(f"run {run_id!r} is not in the ledger; clear and run `reconcile` first")
    return entry


def standing_report(contract: Contract, warehouse: Warehouse, entry: Entry) -> str | None:
    """The earlier run whose report stands for this one's, and is linked to from now on; None: write one.

    A run that landed something has a report of its own, and so has each whose task is cleared.
    """
    newest = _newest(warehouse)
    if newest is None or entry.slice.ranges or newest.run_id == entry.run_id:
        return None
    if newest.shown != Shown.now(contract, warehouse, entry):
        return None
    try:
        _link(warehouse.report(newest.run_id), warehouse.report(entry.run_id))
    except FileNotFoundError:
        return None
    return newest.run_id


def note_report(warehouse: Warehouse, entry: Entry, shown: Shown) -> None:
    """Note that the run's report, which is written, is the newest one."""
    write_whole(_note(warehouse), Report(run_id=entry.run_id, shown=shown).model_dump_json())


def _newest(warehouse: Warehouse) -> Report | None:
    try:
        return Report.model_validate_json(_note(warehouse).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError):  # none yet, or of another version: one is written anew
        return None


def _note(warehouse: Warehouse) -> Path:
    return warehouse.reports / "newest.json"


def _link(page: Path, also: Path) -> None:
    """Give the page that name, too: as a file, so that it stays when the other name is removed."""
    scratch = also.with_name(f".{also.name}.{os.getpid()}.link")
    try:
        os.link(page, scratch)
        scratch.replace(also)
    finally:
        with suppress(FileNotFoundError):  # replacing a name by another one of the same file leaves both
            scratch.unlink()
