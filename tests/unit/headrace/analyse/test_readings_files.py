"""Which files of `readings` a day or a batch is looked for in, by what the log says of them."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from deltalake import WriterProperties
from hypothesis import given
from hypothesis import strategies as st

from headrace.analyse.readings_files import ReadingsFiles, in_chunks, on_days, spans
from headrace.tables.attempt import Attempt
from headrace.tables.commits import open_table
from headrace.tables.creation import create_tables
from headrace.tables.names import READINGS
from headrace.tables.warehouse import Warehouse
from testbed.landed_batches import land_values
from testbed.parse_cases import contract


def _value(day: int) -> bytes:
    return f'{{"time": "{day:02} 01 2018 12:00"}}'.encode()


def _january(*days: int) -> list[date]:
    return [date(2018, 1, day) for day in days]


@pytest.fixture
def readings(tmp_path: Path) -> Path:
    """Four batches, a file each: of the days 1 to 3, of 5, of 1 and 7, and one without a reading."""
    attempt = Attempt(contract(), Warehouse(tmp_path, "small"), "a run")
    attempt.warehouse.prepare()
    create_tables(attempt.warehouse)
    land_values(attempt, 0, 0, *map(_value, (1, 2, 3)))
    land_values(attempt, 1, 3, _value(5))
    land_values(attempt, 2, 4, *map(_value, (1, 7)))
    land_values(attempt, 3, 6, b"{")
    return attempt.warehouse.table(READINGS)


def test_days_are_looked_for_where_they_can_be(readings: Path) -> None:
    files = ReadingsFiles.of(readings)
    assert files.rows == 6
    held = {day: files.holding(_january(day)).rows for day in range(1, 9)}
    assert held == {1: 5, 2: 5, 3: 5, 4: 2, 5: 3, 6: 2, 7: 2, 8: 0}
    assert files.holding(_january(4, 8)).rows == 2
    assert files.holding(_january(5, 8)).rows == 3


def test_touched_days_are_exact(readings: Path) -> None:
    files = ReadingsFiles.of(readings)
    assert [files.touched_since(batch) for batch in (-1, 0, 1, 2, 3)] == [
        _january(1, 2, 3, 5, 7),
        _january(1, 5, 7),
        _january(1, 7),
        [],
        [],
    ]
    assert [files.since(batch).rows for batch in (-1, 0, 1, 2)] == [6, 3, 2, 0]


def test_a_compacted_file_holds_old_readings_too(readings: Path) -> None:
    open_table(readings).optimize.compact(writer_properties=WriterProperties(compression="ZSTD"))
    files = ReadingsFiles.of(readings)
    assert len(files.files) == 1
    assert files.touched_since(1) == _january(1, 7)


def test_an_older_version_has_its_own_files(readings: Path) -> None:
    assert ReadingsFiles.of(readings, 2).touched_since(-1) == _january(1, 2, 3, 5)


def test_a_file_of_which_the_log_says_nothing_may_hold_anything(readings: Path) -> None:
    files = ReadingsFiles.of(readings)
    unknown = ReadingsFiles(files.folder, files.files.with_columns(first=None, last=None, newest=None))
    assert unknown.holding(_january(30)).rows == unknown.since(99).rows == 6
    assert unknown.touched_since(1) == _january(1, 7)


def test_only_readings_of_the_days_are_read(readings: Path) -> None:
    found = ReadingsFiles.of(readings).scanner(["signal_date"], on_days(_january(1, 5))).to_table()
    assert sorted(found["signal_date"].to_pylist()) == _january(1, 1, 5)
    counted = ReadingsFiles.of(readings).readings_a_day()
    assert counted.rows() == [(day, 2 if day.day == 1 else 1) for day in _january(1, 2, 3, 5, 7)]
    assert len(ReadingsFiles.of(readings).since(99).readings_a_day()) == 0


def test_spans_are_cut_at_the_longest_gaps() -> None:
    days = _january(1, 2, 3, 5, 20, 21, 30)
    assert spans(days, 1) == [(days[0], days[-1])]
    assert spans(days, 3) == [tuple(_january(1, 5)), tuple(_january(20, 21)), tuple(_january(30, 30))]
    assert spans(days, 9) == [tuple(_january(*each)) for each in ((1, 3), (5, 5), (20, 21), (30, 30))]


DAYS = st.sets(st.integers(0, 400), min_size=1).map(
    lambda numbers: [date(2018, 1, 1) + timedelta(days=number) for number in sorted(numbers)]
)


@given(days=DAYS, most=st.integers(1, 40))
def test_spans_hold_every_day_once(days: list[date], most: int) -> None:
    found = spans(days, most)
    assert len(found) <= most
    assert [day for first, last in found for day in days if first <= day <= last] == days
    assert all(last < later for (_, last), (later, _) in pairwise(found))


@given(counts=st.lists(st.integers(1, 50), max_size=30), rows=st.integers(1, 100))
def test_chunks_are_of_whole_days_and_no_larger_than_asked(counts: list[int], rows: int) -> None:
    days = [(date(2018, 1, 1) + timedelta(days=number), count) for number, count in enumerate(counts)]
    chunks = in_chunks(days, rows)
    assert [day for chunk in chunks for day in chunk] == [day for day, _ in days]
    sizes = pl.DataFrame(days, schema=["day", "count"], orient="row") if days else pl.DataFrame()
    for chunk in chunks:
        assert len(chunk) == 1 or sizes.filter(pl.col("day").is_in(chunk))["count"].sum() <= rows
