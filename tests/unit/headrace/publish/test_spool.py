"""The spool holds whole, checked copies under their hash, and nothing else."""

import gzip
import hashlib
import io
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from headrace.errors import SourceError, SpoolUnavailable
from headrace.publish import spool as spooling
from headrace.publish.sources.opening import OpenSource
from headrace.publish.spool import Spooled


def spool_source(source: Path, spool: Path, check: Callable[[IO[bytes]], int]) -> Spooled:
    with io.FileIO(source) as reading:
        return spooling.spool_source(OpenSource(source, reading), spool, check)


def is_spooled(source: Path, spool: Path, sha256: str) -> bool:
    with io.FileIO(source) as reading:
        return spooling.is_spooled(OpenSource(source, reading), spool, sha256)


def test_a_source_is_kept_under_its_hash(tmp_path: Path) -> None:
    source, spool = tmp_path / "t.csv", tmp_path / "home" / "spool"
    source.write_bytes(b"a,b\r\n" * 300_000)
    spooled = spool_source(source, spool, lambda reading: len(reading.read().splitlines()))
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
    def refuse(_: IO[bytes]) -> int:
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


@pytest.mark.parametrize("asked", [0, 1, 70_000, 3 << 20])
def test_all_is_copied_however_much_the_check_asks_for(tmp_path: Path, asked: int) -> None:
    source, content = tmp_path / "t.csv", random.Random(1).randbytes(2_500_000)
    source.write_bytes(content)
    spooled = spool_source(source, tmp_path / "spool", lambda reading: len(reading.read(asked)))
    assert spooled.rows == min(asked, len(content))
    assert spooled.file.read_bytes() == content
    assert spooled.sha256 == hashlib.sha256(content).hexdigest()


def test_a_zipped_source_is_copied_as_it_is(tmp_path: Path) -> None:
    source, content = tmp_path / "t.csv.gz", gzip.compress(b"a,b\n" * 100_000) + b"\0" * 200_000  # padded
    source.write_bytes(content)
    spooled = spool_source(
        source, tmp_path / "spool", lambda reading: len(gzip.GzipFile(fileobj=reading).read())
    )
    assert spooled.rows == 400_000
    assert spooled.file.read_bytes() == content


def test_a_full_disk_is_the_spools_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "t.csv"
    source.write_bytes(b"a,b\r\n" * 300_000)
    full = os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr(spooling.tempfile, "mkstemp", lambda **_: (full, str(tmp_path / "spool" / ".copy")))
    with pytest.raises(SpoolUnavailable, match="cannot be written: No space left on device"):
        spool_source(source, tmp_path / "spool", lambda reading: len(reading.read()))


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Path, Spooled]:
    """A source of more than a block, and what the spool has of it."""
    source = tmp_path / "t.csv"
    source.write_bytes(b"a,b\r\n" * 300_000)
    return source, spool_source(source, tmp_path / "spool", lambda _: 0)


def test_a_source_that_has_not_changed_is_known(kept: tuple[Path, Spooled]) -> None:
    source, spooled = kept
    assert is_spooled(source, spooled.file.parent, spooled.sha256)


@pytest.mark.parametrize("what", ["source", "copy"])
@pytest.mark.parametrize("change", ["shorter", "longer", "first byte", "last byte"])
def test_a_changed_source_and_a_damaged_copy_are_found(
    kept: tuple[Path, Spooled], what: str, change: str
) -> None:
    source, spooled = kept
    file = source if what == "source" else spooled.file
    content = file.read_bytes()
    changed = {
        "shorter": content[:-1],
        "longer": content + b"\n",
        "first byte": b"b" + content[1:],
        "last byte": content[:-1] + b"\r",
    }
    file.write_bytes(changed[change])
    assert not is_spooled(source, spooled.file.parent, spooled.sha256)


def test_a_copy_that_is_gone_is_found(kept: tuple[Path, Spooled]) -> None:
    source, spooled = kept
    spooled.file.unlink()
    assert not is_spooled(source, spooled.file.parent, spooled.sha256)


def test_a_source_and_a_copy_that_were_changed_alike_are_found(kept: tuple[Path, Spooled]) -> None:
    source, spooled = kept
    for file in (source, spooled.file):
        file.write_bytes(b"c" + file.read_bytes()[1:])
    assert not is_spooled(source, spooled.file.parent, spooled.sha256)
