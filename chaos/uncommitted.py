"""Files in a table's folder that no commit names: rows that are staged, whole or half-written."""

import os
from contextlib import suppress
from pathlib import Path

from chaos.processes import Missed, Running
from testbed.waiting import awaited


def uncommitted(table: Path) -> set[str]:
    """The data files that no commit names, as far as there are any now."""
    files = _data_files(table)
    return files - {file for file in files if file in _committed(table)} if files else files


def await_uncommitted(running: Running, table: Path, skip: int = 0) -> set[str]:
    """Wait for a data file that no commit names, after `skip` others were seen.

    Raises:
        Missed: the process ended before.
    """
    seen: set[str] = set()

    def appeared() -> set[str]:
        new = uncommitted(table) - seen if _data_files(table) - seen else set()
        if len(seen) < skip:
            seen.update(new)
            return set()
        if not new and not running.alive:
            raise Missed(f"no batch was caught between its files and its commit: {running.ended()}")
        return new

    found: set[str] = awaited(appeared, every=0.001)
    return found


def _data_files(table: Path) -> set[str]:
    with suppress(FileNotFoundError):
        return {entry.name for entry in os.scandir(table) if entry.name.endswith(".parquet")}
    return set()


def _committed(table: Path) -> str:
    return "".join(file.read_text("utf-8") for file in (table / "_delta_log").glob("*.json"))
