"""Small tables stay in few files, and a fault of compaction is nobody's loss."""

import pytest
from deltalake.table import TableOptimizer

from headrace.tables import compaction
from headrace.tables.batches import append_batch, landed_position, next_batch, read_batches
from headrace.tables.commits import open_table
from headrace.tables.compaction import EVERY
from headrace.tables.warehouse import Warehouse
from testbed.batch_rows import a_batch


def test_hundreds_of_batches_are_a_few_files_and_lose_nothing(warehouse: Warehouse) -> None:
    rows = [a_batch(number, (0, number * 10, number * 10 + 10)) for number in range(EVERY + 5)]
    for row in rows:
        append_batch(warehouse, row)
    assert len(open_table(warehouse.table("batches")).file_uris()) < 10
    assert read_batches(warehouse) == rows
    assert (landed_position(warehouse, "t"), next_batch(warehouse)) == ({0: 10 * len(rows)}, len(rows))
    assert len(list((warehouse.table("batches") / "_delta_log").glob("*.checkpoint.parquet"))) == 1


def test_a_table_that_cannot_be_compacted_is_closed_all_the_same(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compaction, "EVERY", 1)

    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(TableOptimizer, "compact", full)
    append_batch(warehouse, a_batch(0, (0, 0, 10)))
    assert "No space left on device" in caplog.text
    assert next_batch(warehouse) == 1
