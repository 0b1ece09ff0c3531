"""The benchmarks in small: every contender lands every record, and what was measured is shown."""

from pathlib import Path

from rich.console import Console

from bench.growth import land_on_both
from bench.landing import ALL, land_all
from bench.reconciling import reconcile_all
from bench.small import land_a_year

QUIET = Console(quiet=True)


def test_all_land_the_same_records(tmp_path: Path) -> None:
    standings = land_all(tmp_path, 3_000, 2_000, 1, QUIET)
    assert [each.name for each in standings] == [each.name for each in ALL]
    assert all(run.cpu > 0 for each in standings for run in each.runs)


def test_the_script_as_people_write_it_lands_them_too(tmp_path: Path) -> None:
    assert len(land_a_year(tmp_path, 3_000, 1, QUIET)) == 4


def test_batches_land_on_a_full_table_and_on_an_empty_one(tmp_path: Path) -> None:
    found = land_on_both(tmp_path, 5_000, QUIET, {500: 2})
    assert [len(side[500]) for side in (found.empty, found.full)] == [2, 2]


def test_accounts_on_a_seal_and_without_one(tmp_path: Path) -> None:
    found = {each.name: each for each in reconcile_all(tmp_path, 5_000, 2_000, 1, QUIET)}
    counted = {name: (each.counted, each.sealed) for name, each in found.items()}
    assert counted == {
        "new records on a seal": (2_000, 5_000),
        "nothing new": (0, 7_000),
        "everything by an audit, the topic too": (7_000, 0),
        "everything, the source too": (5_000, 0),
    }
