"""The index of landed identities: on which day an identity may be landed, at a cost that follows what is new.

Derived from `readings` and never the truth: whoever acts on an answer reads the row first. It may say too
much (a row that was removed, another identity of the same hash), never too little. Missing, damaged or not of
this table, it is made again from the table. Another table can have one of its own kind (`Indexed`).
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from headrace.files import write_whole
from headrace.identities.hashing import identity_hashes
from headrace.identities.runs import Days, Hashes, Run, merge, write_run
from headrace.tables.commits import added_files, log_file, open_table
from headrace.tables.names import READINGS
from headrace.tables.table_errors import warehouse_errors
from headrace.tables.warehouse import Warehouse

log = logging.getLogger(__name__)

MANIFEST = "manifest.json"

PAIRS_A_RUN = 1_000_000
"""Identities that are gathered in memory, 12 MB, before they become a run."""

ORPHANED_SECONDS = 24 * 3600
"""Age at which a file that the manifest does not name is one that a killed process has left."""


Pairs = tuple[Hashes, Days]


@dataclass(frozen=True)
class Indexed:
    """What an index is of: a table, the columns that are read of it, and what makes (hash, number) pairs."""

    table: str
    folder: str
    columns: tuple[str, ...]
    pairs: Callable[[pa.RecordBatch], Pairs]


class RunEntry(BaseModel):
    """A run as the manifest names it."""

    model_config = ConfigDict(frozen=True)

    file: str
    pairs: int


class Manifest(BaseModel):
    """What the index is made of: the identities of `readings` through the commit of that version and hash."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    version: int
    commit_sha256: str
    runs: tuple[RunEntry, ...]


@dataclass(frozen=True)
class Identities:
    """The index as of one version of `readings`."""

    version: int
    runs: tuple[Run, ...]

    def find(self, hashes: pa.Array) -> tuple[NDArray[np.int64], Days]:
        """Positions in `hashes` that may be landed, with a day (since 1970) on which; nulls never are."""
        positions = np.flatnonzero(hashes.is_valid().to_numpy(zero_copy_only=False))
        wanted: Hashes = hashes.drop_null().to_numpy()
        order = np.argsort(wanted)
        found = [run.find(wanted[order]) for run in self.runs]
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int32)
        at = np.concatenate([each for each, _ in found])
        return positions[order[at]], np.concatenate([days for _, days in found])


def _landed(batch: pa.RecordBatch) -> Pairs:
    """Identities with their days."""
    identified = batch.filter(pc.is_valid(pc.struct_field(batch["provenance"], ["identity"])))
    hashes = identity_hashes(pc.struct_field(identified["provenance"], ["identity"]))
    return hashes.to_numpy(), identified["signal_date"].cast(pa.int32()).to_numpy()


LANDED = Indexed(READINGS, "_identities", ("signal_date", "provenance.identity"), _landed)


def folder_of(warehouse: Warehouse, of: Indexed = LANDED) -> Path:
    """Where the stream's index is; whoever removes it loses nothing but the time to make it again."""
    return warehouse.folder / of.folder


def catch_up(warehouse: Warehouse, of: Indexed = LANDED) -> Identities:
    """The index through the newest commit of its table; reads only the files that are new to it.

    Raises:
        WarehouseUnavailable: the table or the index's folder cannot be used just now.
    """
    path, folder = warehouse.table(of.table), folder_of(warehouse, of)
    with warehouse_errors(path):
        table = open_table(path)
        newest = table.version()
        folder.mkdir(exist_ok=True)
        try:
            runs, version = _kept(folder, path)
            if version == newest:
                return Identities(newest, runs)
            new = [file for each in range(version + 1, newest + 1) for file in _added(path, each)]
        except (OSError, ValueError) as unusable:
            log.info("%s: the index is made from the table: %s", folder, unusable)
            runs, new = (), pa.table(table.get_add_actions())["path"].to_pylist()
        return _keep(folder, path, newest, [*runs, *_new_runs(folder, path, new, of)])


def _kept(folder: Path, table: Path) -> tuple[tuple[Run, ...], int]:
    """The index as it was left, and the version of the table that it knows.

    Raises:
        OSError: a part of it is missing, or the commit that it was made through.
        ValueError: a part of it is damaged, or the table has another commit in that place.
    """
    manifest = Manifest.model_validate_json((folder / MANIFEST).read_text(encoding="utf-8"))
    if _commit_sha256(table, manifest.version) != manifest.commit_sha256:
        raise ValueError(f"version {manifest.version} is another commit than it was: was the table restored?")
    return tuple(Run.open(folder / each.file, each.pairs) for each in manifest.runs), manifest.version


def _commit_sha256(table: Path, version: int) -> str:
    return hashlib.sha256(log_file(table, version).read_bytes()).hexdigest()


def _added(table: Path, version: int) -> Iterator[str]:
    """The files whose rows that commit brought into the table."""
    return (file for file, brings_rows in added_files(log_file(table, version)) if brings_rows)


def _new_runs(folder: Path, table: Path, files: Sequence[str], of: Indexed) -> Iterator[Run]:
    """Runs of the pairs of these files of the table."""
    gathered: list[Pairs] = []
    for file in files:
        for batch in pq.ParquetFile(table / file).iter_batches(columns=list(of.columns)):
            gathered.append(of.pairs(batch))
            if sum(len(hashes) for hashes, _ in gathered) >= PAIRS_A_RUN:
                yield _run(folder, gathered)
                gathered = []
    if any(len(hashes) for hashes, _ in gathered):
        yield _run(folder, gathered)


def _run(folder: Path, gathered: Sequence[tuple[Hashes, Days]]) -> Run:
    hashes, days = zip(*gathered, strict=True)
    return write_run(folder, np.concatenate(hashes), np.concatenate(days))


def _keep(folder: Path, table: Path, version: int, runs: list[Run]) -> Identities:
    """Make these runs the index: few of them, named by a new manifest, and only then the others gone."""
    start = _merged_from(runs)
    merged = runs[start:]
    if merged:
        runs = [*runs[:start], merge(folder, merged)]
    manifest = Manifest(
        version=version,
        commit_sha256=_commit_sha256(table, version),
        runs=tuple(RunEntry(file=run.file.name, pairs=run.pairs) for run in runs),
    )
    write_whole(folder / MANIFEST, manifest.model_dump_json())
    _remove(folder, {run.file for run in merged}, {run.file for run in runs})
    return Identities(version, tuple(runs))


def _merged_from(runs: Sequence[Run]) -> int:
    """Where the runs begin that become one: each must hold more than all after it, so that they stay few.

    A pair is then rewritten no more often than the index doubles: 6 times at 20 M identities of batches of
    250,000, at 35 ns each.
    """
    behind = np.cumsum([0, *(run.pairs for run in reversed(runs))])[::-1][1:]
    small = (place for place, run in enumerate(runs) if run.pairs <= behind[place])
    return next(small, len(runs))


def _remove(folder: Path, merged: set[Path], named: set[Path]) -> None:
    """Remove what was merged, and what killed processes left; a rival's new files are young."""
    for file in folder.glob("*.run"):
        if file in merged or (file not in named and file.stat().st_mtime < time.time() - ORPHANED_SECONDS):
            file.unlink(missing_ok=True)
