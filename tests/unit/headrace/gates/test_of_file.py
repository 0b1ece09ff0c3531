"""A file is arrived when it is there and no longer grows."""

import os
import time
from pathlib import Path

from headrace.gates.answers import Answers
from headrace.gates.conditions import parse_condition


def met(path: Path, quiet: float = 60) -> tuple[bool, str]:
    return parse_condition({"kind": "file_arrived", "path": str(path), "quiet": quiet}).check(Answers({}))


def old(file: Path, seconds: float) -> None:
    file.write_text("1,2\n")
    os.utime(file, (time.time() - seconds,) * 2)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert met(tmp_path / "T1.csv") == (False, f"there is no file {tmp_path / 'T1.csv'}")
    (tmp_path / "T1.csv").mkdir()
    assert not met(tmp_path / "T1.csv")[0]


def test_a_file_that_was_written_a_moment_ago_may_grow(tmp_path: Path) -> None:
    old(tmp_path / "T1.csv", seconds=100)
    assert met(tmp_path / "T1.csv")[0]
    with (tmp_path / "T1.csv").open("a") as file:
        file.write("3,4\n")
    arrived, text = met(tmp_path / "T1.csv")
    assert not arrived
    assert "has 8 bytes and was changed 0 s ago" in text


def test_of_a_pattern_all_have_to_be_quiet(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "c.txt"):
        old(tmp_path / name, seconds=100)
    assert met(tmp_path / "*.csv")[0]
    old(tmp_path / "b.csv", seconds=0)
    arrived, text = met(tmp_path / "*.csv")
    assert not arrived
    assert text.startswith(f"2 files, of which {tmp_path / 'b.csv'} has 4 bytes")
