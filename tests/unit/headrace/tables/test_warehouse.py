"""The warehouse's folder, its layout, and its one writer."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.errors import StreamLocked, WarehouseError
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
    with pytest.raises(WarehouseError, match="layout 99, this version knows 2"):
        warehouse.prepare()


@pytest.mark.parametrize("layout", ["1", '"1 to 2"'])
def test_an_older_layout_is_refused_with_the_command_that_migrates_it(
    warehouse: Warehouse, layout: str
) -> None:
    warehouse.prepare()
    (warehouse.folder / "_layout.json").write_text(f'{{"layout": {layout}}}')
    with pytest.raises(WarehouseError, match=r"\[HR404\].*layout 1.*run `headrace migrate mill`"):
        warehouse.prepare()
    with pytest.raises(WarehouseError, match="headrace migrate"), warehouse.writing():
        pytest.fail("it was written to")


def test_a_report_stays_in_its_folder_whatever_the_run_is_called(warehouse: Warehouse) -> None:
    for run_id in ("../../etc/passwd", "a/b", "", "x" * 10_000):
        assert warehouse.report(run_id).parent == warehouse.folder / "_reports"
