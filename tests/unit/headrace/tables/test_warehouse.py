"""The warehouse's folder, its one writer, and the slices of runs."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.errors import StreamLocked, WarehouseError
from headrace.tables.slices import find_slice, fix_slice, new_slice
from headrace.tables.warehouse import Warehouse

HOLD = """
import sys
from pathlib import Path
from headrace.tables.warehouse import Warehouse
with Warehouse(Path(sys.argv[1]), "mill").writing():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "été 1", "mill")


def test_a_second_writer_is_refused_until_the_first_is_dead(warehouse: Warehouse) -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(warehouse.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert first.stdout is not None
    assert first.stdout.readline() == "held\n"
    with pytest.raises(StreamLocked, match=rf"stream mill: .*{first.pid}"), warehouse.writing():
        pass
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    with warehouse.writing():
        pass


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "warehouse").write_text("")
    with pytest.raises(WarehouseError, match="a file is in the way"):
        Warehouse(tmp_path / "warehouse", "mill").prepare()


def test_a_table_behind_a_file_is_not_taken_for_one_that_is_not_there_yet(warehouse: Warehouse) -> None:
    assert not warehouse.exists("batches")
    warehouse.folder.parent.mkdir(parents=True, exist_ok=True)
    warehouse.folder.write_text("")
    with pytest.raises(WarehouseError, match="a file is in the way"):
        warehouse.exists("batches")


def test_a_newer_layout_is_refused(warehouse: Warehouse) -> None:
    warehouse.prepare()
    (warehouse.folder / "_layout.json").write_text('{"layout": 99}')
    with pytest.raises(WarehouseError, match="layout 99, this version knows 1"):
        warehouse.prepare()


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


def test_a_broken_slice_is_named(warehouse: Warehouse) -> None:
    fix_slice(warehouse, new_slice("run", "topic", "id", {}, {0: 9}))
    file = next(warehouse.slices.iterdir())
    file.write_text("{}")
    with pytest.raises(WarehouseError, match="is no slice"):
        find_slice(warehouse, "run")
