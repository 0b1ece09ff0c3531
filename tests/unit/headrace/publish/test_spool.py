"""The spool holds whole, checked copies under their hash, and nothing else."""

import hashlib
from pathlib import Path

import pytest

from headrace.errors import SourceError, SpoolUnavailable
from headrace.publish.spool import spool_source


def test_a_source_is_kept_under_its_hash(tmp_path: Path) -> None:
    source, spool = tmp_path / "t.csv", tmp_path / "home" / "spool"
    source.write_bytes(b"a,b\r\n" * 300_000)
    spooled = spool_source(source, spool, lambda file: len(file.read_bytes().splitlines()))
    assert spooled.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert spooled.file == spool / spooled.sha256
    assert spooled.rows == 300_000
    assert spooled.file.read_bytes() == source.read_bytes()
    assert spool.stat().st_mode & 0o777 == 0o700
    assert spooled.file.stat().st_mode & 0o777 == 0o600


def test_a_damaged_copy_is_replaced(tmp_path: Path) -> None:
    source = tmp_path / "t.csv"
    source.write_bytes(b"a,b\r\n")
    spooled = spool_source(source, tmp_path / "spool", lambda _: 0)
    spooled.file.write_bytes(b"a")
    spool_source(source, tmp_path / "spool", lambda _: 0)
    assert spooled.file.read_bytes() == b"a,b\r\n"


def test_a_refused_source_leaves_nothing(tmp_path: Path) -> None:
    def refuse(_: Path) -> int:
        raise SourceError("no")

    source = tmp_path / "t.csv"
    source.touch()
    with pytest.raises(SourceError):
        spool_source(source, tmp_path / "spool", refuse)
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_spool_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(SpoolUnavailable, match=r"home/spool: cannot be written: Not a directory"):
        spool_source(tmp_path / "home", tmp_path / "home" / "spool", lambda _: 0)


def test_a_fault_of_reading_is_the_sources_not_the_spools(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^\[HR201\] /proc/self/mem: cannot be read: Input/output error"):
        spool_source(Path("/proc/self/mem"), tmp_path / "spool", lambda _: 0)
    assert list((tmp_path / "spool").iterdir()) == []
