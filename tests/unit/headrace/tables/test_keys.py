"""The stream's key stands in two files, each its owner's alone, and each restores the other."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headrace.errors import WarehouseError, WarehouseUnavailable
from headrace.tables.keys import keep_key, key_file, read_key
from headrace.tables.warehouse import Warehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "warehouse", "mill")


@pytest.fixture
def spare(tmp_path: Path) -> Path:
    return tmp_path / "home" / "keys" / "mill"


def test_a_key_is_made_once_and_nobody_else_may_read_it(warehouse: Warehouse, spare: Path) -> None:
    assert read_key(warehouse) is None
    key = keep_key(warehouse, spare, may_make=True)
    assert len(key) == 32
    assert keep_key(warehouse, spare, may_make=True) == read_key(warehouse) == key
    for file in (key_file(warehouse), spare):
        assert file.stat().st_mode & 0o777 == 0o600
        assert bytes.fromhex(file.read_text()) == key
    assert spare.parent.stat().st_mode & 0o777 == 0o700
    assert list(spare.parent.iterdir()) == [spare]


@pytest.mark.parametrize("lost", ["warehouse", "home"])
def test_either_file_restores_the_other(warehouse: Warehouse, spare: Path, lost: str) -> None:
    key = keep_key(warehouse, spare, may_make=True)
    file = key_file(warehouse) if lost == "warehouse" else spare
    file.unlink()
    assert keep_key(warehouse, spare, may_make=False) == key
    assert bytes.fromhex(file.read_text()) == key


def test_a_key_that_is_lost_is_not_made_anew_by_chance(warehouse: Warehouse, spare: Path) -> None:
    with pytest.raises(WarehouseError, match=r"mill/_key: is gone.* with the parameter republish"):
        keep_key(warehouse, spare, may_make=False)


@pytest.mark.parametrize("content", ["", "00", "no key", "g" * 64])
def test_a_file_that_holds_no_key_is_named(warehouse: Warehouse, spare: Path, content: str) -> None:
    keep_key(warehouse, spare, may_make=True)
    key_file(warehouse).write_text(content)
    with pytest.raises(WarehouseError, match="mill/_key: is no key"):
        keep_key(warehouse, spare, may_make=True)


def test_a_key_that_cannot_be_read_or_written_is_named(warehouse: Warehouse, spare: Path) -> None:
    spare.parent.parent.mkdir()
    spare.parent.touch()
    with pytest.raises(WarehouseUnavailable, match=r"keys/mill: cannot be "):
        keep_key(warehouse, spare, may_make=True)


def test_of_publishers_that_make_it_at_once_all_have_the_same(warehouse: Warehouse, spare: Path) -> None:
    warehouse.prepare()
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: keep_key(warehouse, spare, may_make=True), range(32)))
    assert len(made) == 1
