"""Which files a folder or a pattern stands for, and which of them are at rest."""

import os
import time
from pathlib import Path

import pytest

from headrace.contract.source import JsonlSource
from headrace.errors import SourceError, SourceGrowing
from headrace.publish.sources.listing import is_many, list_files
from headrace.publish.sources.opening import open_source
from headrace.settings import PROJECT, Settings


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    for name in ("b.csv", "a.csv", "c.txt", ".hidden.csv", "deep/d.csv", "[1].csv"):
        (folder / name).write_bytes(b"x")
    os.mkfifo(folder / "pipe.csv")
    (folder / "nowhere.csv").symlink_to("gone")
    return folder


def listed(root: Path, path: str) -> list[str]:
    source = JsonlSource(kind="jsonl", path=root / path)
    assert is_many(source)
    found = list_files(Settings(source_roots=str(root), home=root.parent / "home"), source)
    return [str(each.path.relative_to(root)) for each in found]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (".", ["[1].csv", "a.csv", "b.csv", "c.txt"]),
        ("deep", ["deep/d.csv"]),
        ("*.csv", ["[1].csv", "a.csv", "b.csv"]),
        ("[ab].csv", ["a.csv", "b.csv"]),
        ("d*/*", ["deep/d.csv"]),
        ("**/*.csv", ["[1].csv", "a.csv", "b.csv", "deep/d.csv"]),
        ("*.gz", []),
    ],
)
def test_plain_files_are_listed_by_name(root: Path, path: str, names: list[str]) -> None:
    assert listed(root, path) == names


@pytest.mark.parametrize("path", ["a.csv", "[1].csv", "absent.csv"])
def test_a_file_is_one_whatever_its_name_holds(root: Path, path: str) -> None:
    assert not is_many(JsonlSource(kind="jsonl", path=root / path))


@pytest.mark.parametrize("path", ["..", "../*", "/etc", "/etc/*.conf", "/*"])
def test_folders_outside_the_roots_are_not_listed(root: Path, path: str) -> None:
    with pytest.raises(SourceError, match="outside the folders that sources may be read from"):
        listed(root, path)


def test_a_pattern_that_is_none_is_named(root: Path) -> None:
    with pytest.raises(SourceError, match=r"\*\*x: Invalid pattern.*correct source\.path"):
        listed(root, "**x")


def test_files_of_the_checkout_are_called_as_a_contract_calls_them() -> None:
    source = JsonlSource(kind="jsonl", path=Path("include/data/wind_turbine/*.csv"))
    (found,) = list_files(Settings(), source)
    assert (found.path, found.size) == (
        Path("include/data/wind_turbine/T1.csv"),
        (PROJECT / found.path).stat().st_size,
    )


@pytest.mark.parametrize(("age", "at_rest"), [(0, False), (30, False), (90, True), (-90, True)])
def test_a_file_is_at_rest_when_it_was_not_written_to_for_so_long(
    root: Path, age: int, at_rest: bool
) -> None:
    """One of the future was written by another clock."""
    changed = time.time() - age
    os.utime(root / "c.txt", (changed, changed))
    source = JsonlSource(kind="jsonl", path=root / "*.txt")
    (found,) = list_files(Settings(source_roots=str(root), home=root.parent / "home"), source)
    assert found.is_at_rest(60) == at_rest


def test_a_file_that_is_written_to_is_found_out(root: Path) -> None:
    settings = Settings(source_roots=str(root), home=root.parent / "home")
    with open_source(settings, root / "a.csv", root / "a.csv", at_rest=True) as source:
        source.require_at_rest()
        with (root / "a.csv").open("ab") as writing:
            writing.write(b"y")
        with pytest.raises(SourceGrowing, match=r"a\.csv: was written to while it was read"):
            source.require_at_rest()
