"""A table of ours or of anybody: its version, its rows, and whether a value is there."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import write_deltalake

from headrace.errors import SettingsError
from headrace.gates.answers import Answers
from headrace.gates.conditions import parse_condition

ROWS = pl.DataFrame({"day": [date(2018, 1, 1), date(2018, 1, 3)], "site": ["a", "it's"], "value": [1, 2]})


@pytest.fixture(params=[[], ["site"], ["day"]])
def table(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits of those rows, in a warehouse whose path has a blank; partitioned or not."""
    monkeypatch.setenv("HEADRACE_WAREHOUSE", str(tmp_path / "a warehouse"))
    path = tmp_path / "a warehouse" / "mine" / "readings"
    for _ in range(2):
        write_deltalake(path, ROWS, mode="append", partition_by=request.param)
    return path


@pytest.mark.parametrize(
    ("wanted", "met"),
    [
        ({"version": 1}, True),
        ({"version": 2}, False),
        ({"rows": 4}, True),
        ({"rows": 5}, False),
        ({"value": {"day": "2018-01-03"}}, True),
        ({"value": {"day": "2018-01-02"}}, False),  # within the bounds of the file
        ({"value": {"site": "it's"}}, True),
        ({"value": {"site": "it"}}, False),
        ({"value": {"value": "2", "site": "a"}}, True),
        ({"version": 1, "rows": 4, "value": {"value": "3"}}, False),
    ],
)
@pytest.mark.parametrize("name", ["mine/readings", None])
def test_what_it_has(table: Path, name: str | None, wanted: dict[str, Any], met: bool) -> None:
    condition = parse_condition({"kind": "table_has", "table": name or str(table), **wanted})
    assert condition.check(Answers({})).met is met


def test_what_it_has_is_said(table: Path) -> None:
    condition = parse_condition(
        {"kind": "table_has", "table": "mine/readings", "rows": 9, "value": {"site": "b"}}
    )
    said = condition.check(Answers({}))
    assert said == (False, "table mine/readings has version 1, 4 rows, no row with site = b")


def test_a_table_that_is_not_there_yet(tmp_path: Path) -> None:
    condition = parse_condition({"kind": "table_has", "table": str(tmp_path / "none"), "rows": 1})
    assert condition.check(Answers({})) == (False, f"table {tmp_path / 'none'} is not there yet")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"place": "a"}, "there is no column 'place'; there are day, site, value"),
        ({"day": "soon"}, "'soon' is no date32.*, as column day has them"),
        ({"value": "1 OR 1=1"}, "'1 OR 1=1' is no int64"),
    ],
)
def test_what_no_waiting_helps_is_refused(table: Path, value: dict[str, str], message: str) -> None:
    condition = parse_condition({"kind": "table_has", "table": str(table), "value": value})
    with pytest.raises(SettingsError, match=message):
        condition.check(Answers({}))


def test_few_small_files_are_counted_and_a_table_that_is_not_there_has_none(table: Path) -> None:
    files = len(list(table.rglob("*.parquet")))
    for most, met in ((files, True), (files - 1, False)):
        verdict = parse_condition({"kind": "few_small_files", "table": "mine/readings", "most": most}).check(
            Answers({})
        )
        assert verdict == (met, f"table mine/readings has {files} small files")
    assert parse_condition({"kind": "few_small_files", "table": "mine/gone"}).check(Answers({})).met
    with pytest.raises(SettingsError, match=r"no '\.\.'"):
        parse_condition({"kind": "few_small_files", "table": "../gone"})
