"""A stream is complete through a moment when every entity has come to it and little enough is missing."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from deltalake import write_deltalake

from headrace.errors import ContractError
from headrace.gates.answers import Answers
from headrace.gates.conditions import parse_condition
from headrace.settings import PROJECT
from headrace.tables.names import DAILY_COMPLETENESS

ZONE = ZoneInfo("Europe/Istanbul")
FIRST = date(2018, 1, 1)
SLOTS = 144


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADRACE_WAREHOUSE", str(tmp_path))
    return tmp_path


def write(warehouse: Path, *days: tuple[int, str | None, int]) -> None:
    """Of days after the first, entities and slots without a reading; each day ends with its last slot."""
    rows = [
        {
            "signal_date": FIRST + timedelta(days=day),
            "entity": entity,
            "distinct_signal_ts": SLOTS - missing,
            "expected": SLOTS,
            "missing": missing,
            "last": datetime(2018, 1, 1, 23, 50, tzinfo=ZONE) + timedelta(days=day),
        }
        for day, entity, missing in days
    ]
    schema = {"entity": pl.String, "last": pl.Datetime("us", "UTC")}
    table = warehouse / "wind_turbine" / DAILY_COMPLETENESS
    write_deltalake(table, pl.DataFrame(rows, schema_overrides=schema), mode="append")


def verdict(moment: datetime, **more: Any) -> tuple[bool, str]:
    fields = {"kind": "complete_through", "stream": "wind_turbine", "moment": moment.isoformat(), **more}
    return parse_condition(fields).check(Answers({}))


def on(day: int, hour: int = 12) -> datetime:
    return datetime(2018, 1, 1, hour, tzinfo=ZONE) + timedelta(days=day)


def test_nothing_is_analysed_yet(warehouse: Path) -> None:
    assert verdict(on(0)) == (False, "stream wind_turbine has no analysed reading yet")


def test_the_slowest_entity_counts(warehouse: Path) -> None:
    write(warehouse, (0, "a", 0), (1, "a", 0), (0, "b", 0))
    assert verdict(on(0))[0]
    last = datetime(2018, 1, 1, 20, 50, tzinfo=UTC).isoformat()
    assert verdict(on(1)) == (False, f"stream wind_turbine: the newest reading of b is of {last}")
    assert verdict(on(2))[1].endswith(f"of b is of {last}, and 1 more lag")


def test_gaps_count_from_the_day_that_is_named_and_absent_days_too(warehouse: Path) -> None:
    write(warehouse, (0, None, 100), (1, None, 2), (3, None, 5))
    assert verdict(on(3))[0]
    since = (FIRST + timedelta(days=1)).isoformat()
    missing = 2 + SLOTS
    assert verdict(on(3), since=since, missing=missing - 1) == (
        False,
        f"stream wind_turbine: {missing} slots from 2018-01-02 to 2018-01-03 have no reading",
    )
    assert verdict(on(3), since=since, missing=missing)[0]
    assert verdict(on(1), since=since)[0]  # no whole day lies between


def test_without_a_cadence_nothing_can_be_missing(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = tmp_path / "streams"
    streams.mkdir()
    text = (PROJECT / "include" / "streams" / "wind_turbine.yaml").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.strip().startswith("every:")]
    (streams / "wind_turbine.yaml").write_text("\n".join(lines).replace(", every: PT10M", ""), "utf-8")
    monkeypatch.setenv("HEADRACE_STREAMS", str(streams))
    write(warehouse, (0, None, 0), (2, None, 0))
    with pytest.raises(ContractError, match="has no cadence"):
        verdict(on(2), since=FIRST.isoformat())
