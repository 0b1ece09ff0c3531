"""The position follows from `batches`, and nothing gets past a hole or an overlap."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from headrace.batches import (
    Batch,
    append_batch,
    newest_closing,
    next_batch,
    open_batch,
    position,
    read_batches,
)
from headrace.errors import PositionBroken
from headrace.offsets import OffsetRange
from headrace.warehouse import Warehouse


def a_batch(number: int, *ranges: tuple[int, int, int], topic_id: str = "t") -> Batch:
    records = sum(until - start for _, start, until in ranges)
    return Batch(
        batch=number,
        kind="batch",
        topic_id=topic_id,
        ranges=tuple(OffsetRange(partition=p, start=s, until=u) for p, s, u in ranges),
        records=records,
        landed=records,
        quarantined=0,
        run_id="run",
        try_id=f"try{number}",
        contract_sha256="c",
        started=datetime(2018, 1, 1, tzinfo=UTC),
        finished=datetime(2018, 1, 1, 0, 1, tzinfo=UTC),
    )


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path / "a warehouse", "mill")
    made.prepare()
    return made


def test_an_empty_warehouse_stands_at_the_beginning(warehouse: Warehouse) -> None:
    assert (position(warehouse, "t"), next_batch(warehouse), open_batch(warehouse)) == ({}, 0, None)


def test_what_is_appended_is_read_back(warehouse: Warehouse) -> None:
    rows = [a_batch(0, (0, 0, 10), (1, 0, 5)), a_batch(1, (0, 10, 12)), a_batch(2, (2, 0, 1))]
    for row in rows:
        append_batch(warehouse, row)
    assert read_batches(warehouse) == rows
    assert position(warehouse, "t") == {0: 12, 1: 5, 2: 1}
    assert next_batch(warehouse) == 3


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (a_batch(1, (0, 11, 12)), r"batch 1: 0:\[11, 12\) does not begin at 10"),
        (a_batch(1, (0, 9, 12)), r"does not begin at 10"),
        (a_batch(0, (0, 10, 12)), "batch 0 is closed already"),
    ],
    ids=["a hole", "an overlap", "the same number"],
)
def test_a_batch_that_does_not_fit_is_refused(warehouse: Warehouse, row: Batch, message: str) -> None:
    append_batch(warehouse, a_batch(0, (0, 0, 10)))
    with pytest.raises(PositionBroken, match=message):
        append_batch(warehouse, row)
    assert len(read_batches(warehouse)) == 1


def test_another_topic_has_a_position_of_its_own(warehouse: Warehouse) -> None:
    append_batch(warehouse, a_batch(0, (0, 0, 10)))
    append_batch(warehouse, a_batch(1, (0, 0, 3), topic_id="again"))
    assert position(warehouse, "t") == {0: 10}
    assert position(warehouse, "again") == {0: 3}
    newest = newest_closing(warehouse)
    assert newest is not None
    assert (newest.batch, newest.topic_id) == (1, "again")
