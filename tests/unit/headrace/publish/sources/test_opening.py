"""A source is opened once, by what its path leads to, and only where sources may be read from."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace.errors import SourceError, SourceMissing
from headrace.publish.sources import opening
from headrace.publish.sources.opening import open_source
from headrace.settings import Settings


def content(settings: Settings, path: Path) -> bytes:
    with open_source(settings, path, path) as source:
        assert source.path == path
        return source.reading.readall()


@pytest.fixture
def within(tmp_path: Path) -> Settings:
    (tmp_path / "in").mkdir()
    return Settings(source_roots=str(tmp_path / "in"), home=tmp_path / "in" / "home")


def test_a_source_is_found_within_the_roots(tmp_path: Path, within: Settings) -> None:
    (tmp_path / "in/t.csv").write_bytes(b"a")
    (tmp_path / "in/link.csv").symlink_to("t.csv")
    assert content(within, tmp_path / "in/link.csv") == b"a"


def test_an_absent_source_may_still_come(tmp_path: Path, within: Settings) -> None:
    with pytest.raises(SourceMissing, match=r"t\.csv: no such file; put it there"):
        content(within, tmp_path / "in/t.csv")


REFUSED = {
    "outside": ("../t.csv", "outside the folders that sources may be read from .*HEADRACE_SOURCE_ROOTS"),
    "symlink": ("link", "outside the folders that sources may be read from"),
    "home": ("home/t.csv", r"in HEADRACE_HOME \(.*/in/home\), .*; move the file out of it"),
    "symlink home": ("link home", r"leads to .*/in/home/t\.csv, which is in HEADRACE_HOME"),
    "folder": ("folder.csv", "is no plain file"),
    "pipe": ("pipe", "is no plain file"),
    "circle": ("circle", "cannot be read: "),
    "NUL": ("a\0b", "cannot be read: embedded null byte"),
    "file as folder": ("t.csv/t.csv", "no such file"),
}


@pytest.mark.parametrize("way", REFUSED)
def test_what_is_no_source_is_refused(tmp_path: Path, within: Settings, way: str) -> None:
    root = tmp_path / "in"
    (tmp_path / "t.csv").touch()
    (root / "link").symlink_to(tmp_path / "t.csv")
    (root / "home").mkdir()
    (root / "home/t.csv").touch()
    (root / "link home").symlink_to("home/t.csv")
    (root / "folder.csv").mkdir()
    os.mkfifo(root / "pipe")
    (root / "t.csv").touch()
    (root / "circle").symlink_to("circle")
    path, message = REFUSED[way]
    with pytest.raises((SourceError, SourceMissing), match=message):
        content(within, root / path)


def test_a_source_of_a_home_beside_the_roots_is_told_so_too(tmp_path: Path) -> None:
    (tmp_path / "t.csv").touch()
    with pytest.raises(SourceError, match="which is in HEADRACE_HOME"):
        content(Settings(source_roots="/elsewhere", home=tmp_path), tmp_path / "t.csv")


SECRET = b"a secret of the worker's"


@pytest.fixture
def drop(tmp_path: Path, within: Settings) -> Path:
    """A folder that others put sources into, and beside the roots a secret that the worker may read."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/t.csv").write_bytes(SECRET)
    root = within.source_root_paths[0]
    (root / "drop").mkdir()
    (root / "drop/t.csv").write_bytes(b"a source")
    return root / "drop"


def exchange_file(drop: Path) -> None:
    (drop / "t.csv").unlink()
    (drop / "t.csv").symlink_to(drop.parents[1] / "secrets/t.csv")


def exchange_folder(drop: Path) -> None:
    drop.rename(drop.with_name("away"))
    drop.symlink_to(drop.parents[1] / "secrets")


@pytest.mark.parametrize("exchange", [exchange_file, exchange_folder])
def test_a_link_that_is_put_there_after_the_check_is_not_followed(
    drop: Path, within: Settings, exchange: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert content(within, drop / "t.csv") == b"a source"
    permitted = opening.require_permitted

    def then_exchange(*checked: Any) -> None:
        permitted(*checked)
        exchange(drop)

    monkeypatch.setattr(opening, "require_permitted", then_exchange)
    with pytest.raises((SourceError, SourceMissing)) as refused:
        content(within, drop / "t.csv")
    assert SECRET.decode() not in str(refused.value)
    assert (drop / "t.csv").read_bytes() == SECRET  # whoever opened the path would have had it


def test_what_was_opened_is_read_whatever_the_path_leads_to_later(drop: Path, within: Settings) -> None:
    with open_source(within, drop / "t.csv", drop / "t.csv") as source:
        exchange_file(drop)
        assert source.reading.readall() == b"a source"
