"""A part of a source passes unread only where no clock goes back near its times."""

from datetime import date

import polars as pl
import pytest

from headrace.publish.clock_changes import WrittenDays, goes_back
from headrace.zones import comes_twice

ZONES = ("Europe/Istanbul", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Gaza", "UTC")


@pytest.mark.parametrize(
    ("format", "text", "day"),
    [
        ("dd MM yyyy HH:mm", "28 10 2018 02:30", date(2018, 10, 28)),
        ("yyyy-M-d[ HH:mm]", "2018-3-1", date(2018, 3, 1)),
        ("iso", "2018-10-28T02:30:00+02:00", date(2018, 10, 28)),
        ("dd MM yyyy HH:mm", "31 02 2018 02:30", None),
        ("dd MM yyyy HH:mm", "28 10 2018 02:30\n", None),
        ("dd MMM yyyy", "28 Oct 2018", None),
        ("yyyy DDD", "2018 300", None),
        ("dd MM yy", "28 10 18", None),
        ("yyyy-MM[-dd]", "2018-10", None),
        ("epoch_s", "1540686600", None),
        ("iso", None, None),
    ],
)
def test_the_day_of_a_text(format: str, text: str | None, day: date | None) -> None:  # noqa: A002
    assert WrittenDays([format]).of(text) == day


def test_a_day_that_formats_read_in_two_ways_is_not_certain() -> None:
    days = WrittenDays(["dd/MM/yyyy", "MM/dd/yyyy"])
    assert days.of("05/06/2018") is None
    assert days.of("28/10/2018") == date(2018, 10, 28)
    assert days.of("05/05/2018") == date(2018, 5, 5)


@pytest.mark.parametrize("zone", ZONES)
def test_no_time_comes_twice_where_the_clock_does_not_go_back(zone: str) -> None:
    """By polars, which knows of each quarter of an hour whether the clock shows it twice."""
    steps = pl.datetime_range(date(2000, 1, 1), date(2030, 1, 1), "15m", time_zone="UTC", eager=True)
    twice = set(steps.filter(comes_twice(steps, zone)).dt.date())
    days = [day for day in steps.dt.date().unique() if goes_back(zone, day, day)]
    assert twice <= set(days)
    changes = {(day.year, day.month) for day in twice}
    assert len(days) <= 8 * max(1, len(changes))  # and it says so of the days near a change alone


def test_what_is_not_known_may_go_back() -> None:
    assert goes_back("UTC", date(1950, 1, 1), date(1950, 1, 1))
    assert goes_back("UTC", date(2000, 1, 1), date(2050, 1, 1))
    assert goes_back("UTC", date(9999, 12, 31), date(9999, 12, 31))
    assert not goes_back("UTC", date(2000, 1, 1), date(2030, 1, 1))
