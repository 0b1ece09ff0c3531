"""What a table's log says of its files: how many rows each has, and the bounds of a column in each.

Who opens a table has it, so that asking costs nothing that grows with the rows. Where the log does not say
it, rows are read: those of files without statistics, or of tables with deletion vectors.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deltalake import DeltaTable

BOUND = 32
"""Characters from which on a text's bound may be only its beginning: so many have those of our files."""

CUT_OFF = timedelta(milliseconds=1)
"""What the bound of an instant may lack: Spark writes milliseconds, and cuts both bounds off."""


@dataclass(frozen=True)
class ActiveFile:
    """A file of the table: its rows, and the bounds of one column where the log has them."""

    path: str
    rows: int
    least: Any = None
    most: Any = None
    nulls: int | None = None

    @property
    def one_value(self) -> bool:
        """Whether every row has the value `least`."""
        if self.least is None or isinstance(self.least, datetime):
            return False
        whole = not isinstance(self.least, str) or len(self.least) < BOUND
        return self.least == self.most and self.nulls == 0 and whole


def active_files(table: "DeltaTable", column: str | None = None) -> list[ActiveFile] | None:
    """The table's files, with the bounds of that column; None where the log does not know their rows."""
    if "deletionVectors" in (table.protocol().reader_features or ()):
        return None
    actions = table.get_add_actions(flatten=True)
    named = ("path", "num_records", f"min.{column}", f"max.{column}", f"null_count.{column}")
    there = set(actions.column_names)
    columns = (actions[name].to_pylist() if name in there else [None] * actions.num_rows for name in named)
    files = [ActiveFile(*values) for values in zip(*columns, strict=True)]
    return None if any(file.rows is None for file in files) else files


def count_rows(table: "DeltaTable") -> int:
    """How many rows the table has."""
    files = active_files(table)
    if files is None:
        return sum(batch.num_rows for batch in table.scan(columns=[]))
    return sum(file.rows for file in files)


def first_rows_until(files: Sequence[ActiveFile] | None, count: int) -> Any:
    """A value that the first `count` rows in the column's order do not exceed; None where none is known."""
    found = _reaching(files, count, lambda file: file.most)
    return found + CUT_OFF if isinstance(found, datetime) else found


def last_rows_from(files: Sequence[ActiveFile] | None, count: int) -> Any:
    """A value that the last `count` rows in the column's order are not below; None where none is known."""
    return _reaching(files, count, lambda file: file.least, reverse=True)


def _reaching(
    files: Sequence[ActiveFile] | None, count: int, bound: Callable[[ActiveFile], Any], reverse: bool = False
) -> Any:
    filled = [file for file in files or () if file.rows]
    if any(bound(file) is None for file in filled):
        return None
    rows = 0
    for file in sorted(filled, key=bound, reverse=reverse):
        rows += file.rows
        if rows >= count:
            return bound(file)
    return None


def file_sizes(table: "DeltaTable") -> list[int]:
    """The bytes of each of the table's files."""
    return list(table.get_add_actions()["size_bytes"].to_pylist())
