"""What a run's slice lies in is read without all that was landed before it."""

from typing import Any

import pytest

from headrace.tables import slice_batches
from headrace.tables.batches import append_batch
from headrace.tables.commits import open_table
from headrace.tables.reading import read_rows
from headrace.tables.slice_batches import batches_of
from headrace.tables.warehouse import Warehouse
from testbed.batch_rows import a_batch


def test_a_slices_batches_are_read_without_those_before_it(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        append_batch(warehouse, a_batch(number, (0, number * 10, number * 10 + 10)))
    read: list[list[Any]] = []

    def reading(*asked: Any) -> list[Any]:
        read.append(read_rows(*asked))
        return read[-1]

    monkeypatch.setattr(slice_batches, "read_rows", reading)
    assert [row.batch for row in batches_of(warehouse, "t", {0: 25}, {0: 40})] == [2, 3]
    assert sorted(row["batch"] for row in read[-1]) == [2, 3, 4]
    assert not batches_of(warehouse, "another", {0: 25}, {0: 40})
    table = open_table(warehouse.table("batches"))
    table.restore(0)  # its rows are of batch 0, and older commits say more than they hold
    append_batch(warehouse, a_batch(1, (0, 10, 12)))
    assert [row.batch for row in batches_of(warehouse, "t", {0: 0}, {0: 40})] == [0, 1]
