"""A stream's warehouse without any table."""

from pathlib import Path

import pytest

from headrace.tables.warehouse import Warehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """Its folder is made; a path may hold a blank."""
    made = Warehouse(tmp_path / "a warehouse", "mill")
    made.prepare()
    return made
