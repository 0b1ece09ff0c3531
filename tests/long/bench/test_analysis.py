"""The benchmark of the analysis in small: every contender's tables are counted, and so are a day's."""

from pathlib import Path

from rich.console import Console

from bench.analysis import ALL, ENGINES, analyse_all, change_a_day

QUIET = Console(quiet=True)


def test_all_analyse_the_same_readings(tmp_path: Path) -> None:
    standings = analyse_all(tmp_path / "all", 5_000, 1, QUIET)
    assert [each.name for each in standings] == [each.name for each in ALL]


def test_a_day_is_analysed_on_a_full_table_and_on_an_empty_one(tmp_path: Path) -> None:
    found = change_a_day(tmp_path / "day", 5_000, 1, QUIET)
    assert [len(found.empty[each.name]) for each in ENGINES] == [1, 1]
    assert [len(found.full[each.name]) for each in ENGINES] == [1, 1]
