"""Readings that end too long ago are told of once, by the first run that can tell it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from headrace.reconcile.ledger import Entry, SliceAccount, append_entry
from headrace.report.behind import behind
from headrace.tables.warehouse import Warehouse

LIMIT = timedelta(hours=2)
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path / "a warehouse", "mill")
    made.prepare()
    return made


def readings_end(warehouse: Warehouse, **ends: datetime) -> None:
    """What `analyse` says of each entity."""
    daily = pl.DataFrame({"entity": list(ends), "last": list(ends.values())})
    daily.write_delta(str(warehouse.table("daily_completeness")), mode="overwrite")


def a_run_is_through(warehouse: Warehouse, at: datetime) -> None:
    account = SliceAccount(ranges=(), visible=0, landed=0, quarantined=0)
    entry = Entry(run_id=at.isoformat(), finished=at, topic="t", topic_id="id", slice=account, sources=())
    append_entry(warehouse, entry)


def test_there_is_nothing_to_tell_before_the_first_reading(warehouse: Warehouse) -> None:
    assert behind(warehouse, LIMIT, NOON) is None


def test_the_entity_that_ends_first_is_named(warehouse: Warehouse) -> None:
    readings_end(warehouse, a=NOON - timedelta(hours=1), b=NOON - timedelta(hours=3))
    a_run_is_through(warehouse, NOON)
    told = behind(warehouse, LIMIT, NOON)
    assert told is not None
    assert told.startswith("The newest reading of b is of 2026-05-01T09:00:00+00:00, more than 2:00:00 ago.")


def test_it_is_told_once_and_again_when_readings_came_and_stopped(warehouse: Warehouse) -> None:
    readings_end(warehouse, a=NOON - timedelta(hours=1))
    told = []
    for minutes in range(0, 241, 30):
        now = NOON + timedelta(minutes=minutes)
        if minutes == 120:
            readings_end(warehouse, a=NOON + timedelta(minutes=75))
        a_run_is_through(warehouse, now)
        if behind(warehouse, LIMIT, now):
            told.append(minutes)
    # At noon the readings end an hour ago: two hours are over at 60. Those of 75 are two hours old at 195.
    assert told == [60, 210]
