"""What a process leaves that ends in the middle of a batch, and what the next one makes of it."""

import json
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException

from headrace.errors import BrokerUnreachable
from headrace.land.narrowing import pieces
from headrace.land.unfinished import KILLED, Unfinished, count_anew, left_behind, noted
from headrace.offsets import OffsetRange
from headrace.tables.warehouse import Warehouse

RANGES = (OffsetRange(partition=0, start=5, until=15), OffsetRange(partition=1, start=0, until=3))
STANDS = {0: 5}
ONE = (OffsetRange(partition=0, start=7, until=8),)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path / "a warehouse", "mill")
    made.prepare()
    return made


def end(warehouse: Warehouse, failed: BaseException | None, before: Unfinished | None = None) -> None:
    with noted(warehouse, "t", RANGES, before):
        if failed:
            raise failed


def test_a_landed_batch_leaves_nothing(warehouse: Warehouse) -> None:
    end(warehouse, None)
    assert left_behind(warehouse, "t", STANDS) is None


@pytest.mark.parametrize(
    "failed", [BrokerUnreachable("away"), OSError(28, "disk full"), KafkaException(KafkaError(-185))]
)
def test_an_error_that_says_its_reason_leaves_nothing(warehouse: Warehouse, failed: Exception) -> None:
    """Else a full disk would be taken for a deadly record, try by try."""
    with pytest.raises(type(failed)):
        end(warehouse, failed)
    assert left_behind(warehouse, "t", STANDS) is None


def test_an_error_that_nobody_knows_leaves_the_batch_and_its_first_line(warehouse: Warehouse) -> None:
    with pytest.raises(MemoryError):
        end(warehouse, MemoryError("100 MB\nmore"))
    left = left_behind(warehouse, "t", STANDS)
    assert left
    assert (left.ranges, left.offsets, left.tries, left.cause) == (RANGES, 13, 1, "MemoryError: 100 MB")


def test_a_killed_process_leaves_the_batch(warehouse: Warehouse) -> None:
    with pytest.raises(SystemExit):
        end(warehouse, SystemExit())
    left = left_behind(warehouse, "t", STANDS)
    assert left
    assert left.cause == KILLED


def test_tries_are_counted_within_what_is_left_and_anew_elsewhere(warehouse: Warehouse) -> None:
    before = Unfinished(topic_id="t", ranges=RANGES, tries=2)
    for ranges, tries in ((ONE, 3), (RANGES, 3), ((OffsetRange(partition=0, start=14, until=16),), 1)):
        with pytest.raises(SystemExit), noted(warehouse, "t", ranges, before):
            raise SystemExit
        left = left_behind(warehouse, "t", {each.partition: each.start for each in ranges})
        assert left
        assert left.tries == tries
    count_anew(warehouse, left)
    again = left_behind(warehouse, "t", {0: 14})
    assert again
    assert again.tries == 1


@pytest.mark.parametrize(("topic_id", "stands"), [("another", STANDS), ("t", {0: 6}), ("t", {0: 5, 1: 1})])
def test_what_landing_has_gone_past_counts_no_more(
    warehouse: Warehouse, topic_id: str, stands: dict[int, int]
) -> None:
    with pytest.raises(SystemExit):
        end(warehouse, SystemExit())
    assert left_behind(warehouse, topic_id, stands) is None


@pytest.mark.parametrize("text", ["", "{", json.dumps({"topic_id": "t"}), "\udcff"])
def test_a_torn_note_is_none(warehouse: Warehouse, text: str) -> None:
    (warehouse.folder / "_landing.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert left_behind(warehouse, "t", STANDS) is None


def test_pieces_are_of_one_partition_and_cover_all() -> None:
    cut = list(pieces(RANGES, 4))
    assert [str(each) for each in cut] == ["0:[5, 9)", "0:[9, 13)", "0:[13, 15)", "1:[0, 3)"]
