"""Whatever writes to a table, its commit and the files of it are on the disk before anybody is told."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from headrace import files
from headrace.publish.publications import Publication, change_publications
from headrace.reconcile.ledger import Entry, SliceAccount, append_entry
from headrace.tables.batches import append_batch
from headrace.tables.commits import GoldCommit, added_files, log_file, newest_version
from headrace.tables.gold_commits import commit_gold
from headrace.tables.names import BATCHES, HOURLY_AVERAGE, LEDGER, PUBLICATIONS
from headrace.tables.warehouse import Warehouse
from testbed.batch_rows import a_batch

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def close_a_batch(warehouse: Warehouse, number: int) -> None:
    append_batch(warehouse, a_batch(number, (0, number * 10, number * 10 + 10)))


def note_a_publication(warehouse: Warehouse, number: int) -> None:
    made = Publication(
        publication=f"p{number}",
        source="mill.csv",
        sha256="0" * 64,
        rows=1,
        topic="t",
        topic_id="id",
        run_id="a run",
        state="publishing",
        started=NOON,
    )
    change_publications(warehouse, lambda rows: [*rows, made])


def keep_an_account(warehouse: Warehouse, _: int) -> None:
    own = SliceAccount(ranges=(), visible=0, landed=0, quarantined=0)
    append_entry(
        warehouse, Entry(run_id="a run", finished=NOON, topic="t", topic_id="id", slice=own, sources=())
    )


def compute_gold(warehouse: Warehouse, number: int) -> None:
    commit = GoldCommit(
        run_id="a run",
        try_id="mine",
        batch=number,
        topic_id="id",
        position={0: number},
        readings_version=number,
        analysis_sha256="0",
    )
    commit_gold(warehouse, HOURLY_AVERAGE, pa.table({"n": [number]}), commit, None)


WRITERS: dict[str, Callable[[Warehouse, int], None]] = {
    BATCHES: close_a_batch,
    PUBLICATIONS: note_a_publication,
    LEDGER: keep_an_account,
    HOURLY_AVERAGE: compute_gold,
}


@pytest.mark.parametrize("table", WRITERS)
def test_each_commit_is_on_the_disk_behind_the_files_that_it_lists(
    table: str, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced = warehouse.table(table), list[Path]()

    def noted(*paths: Path) -> None:
        synced.extend(paths)
        files.sync(*paths)

    monkeypatch.setattr("headrace.tables.durability.sync", noted)
    (path / "_delta_log").mkdir(parents=True)  # as a first commit leaves it that was torn, and removed
    for number in range(2):  # the commit that makes the table, and one to a table that is there
        synced.clear()
        WRITERS[table](warehouse, number)
        commit = log_file(path, newest_version(path))
        listed = [path / name for name, _ in added_files(commit)]
        assert listed
        assert synced == [*listed, path, commit, path / "_delta_log"]
