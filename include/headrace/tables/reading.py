"""How a table is read without a JVM: its rows as Python's values, or as an Arrow dataset."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headrace.tables.commits import open_table

if TYPE_CHECKING:
    from deltalake import DeltaTable
    from pyarrow.dataset import Dataset


def read_rows(table: "DeltaTable", where: str | None = None) -> list[dict[str, Any]]:
    """The rows of a small table, or those of them that a predicate of SQL is true of; a map is its pairs.

    By delta-rs' own engine: pyarrow, and the pandas that it looks for, take a second to import.
    """
    return list(table.scan(predicate=where).read_all().to_struct_array().to_pylist())


def dataset(
    path: Path, opened: "DeltaTable | None" = None, where: list[tuple[str, str, Any]] | None = None
) -> "Dataset":
    """The table, as it is now or was when it was opened; `where`: of the files that may hold such rows.

    Not through delta-rs' file system, which is written in Python: pyarrow's threads still call it when the
    interpreter ends, and one process in six was aborted ("terminate called without an active exception").
    """
    from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

    return (opened or open_table(path)).to_pyarrow_dataset(
        filesystem=SubTreeFileSystem(str(path), LocalFileSystem()), file_pruning_predicate=where
    )


def of_files(whole: "Dataset", paths: Collection[str]) -> "Dataset":
    """The same of some of its files, by the paths that the table's log has."""
    from pyarrow.dataset import FileSystemDataset

    fragments = [each for each in whole.get_fragments() if each.path in paths]
    return FileSystemDataset(fragments, whole.schema, whole.format, whole.filesystem)
