"""What a table is like to those who open it: its files, the small ones of them, the commits in its log."""

import os
from dataclasses import dataclass
from pathlib import Path

from headrace.tables.active_files import file_sizes
from headrace.tables.commits import COMMIT, open_table
from headrace.tables.compaction import small_files


@dataclass(frozen=True)
class TableCondition:
    """A table as of one version; `on_disk`: data files in its folder; `log`: its commits; sizes in bytes."""

    files: int
    small: int
    size: int
    on_disk: int
    disk_size: int
    log: int

    def cells(self) -> tuple[str, ...]:
        """It as cells of a table for people."""
        return (
            f"{self.files:,}",
            f"{self.small:,}",
            f"{self.size / 1e6:,.1f}",
            f"{self.on_disk:,}",
            f"{self.disk_size / 1e6:,.1f}",
            f"{self.log:,}",
        )


HEAD = ("files", "small", "MB", "on disk", "MB on disk", "commits in the log")
"""What the cells are."""


def condition_of(path: Path) -> TableCondition:
    """The table as it is now; from its log and the names in its folder, no row is read."""
    table = open_table(path)
    sizes = file_sizes(table)
    with os.scandir(path / "_delta_log") as entries:
        log = sum(bool(COMMIT.fullmatch(entry.name)) for entry in entries)
    found = [file.stat().st_size for file in path.rglob("*.parquet") if "_delta_log" not in file.parts]
    return TableCondition(len(sizes), small_files(table), sum(sizes), len(found), sum(found), log)
