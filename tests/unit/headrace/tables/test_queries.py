"""What people ask the tables."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from deltalake import write_deltalake

from headrace.tables.active_files import active_files
from headrace.tables.commits import open_table
from headrace.tables.queries import Completeness, completeness, landed_by
from headrace.tables.warehouse import Warehouse
from testbed.parse_cases import contract

NEW_YEAR = date(2018, 1, 1)


def _found(folder: Path, *days: tuple[date, str | None, int], every: str = "PT10M") -> Completeness:
    """Of days, entities and distinct times; the zone never changes its clock in 2018."""
    shape = contract().record.model_dump(mode="json")
    shape["event_time"]["every"] = every
    schema = {"signal_date": pl.Date, "entity": pl.String, "distinct_signal_ts": pl.Int64}
    rows = pl.DataFrame(days, schema=schema, orient="row").with_columns(expected=144)
    rows = rows.with_columns(missing=pl.col("expected") - pl.col("distinct_signal_ts"))
    warehouse = Warehouse(folder, "small")
    write_deltalake(warehouse.table("daily_completeness"), rows)
    found = completeness(contract(record=shape), warehouse)
    assert found
    return found


def test_absent_days_are_those_of_each_entity(tmp_path: Path) -> None:
    third = NEW_YEAR + timedelta(days=2)
    found = _found(tmp_path, (NEW_YEAR, "a", 144), (third, "a", 100), (third, None, 144))
    assert (found.expected, found.missing, found.absent_days) == (6 * 144, 44 + 3 * 144, 3)
    assert (found.first, found.last, found.remark()) == (NEW_YEAR, third, "")


YEAR = [(NEW_YEAR + timedelta(days=day), None, 144) for day in range(365)]


@pytest.mark.parametrize("wrong", [date(2000, 1, 1), date(2261, 12, 31), date(2020, 1, 2)])
def test_a_wrong_clock_makes_nothing_missing_and_is_named(tmp_path: Path, wrong: date) -> None:
    found = _found(tmp_path, *YEAR, (wrong, None, 1))
    assert (found.expected, found.missing, found.absent_days) == (365 * 144, 0, 0)
    assert (found.outside, found.outside_days) == (1, 1)
    assert found.remark().startswith("1 readings of 1 days lie outside 2018-01-01 to 2018-12-31, over a year")


def test_wrong_clocks_at_both_ends(tmp_path: Path) -> None:
    wrong = [date(2000, 1, 1), date(2000, 1, 2), date(2005, 1, 1), date(2100, 1, 1)]
    found = _found(tmp_path, *YEAR, *((day, None, 2) for day in wrong))
    assert (found.missing, found.outside, found.outside_days) == (0, 8, 4)


def test_a_long_outage_is_missing(tmp_path: Path) -> None:
    """Two readings in a hundred are no wrong clock, and a year is no century."""
    before = [(date(2015, 1, day), None, 144) for day in range(1, 9)]
    found = _found(tmp_path, *YEAR, *before)
    assert (found.first, found.outside) == (date(2015, 1, 1), 0)
    assert found.absent_days == 3 * 365 + 1 - 8
    near = _found(tmp_path / "near", *YEAR, (date(2017, 1, 1), None, 1))
    assert (near.first, near.absent_days) == (date(2017, 1, 1), 364)


def test_rows_of_a_batch_are_read_of_the_files_that_can_hold_them(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "a folder", "small")
    table = warehouse.table("quarantine")
    for batches in ([0, 0], [1, 1], [2, 3], [4, 4]):  # the third is one that compaction has made
        rows = pl.DataFrame({"provenance": [{"batch": batch} for batch in batches]})
        write_deltalake(table, rows, mode="append")
    for file in active_files(open_table(table), "provenance.batch") or ():
        if file.most < 3:
            (table / file.path).unlink()  # who reads it fails
    found = landed_by(warehouse, "quarantine", [3, 4]).collect()["provenance"].struct.field("batch")
    assert sorted(found) == [3, 4, 4]
