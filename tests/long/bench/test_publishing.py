"""The benchmark of publishing in small: all four publish every row, and what was measured can be kept."""

from pathlib import Path

from rich.console import Console

from bench.contest import Standing
from bench.publishing import ALL, COLUMNS, publish_all


def test_all_publish_the_same_rows(tmp_path: Path) -> None:
    found = publish_all(tmp_path, 4_000, 1, Console(quiet=True))
    assert list(found) == list(COLUMNS)
    for standings, records in zip(found.values(), (4_000, 1_000), strict=True):
        assert [each.name for each in standings] == [each.name for each in ALL]
        assert {each.records for each in standings} == {records}
        assert all(run.cpu > 0 for each in standings for run in each.runs)
        assert [Standing.from_record(each.as_record()) for each in standings] == standings
