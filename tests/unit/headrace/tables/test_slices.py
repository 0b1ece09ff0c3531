"""A run's slice is fixed once, whatever the run is called."""

from pathlib import Path

import pytest

from headrace.errors import WarehouseError
from headrace.tables.slices import extend_slice, find_slice, fix_slice, new_slice
from headrace.tables.warehouse import Warehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "été 1", "mill")


def test_a_runs_first_slice_holds_for_ever(warehouse: Warehouse) -> None:
    run_id = "manual__../../<b>'; drop"
    first = fix_slice(warehouse, new_slice(run_id, "topic", "id", {0: 5}, {0: 9, 1: 4}))
    again = fix_slice(warehouse, new_slice(run_id, "topic", "id", {0: 9}, {0: 20, 1: 7}))
    assert again == first == find_slice(warehouse, run_id)
    assert (first.start, first.until) == ({0: 5, 1: 0}, {0: 9, 1: 4})
    assert find_slice(warehouse, "another") is None
    assert all(
        file.parent == warehouse.slices for file in warehouse.root.rglob("*.json") if file.stem != "_layout"
    )


def test_a_slice_is_extended_to_what_its_run_has_published_since(warehouse: Warehouse) -> None:
    first = fix_slice(warehouse, new_slice("run", "topic", "id", {0: 5}, {0: 9, 1: 4}))
    assert extend_slice(warehouse, first, {}, {0: 9, 1: 3}) == first
    longer = extend_slice(warehouse, first, {}, {0: 12, 1: 3})
    assert (longer.start, longer.until) == ({0: 5, 1: 0}, {0: 12, 1: 4})
    assert find_slice(warehouse, "run") == longer
    # a rival that knows the first slice only, and has published less or more
    assert extend_slice(warehouse, first, {}, {0: 11}) == longer
    longest = extend_slice(warehouse, first, {}, {1: 7})
    assert longest.until == {0: 12, 1: 7}
    assert find_slice(warehouse, "run") == longest
    earlier = extend_slice(warehouse, first, {0: 3, 1: 2}, {})
    assert (earlier.start, earlier.until) == ({0: 3, 1: 0}, {0: 12, 1: 7})
    assert fix_slice(warehouse, new_slice("run", "topic", "id", {}, {0: 99})) == earlier


def test_a_broken_slice_is_named(warehouse: Warehouse) -> None:
    fix_slice(warehouse, new_slice("run", "topic", "id", {}, {0: 9}))
    file = next(warehouse.slices.iterdir())
    file.write_text("{}")
    with pytest.raises(WarehouseError, match="is no slice"):
        find_slice(warehouse, "run")
