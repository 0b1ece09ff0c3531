"""What every commit of Headrace carries as Delta user metadata, and how it is read back without a JVM."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, ValidationError

from headrace.errors import CommitTorn, ForeignCommit, PositionBroken
from headrace.offsets import Ranges

if TYPE_CHECKING:
    from deltalake import DeltaTable

NEWEST = 16
"""Commits that are read at first: what is asked for is nearly always among them, in a log of thousands."""

RESTORE = "RESTORE"
"""The operation that puts a table back to an earlier version, in a log's words, delta-rs' and Spark's."""

CHANGES_NO_ROW = frozenset({"OPTIMIZE", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES"})
"""Operations of maintenance, in a log's words."""

COMMIT = re.compile(r"\d{20}\.json")
"""How the file of a commit is called in a table's log."""

TOLD = {"add": "num_added_files", "remove": "num_removed_files"}
"""Actions of a commit, and how delta-rs tells in its first line how many of them follow."""

M = TypeVar("M", bound=BaseModel)


def application_id(stream: str) -> str:
    """Delta's application id of a stream's batches (idempotent writes: `txnAppId`, `txnVersion` = batch)."""
    return f"headrace:{stream}"


class BatchCommit(BaseModel):
    """User metadata of a batch's commit to `readings` and `quarantine`."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["batch"] = "batch"
    batch: int
    run_id: str
    try_id: str
    topic_id: str
    ranges: Ranges
    contract_sha256: str


class GoldCommit(BaseModel):
    """User metadata of a commit to a gold table: what it was computed from."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["gold"] = "gold"
    run_id: str
    try_id: str
    batch: int
    topic_id: str
    position: dict[int, int]
    readings_version: int
    analysis_sha256: str


class ClosingCommit(BaseModel):
    """User metadata of a commit to `batches`: the batch that it closed, and where the stream stands since."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["closing"] = "closing"
    batch: int
    topic_id: str
    position: dict[int, int]


class RestoreCommit(BaseModel):
    """User metadata of a commit by `headrace restore`: the newest batch that is left in the table."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["restore"] = "restore"
    batch: int
    run_id: str


class MigrationCommit(BaseModel):
    """User metadata of the commit that brought the rows of all batches but the newest from an older table."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["migration"] = "migration"
    layout: int
    table_id: str
    table_version: int


class Commit(BaseModel, Generic[M]):
    """A commit as it stands in a table's log."""

    version: int
    metadata: M
    rows: int


def commits(table: "DeltaTable", model: type[M]) -> Iterator[Commit[M]]:
    """The table's commits that carry metadata of that model, newest first; others are passed over."""
    for entry in entries(table):
        if (commit := commit_of(entry, model)) is not None:
            yield commit


def newest_change(table: "DeltaTable", model: type[M]) -> Commit[M] | None:
    """The newest commit that changed rows; None where it does not carry that model: somebody else's."""
    for entry in entries(table):
        if entry.get("operation") not in CHANGES_NO_ROW:
            return commit_of(entry, model)
    return None


def commit_of(entry: dict[str, Any], model: type[M]) -> Commit[M] | None:
    """The commit, if it carries metadata of that model."""
    try:
        metadata = model.model_validate_json(entry.get("userMetadata") or "")
    except ValidationError:
        return None
    return Commit(version=entry["version"], metadata=metadata, rows=_rows(entry))


def entries(table: "DeltaTable") -> Iterator[dict[str, Any]]:
    """The commits in the table's log, newest first; the many old ones are read only when asked for."""
    read = 0
    for most in (1, NEWEST, None):
        found = table.history(most)
        yield from found[read:]
        if most is None or len(found) < most:
            return
        read = len(found)


def _rows(entry: dict[str, Any]) -> int:
    return int((entry.get("operationMetrics") or {}).get("numOutputRows", 0))


def open_table(path: Path) -> "DeltaTable":
    """The table at its newest version; needs no JVM.

    Raises:
        CommitTorn: its newest commit is not whole.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        table = DeltaTable(str(path))
    except DeltaError:
        _require_whole(max((path / "_delta_log").glob("[0-9]*.json"), default=None))
        raise
    _require_whole(log_file(path, table.version()))  # delta-rs 1.6.6 takes an empty file for a commit
    return table


def _require_whole(newest: Path | None) -> None:
    if newest is None or not newest.exists():  # what a checkpoint holds may have been tidied away
        return
    if not _is_whole(newest.read_text(encoding="utf-8", errors="replace")):
        raise CommitTorn(
            f"{newest}: the table's newest commit is cut off ({newest.stat().st_size} bytes). Was there a "
            "power cut, or a disk full? Commits that a task was told of are on the disk whole, so nobody was "
            "told of this one: remove the file, and clear the task, which does it again"
        )


def _is_whole(text: str) -> bool:
    """Whether a commit has all of its actions; delta-rs takes what is left of a torn one for the whole.

    Its first one tells: a batch has a number, which comes last, and a write says how many files it adds and
    removes.
    """
    try:
        actions: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    except json.JSONDecodeError:
        return False
    kinds = Counter(kind for action in actions for kind in action)
    told: dict[str, Any] = next((action["commitInfo"] for action in actions if "commitInfo" in action), {})
    metrics = told.get("operationMetrics") or {}
    files = all(kinds[kind] >= int(metrics.get(name, 0)) for kind, name in TOLD.items())
    try:
        BatchCommit.model_validate_json(told.get("userMetadata") or "")
    except ValidationError:
        return bool(actions) and files
    return files and kinds["txn"] > 0


def newest_version(path: Path) -> int:
    """The version of the table's newest commit, from the names in its log alone; -1 where that is empty."""
    with os.scandir(path / "_delta_log") as log:
        return max((int(entry.name[:20]) for entry in log if COMMIT.fullmatch(entry.name)), default=-1)


def log_file(path: Path, version: int) -> Path:
    """The file that is the commit of that version."""
    return path / "_delta_log" / f"{version:020}.json"


def actions(commit: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a commit does, action by action, each with its kind."""
    for line in commit.read_text(encoding="utf-8").splitlines():
        yield from json.loads(line).items()


def added_files(commit: Path) -> Iterator[tuple[str, bool]]:
    """The files that a commit adds, and whether it brings rows into the table: compaction brings none."""
    for kind, action in actions(commit):
        if kind == "add":
            yield unquote(action["path"]), bool(action["dataChange"])


def newest_batch(path: Path, stream: str) -> int:
    """The number of the newest batch in the table, -1 before the first."""
    return batch_in(open_table(path), stream)


def batch_in(table: "DeltaTable", stream: str) -> int:
    """The same of an open table.

    By its commits, newest first: Delta's own note of the newest number outlives the rows when somebody has
    restored the table to an earlier version.
    """
    seen = table.version()
    for entry in entries(table):
        if entry["version"] > seen:  # undone by a restoration
            continue
        batch = batch_of(entry)
        if batch is not None:
            return batch
        if entry.get("operation") == RESTORE:
            seen = restored_version(table, entry)
    version = table.transaction_version(application_id(stream)) if seen == table.version() else None
    return -1 if version is None else int(version)


def batch_of(entry: dict[str, Any]) -> int | None:
    """The batch that a table has come to by that commit, if it says one."""
    landed, restored = commit_of(entry, BatchCommit), commit_of(entry, RestoreCommit)
    if landed is not None:
        return landed.metadata.batch
    return None if restored is None else restored.metadata.batch


def restored_version(table: "DeltaTable", entry: dict[str, Any]) -> int:
    """The version that a restoration has gone back to; it names that or a time, in milliseconds.

    Spark notes a time as somebody wrote it: taken for the beginning, so that the table is not landed on.
    """
    asked = entry.get("operationParameters") or {}
    if asked.get("version") not in {None, "null"}:
        return int(asked["version"])
    until = str(asked.get("datetime") or asked.get("timestamp"))
    if not until.isdecimal():
        return 0
    older = (each for each in entries(table) if each["version"] < entry["version"])
    return next((each["version"] for each in older if each["timestamp"] <= int(until)), 0)


def batch_commit(path: Path, batch: int) -> Commit[BatchCommit]:
    """The commit of that batch.

    Raises:
        PositionBroken: the log no longer holds it.
    """
    for commit in commits(open_table(path), BatchCommit):
        if commit.metadata.batch == batch:
            return commit
    raise PositionBroken(
        f"{path}: no commit of batch {batch} in the table's log; was the log truncated or the table restored?"
    )


def require_own(path: Path, batch: int, try_id: str) -> Commit[BatchCommit]:
    """The commit of `batch`, which must be that of this try.

    Delta skips the second write of an application's version in silence: only reading back tells.

    Raises:
        ForeignCommit: another try committed the batch first.
    """
    commit = batch_commit(path, batch)
    if commit.metadata.try_id != try_id:
        raise ForeignCommit(
            f"{path}: batch {batch} was committed by try {commit.metadata.try_id} of run "
            f"{commit.metadata.run_id!r}, not by this one ({try_id}); this one stops. Run the task again: it "
            "goes on from where the tables stand."
        )
    return commit
