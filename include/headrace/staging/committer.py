"""The one place where staged files become rows of a table: a commit that carries its batch's number."""

import time
from collections.abc import Sequence
from pathlib import Path

from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.transaction import AddAction
from pydantic import BaseModel

from headrace.errors import WarehouseError, WarehouseUnavailable
from headrace.files import sync
from headrace.staging.staged import StagedFile
from headrace.tables.commits import (
    BatchCommit,
    Commit,
    application_id,
    batch_in,
    log_file,
    newest_batch,
    open_table,
    require_own,
)
from headrace.tables.table_errors import failures, warehouse_errors

CLUSTERED = "clustering"
"""The feature of Spark's tables that delta-rs does not write."""


def commit_batch(
    path: Path, stream: str, commit: BatchCommit, files: Sequence[StagedFile]
) -> Commit[BatchCommit]:
    """Commit the batch's files, also when there are none, and read back whose commit holds the batch.

    Of several processes that commit one batch, one wins, on a disk by a link and without a lock; a commit
    that this process does not hear of is found by reading back. The commit is on the disk on return.

    Raises:
        ForeignCommit: another try committed the batch, now or before.
        WarehouseError: the table is one that this version does not write.
        WarehouseUnavailable: the batch is not in the table: a file of it is gone, or the commit failed.
    """
    with warehouse_errors(path):
        table = open_table(path)
        # delta-rs holds a batch's number against commits since the snapshot, not against the snapshot itself.
        if batch_in(table, stream) < commit.batch:
            _require_writable(table, path)
            _require_whole(path, files)
            try:
                add_files(table, commit, files, [Transaction(application_id(stream), commit.batch)])
            except failures() as failed:
                if newest_batch(path, stream) < commit.batch:
                    raise WarehouseUnavailable(f"{path}: the commit failed: {failed}") from failed
        committed = require_own(path, commit.batch, commit.try_id)
        sync(log_file(path, committed.version), path / "_delta_log")
        return committed


def _require_writable(table: DeltaTable, path: Path) -> None:
    """Refuse at once what would fail in every try: delta-rs' own refusal looks like any failed commit."""
    if CLUSTERED in (table.protocol().writer_features or ()):
        raise WarehouseError(f"{path}: the table is clustered, as layout 1 had it; run `headrace migrate`")


def _require_whole(path: Path, files: Sequence[StagedFile]) -> None:
    """A commit that lists a file which is gone loses its rows, and no reader can open the table any more."""
    for file in files:
        try:
            found = f"{(path / file.path).stat().st_size} bytes"
        except FileNotFoundError:
            found = "no file"
        if found != f"{file.size} bytes":
            raise WarehouseUnavailable(
                f"{path / file.path}: staged with {file.size} bytes, and before its commit there is {found}. "
                "Nothing was committed; the next try stages the batch anew. Does something tidy up in there?"
            )


def _add_action(file: StagedFile) -> AddAction:
    """The file as a commit lists it."""
    return AddAction(
        path=file.path,
        size=file.size,
        partition_values={},
        modification_time=int(time.time() * 1000),
        data_change=True,
        stats=file.statistics,
    )


def add_files(
    table: DeltaTable,
    metadata: BaseModel,
    files: Sequence[StagedFile],
    transactions: list[Transaction] | None = None,
) -> None:
    """Commit the files with that user metadata, and the count of their rows where Spark notes it too."""
    table.create_write_transaction(
        [_add_action(file) for file in files],
        mode="append",
        schema=table.schema(),
        commit_properties=CommitProperties(
            app_transactions=transactions,
            custom_metadata={
                "userMetadata": metadata.model_dump_json(),
                "operationMetrics": {"numOutputRows": str(sum(file.rows for file in files))},
            },
        ),
    )
