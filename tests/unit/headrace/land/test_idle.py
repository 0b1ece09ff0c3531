"""When a run has nothing to land, without asking anybody but the tables."""

from pathlib import Path

import pytest

from headrace.land.idle import nothing_to_land
from headrace.tables.batches import append_batch
from headrace.tables.creation import create_tables
from headrace.tables.slices import Slice, new_slice
from headrace.tables.warehouse import Warehouse
from testbed.batch_rows import a_batch
from testbed.landed_batches import land_as_they_are
from testbed.parsed_rows import Parsed, parsed


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """Batch 0 of two records is in its tables."""
    made = Warehouse(tmp_path, "mill")
    made.prepare()
    create_tables(made)
    land_as_they_are(made, 0, parsed(Parsed(0), Parsed(1)))
    append_batch(made, a_batch(0, (0, 0, 2), topic_id="topic-1"))
    return made


def a_slice(start: int, until: int, topic_id: str = "topic-1") -> Slice:
    return new_slice("a run", "mill.readings", topic_id, {0: start, 1: 0}, {0: until, 1: 0})


def test_a_topic_without_a_record_after_the_position_is_nothing_new(warehouse: Warehouse) -> None:
    said = nothing_to_land(warehouse, a_slice(2, 2))
    assert said == "nothing new: topic mill.readings ends at 0:2 1:0, and up to there all is landed"


@pytest.mark.parametrize("run_slice", [a_slice(2, 3), a_slice(0, 2), a_slice(2, 2, "topic-2"), a_slice(2, 1)])
def test_a_landing_looks_for_itself(warehouse: Warehouse, run_slice: Slice) -> None:
    """At new records, a slice that is landed (was too much refused?), a topic made anew or cut off."""
    assert nothing_to_land(warehouse, run_slice) is None


def test_an_open_batch_is_something_to_land(warehouse: Warehouse) -> None:
    land_as_they_are(warehouse, 1, parsed(Parsed(2)))
    assert nothing_to_land(warehouse, a_slice(2, 2)) is None


def test_tables_that_are_not_there_are_to_be_made(tmp_path: Path) -> None:
    assert nothing_to_land(Warehouse(tmp_path, "mill"), a_slice(0, 0)) is None


def test_a_topic_that_never_had_a_record_is_nothing_new_once_there_are_tables(tmp_path: Path) -> None:
    made = Warehouse(tmp_path, "mill")
    made.prepare()
    create_tables(made)
    assert nothing_to_land(made, a_slice(0, 0)) is not None
