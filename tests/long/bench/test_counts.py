"""The benchmark of counting in small: tables are filled, held against arithmetic, and asked everything."""

from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from bench.counts import Counting, ask_all


def test_a_few_commits_are_counted_and_every_question_is_answered(tmp_path: Path) -> None:
    found = ask_all(tmp_path, 6_000, 3, Console(quiet=True), runs=1)
    assert Counting(**asdict(found)) == found
    assert len(found.took) == 9
    assert all(len(runs) == 1 and runs[0][1] > 0 for runs in found.took.values())
