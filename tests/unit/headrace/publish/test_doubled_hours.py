"""Local times that come twice: told apart by the order of the rows, or said to be undecided."""

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from headrace.contract.model import Contract
from headrace.contract.source import CsvSource
from headrace.kafka.headers import signer
from headrace.publish.source_records import source_records
from headrace.publish.sources import text
from headrace.publish.sources.csv_rows import CsvRows
from testbed.parse_cases import contract

BERLIN = ZoneInfo("Europe/Berlin")
CHANGE = datetime(2024, 10, 27, 1, tzinfo=ZoneInfo("UTC"))
"""From 3 to 2 o'clock in Berlin."""


def clock(minutes: int, every: int = 1) -> str:
    """What a clock in Berlin shows so many minutes after the change."""
    return (CHANGE + timedelta(minutes=minutes * every)).astimezone(BERLIN).strftime("%Y-%m-%d %H:%M")


def told_apart(**event_time: Any) -> Contract:
    asked = {"field": "t", "format": "yyyy-MM-dd HH:mm[XXX]", "timezone": "Europe/Berlin"}
    return contract(
        record={
            "identity": ["mill", "t"],
            "entity": "mill",
            "event_time": asked | event_time,
            "signals": [{"name": "v", "fields": ["v"]}],
        }
    )


def marks(folder: Path, *parts: list[str], first: int = 1, whole: Contract | None = None) -> list[str]:
    """What the headers of the last part say, where the parts before it are files of their own."""
    source = CsvSource(kind="csv", path=folder / "in.csv")
    files = []
    for number, rows in enumerate(parts):
        files.append(folder / f"{number}.csv")
        files[-1].write_text("\n".join(["mill,t,v", *(f"{row},1" for row in rows), ""]), "utf-8")
    *earlier, own = (CsvRows(file, source) for file in files)
    before = sum(map(len, parts[:-1]))
    last = before + len(parts[-1])
    sign = signer("0" * 20, b"k")
    sent = source_records(
        own, whole or told_apart(), sign, last, max(first, before + 1), begins=before + 1, earlier=earlier
    )
    return [str(value, "ascii").split(":")[3] for _, _, _, ((_, value),) in sent if isinstance(value, bytes)]


def turbine(first: int, last: int, mill: str = "a") -> list[str]:
    """A row each ten minutes, from so many of them before the change to so many behind it."""
    return [f"{mill},{clock(at, 10)}" for at in range(first, last)]


@pytest.mark.parametrize(("before", "block"), [(7, 30), (300, 30), (7, text.BLOCK), (3000, text.BLOCK)])
def test_times_that_go_back_are_of_the_second_hour(
    tmp_path: Path, before: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "BLOCK", block)
    expected = [""] * before + ["l"] * 6 + [""] * 5
    assert marks(tmp_path, turbine(-before, 11)) == expected
    assert marks(tmp_path, turbine(-before, 11), first=before + 2) == expected[before + 1 :]


@pytest.mark.parametrize("cut", range(-8, 9))
def test_a_file_that_grew_within_the_hour_is_read_on(tmp_path: Path, cut: int) -> None:
    whole = turbine(-9, 9)
    expected = [""] * 9 + ["l"] * 6 + [""] * 3
    assert marks(tmp_path, whole[: cut + 9], whole[cut + 9 :]) == expected[cut + 9 :]


def test_devices_have_times_of_their_own(tmp_path: Path) -> None:
    a, b = turbine(-8, 8), turbine(-8, 8, "b")
    own = [""] * 8 + ["l"] * 6 + [""] * 2
    assert marks(tmp_path, [*a, *b]) == own * 2
    assert marks(tmp_path, [row for pair in zip(a, b, strict=True) for row in pair]) == [
        mark for mark in own for _ in "ab"
    ]


def test_of_hourly_readings_each_hour_has_one(tmp_path: Path) -> None:
    hourly = [f"a,{clock(at, 60)}" for at in range(-2, 3)]
    assert [row[-5:] for row in hourly] == ["01:00", "02:00", "02:00", "03:00", "04:00"]
    assert marks(tmp_path, hourly, whole=told_apart(every="PT1H")) == ["", "", "l", "", ""]
    assert marks(tmp_path, hourly) == [""] * 5  # perhaps a row and its repeat


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (turbine(-3, 8), [""] * 3 + ["l"] * 6 + [""] * 2),  # begins in the first hour: times go back later
        (turbine(2, 8), ["u"] * 4 + [""] * 2),  # in the second: nothing goes back
        (turbine(-8, 8)[::-1], [""] * 2 + ["u"] * 12 + [""] * 2),  # newest first
        ([*turbine(-8, 6), *turbine(-6, 8)], [""] * 8 + ["l"] * 6 + ["u"] * 12 + [""] * 2),  # written twice
        ([f"{row}+02:00" for row in turbine(-8, 8)], [""] * 16),  # offsets say which it is
        (["a,no time", *turbine(-8, 8)], [""] * 9 + ["l"] * 6 + [""] * 2),
        ([f"a,2024-07-0{day} 02:30" for day in (3, 1, 2, 1)], [""] * 4),
    ],
)
def test_what_the_order_does_not_tell_is_said_to_be_undecided(
    tmp_path: Path, rows: list[str], expected: list[str]
) -> None:
    assert marks(tmp_path, rows) == expected


@pytest.mark.parametrize("way", ["earlier", "later", "quarantine"])
def test_the_order_is_not_asked_where_the_contract_says_it(tmp_path: Path, way: str) -> None:
    assert marks(tmp_path, turbine(-8, 8), whole=told_apart(doubled=way)) == [""] * 16


def test_where_no_clock_goes_back_polars_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "headrace.parse.local_times", None)  # its import would fail
    assert marks(tmp_path, [f"a,2024-07-0{day} 02:30" for day in (1, 2, 3)]) == [""] * 3
    with pytest.raises(ImportError):
        marks(tmp_path, turbine(-8, 8))
    epochs = told_apart(format="epoch_s")
    assert marks(tmp_path, [f"a,{int(CHANGE.timestamp()) + at}" for at in (0, 600)], whole=epochs) == [""] * 2
