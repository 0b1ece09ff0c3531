"""A stream of twenty landed rows, before its first reconcile and after it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from testbed.mill import Mill, make_mill


@pytest.fixture(scope="session")
def landed_once(tmp_path_factory: pytest.TempPathFactory) -> Mill:
    return make_mill(tmp_path_factory.mktemp("mill"))


@pytest.fixture(scope="session")
def sealed_once(landed_once: Mill, tmp_path_factory: pytest.TempPathFactory) -> Mill:
    made = _copy(landed_once, tmp_path_factory.mktemp("sealed"))
    assert made.reconcile().balanced
    return made


@pytest.fixture
def mill(landed_once: Mill, tmp_path: Path) -> Mill:
    """Landed, and never reconciled."""
    return _copy(landed_once, tmp_path)


@pytest.fixture
def sealed(sealed_once: Mill, tmp_path: Path) -> Mill:
    """The same after a run that was in balance."""
    return _copy(sealed_once, tmp_path)


def _copy(mill: Mill, folder: Path) -> Mill:
    """A copy whose files have the times of the first ones, as a seal asks for."""
    shutil.copytree(mill.folder, folder, dirs_exist_ok=True)
    return replace(mill, folder=folder)
