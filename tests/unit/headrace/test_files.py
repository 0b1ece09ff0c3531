"""A file is written whole: its readers see the old text or the new, and nothing is left beside it."""

import os
from pathlib import Path
from threading import Event, Thread

import pytest

from headrace.files import write_whole

OLD, NEW = "old\n" * 50_000, "new\n" * 50_000


def test_a_new_text_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "été.json"
    write_whole(file, OLD)
    write_whole(file, "né à midi ☀")
    assert file.read_text(encoding="utf-8") == "né à midi ☀"
    assert list(tmp_path.iterdir()) == [file]


def test_a_secret_is_its_owners_from_the_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[int] = []
    opened = os.fdopen

    def watched(handle: int, *how: str, **more: str) -> object:
        modes.append(os.fstat(handle).st_mode & 0o777)
        return opened(handle, *how, **more)

    monkeypatch.setattr(os, "fdopen", watched)
    write_whole(tmp_path / "secret", "hush", mode=0o600)
    assert modes == [0o600]  # before a byte was written
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_a_reader_meets_the_old_text_or_the_new(tmp_path: Path) -> None:
    file, ended = tmp_path / "file", Event()
    write_whole(file, OLD)

    def write() -> None:
        for _ in range(50):
            write_whole(file, NEW)
            write_whole(file, OLD)
        ended.set()

    writer = Thread(target=write)
    writer.start()
    met = set()
    while not ended.is_set():
        met.add(file.read_text(encoding="utf-8"))
    writer.join()
    assert met <= {OLD, NEW}
    assert list(tmp_path.iterdir()) == [file]


def test_what_cannot_be_written_leaves_the_old_text(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_whole(file, "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "half of a pair: \ud83d")
    assert file.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [file]
