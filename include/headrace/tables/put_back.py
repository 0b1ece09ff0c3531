"""Tables that only ever gain, and that are held against no other one: whether somebody has put one back."""

from typing import TYPE_CHECKING

from headrace.errors import TablesApart
from headrace.tables.commits import CHANGES_NO_ROW, RESTORE, entries, open_table, restored_version
from headrace.tables.names import LEDGER, PUBLICATIONS
from headrace.tables.warehouse import Warehouse

if TYPE_CHECKING:
    from deltalake import DeltaTable

GAINING = (PUBLICATIONS, LEDGER)


def undone_version(table: "DeltaTable") -> int | None:
    """The newest version that a restoration has undone the rows of; None where none is in force."""
    stands: int | None = None
    for entry in entries(table):
        version = entry["version"]
        if entry.get("operation") == RESTORE:
            if stands is None or version <= stands:  # else it was itself undone
                stands = restored_version(table, entry)
        elif entry.get("operation") not in CHANGES_NO_ROW:
            return version if stands is not None and stands < version else None
    return None


def require_none_put_back(warehouse: Warehouse) -> None:
    """Whether publications and ledger are what Headrace has made of them.

    Without its newest publications a stream would publish again what its topic has, and count the rows that
    it landed of them as nobody's. A folder that was copied back says nothing of this kind.

    Raises:
        TablesApart: one of them was restored to an earlier version.
    """
    for name in filter(warehouse.exists, GAINING):
        undone = undone_version(open_table(warehouse.table(name)))
        if undone is not None:
            raise TablesApart(
                f"stream {warehouse.stream}: the table `{name}` was restored to before its version {undone}, "
                f"and lacks what has come since. Nothing was written. Run `headrace restore "
                f"{warehouse.stream}`: it brings that back."
            )
