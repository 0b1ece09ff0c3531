"""Days, hours and slots of a zone's clock, held against Python's own zoneinfo."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.zones import INSTANT, day_begins, hour_begins, in_zone, slots_of_days

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Europe/Istanbul", "UTC"]


@settings(max_examples=100, deadline=None, database=None)
@given(
    zone=st.sampled_from(ZONES),
    times=st.lists(st.datetimes(datetime(1900, 1, 1), datetime(2261, 12, 31)), min_size=1),  # noqa: DTZ001
)
def test_a_zones_rules_go_on_for_ever(zone: str, times: list[datetime]) -> None:
    """Polars knows no clock change after 2099, Python's zoneinfo does."""
    found = in_zone(pl.Series(times, dtype=pl.Datetime("us")), zone).to_list()
    for time, instant in zip(times, found, strict=True):
        expected = time.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        skipped = expected.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != time
        assert instant == (None if skipped else expected)


def test_a_skipped_hour_of_the_22nd_century_is_none() -> None:
    local = [datetime(2150, 3, 29, 2) + timedelta(minutes=30 * half) for half in range(3)]  # noqa: DTZ001
    hours = in_zone(pl.Series(local, dtype=pl.Datetime("us")), "Europe/Berlin").to_list()
    assert hours == [None, None, datetime(2150, 3, 29, 1, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("Europe/Berlin", {"2018-03-24": 144, "2018-03-25": 138, "2018-10-28": 150}),
        ("Australia/Lord_Howe", {"2018-04-01": 147, "2018-10-07": 141}),  # half an hour
        ("America/Sao_Paulo", {"2018-11-03": 144, "2018-11-04": 138}),  # at midnight: it begins at 01:00
        ("Pacific/Apia", {"2011-12-29": 144, "2011-12-30": 0, "2011-12-31": 144}),  # a day that never was
        ("Europe/Berlin", {"2150-03-29": 138}),
    ],
)
def test_a_day_has_as_many_slots_as_its_clock_gives_it(zone: str, days: dict[str, int]) -> None:
    of = pl.Series(map(date.fromisoformat, days), dtype=pl.Date)
    assert slots_of_days(of, zone, timedelta(minutes=10)).to_list() == list(days.values())


def test_a_day_that_is_too_short_for_its_cadence_has_a_slot() -> None:
    of = pl.Series([date(2018, 3, 25), date(2018, 10, 28)], dtype=pl.Date)
    assert slots_of_days(of, "Europe/Berlin", timedelta(days=1)).to_list() == [1, 1]


def test_a_day_without_midnight_begins_at_the_clock_change() -> None:
    begins = day_begins(pl.Series([date(2018, 11, 4)], dtype=pl.Date), "America/Sao_Paulo")
    assert begins.to_list() == [datetime(2018, 11, 4, 3, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("instant", "hour"),
    [
        ("2018-03-31T14:45", "2018-03-31T14:00"),  # 01:45, before the clock goes back from 02:00 to 01:30
        ("2018-03-31T15:10", "2018-03-31T14:00"),  # 01:40 again: the clock showed 01:00 once only
        ("2018-03-31T15:40", "2018-03-31T15:30"),  # 02:10
        ("2018-10-06T15:40", "2018-10-06T15:30"),  # 02:40, after it went forward from 02:00 to 02:30
    ],
)
def test_an_hour_that_the_clock_changes_within(instant: str, hour: str) -> None:
    of = pl.Series([datetime.fromisoformat(instant).replace(tzinfo=UTC)], dtype=INSTANT)
    assert hour_begins(of, "Australia/Lord_Howe").to_list() == [
        datetime.fromisoformat(hour).replace(tzinfo=UTC)
    ]


WHOLE_HOURS = ["Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kathmandu", "Europe/Istanbul"]
"""Zones whose clock has been changed by whole hours since 1990."""


@settings(max_examples=100, deadline=None, database=None)
@given(
    zone=st.sampled_from(WHOLE_HOURS),
    times=st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2261, 12, 31)), min_size=1),  # noqa: DTZ001
)
def test_an_hour_is_an_instant_at_which_the_clock_shows_a_full_one(zone: str, times: list[datetime]) -> None:
    instants = [time.replace(tzinfo=UTC) for time in times]
    found = hour_begins(pl.Series(instants, dtype=INSTANT), zone).to_list()
    for instant, hour in zip(instants, found, strict=True):
        local, began = instant.astimezone(ZoneInfo(zone)), hour.astimezone(ZoneInfo(zone))
        assert (began.date(), began.hour, began.minute) == (local.date(), local.hour, 0)
        assert timedelta(0) <= instant - hour < timedelta(hours=1)
