"""What people ask the tables."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from headrace.tables.queries import slots_of_day


@pytest.mark.parametrize(
    ("day", "slots"), [(date(2018, 3, 24), 144), (date(2018, 3, 25), 138), (date(2018, 10, 28), 150)]
)
def test_a_day_has_as_many_slots_as_its_clock_gives_it(day: date, slots: int) -> None:
    assert slots_of_day(day, ZoneInfo("Europe/Berlin"), timedelta(minutes=10)) == slots
