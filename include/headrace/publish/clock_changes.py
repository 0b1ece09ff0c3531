"""Whether a zone's clock goes back near the days that texts name.

It is asked of each part of a source, so polars, which reads whole columns, is not imported for it: that costs
0.2 s of processor time, twice that where it is not compiled, and 70 MB; few parts hold such a time.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from headrace.contract.time_format import Epoch, time_format
from headrace.contract.time_pattern import TimePattern

DAY = timedelta(days=1)

LONGEST = 40 * 366 * DAY
"""A span of time that is looked through for changes of clocks; of a longer one every row is looked at."""

NEAR = 3 * DAY
"""How far a day that a text names can be from the zone's own: by an offset of 18 hours, by 24:00, by 14 hours
of the zone; and within a day before and behind it the clock goes back from one of its times to the other."""

SURE = date(1970, 1, 1)
"""From when on all copies of the database of zones say the same: the parser's is another than Python's."""

PARTS = ({"yyyy"}, {"M", "MM", "L", "LL"}, {"d", "dd"})
"""Runs of letters whose texts are the numbers of year, month and day."""


class WrittenDays:
    """Reads the days that texts of a contract's formats name."""

    def __init__(self, formats: Sequence[str]) -> None:
        meanings = [time_format(each) for each in formats]
        self.of_instants = all(isinstance(each, Epoch) for each in meanings)
        """Whether no text is a local time."""
        self._formats = [_groups(each) for each in meanings if isinstance(each, TimePattern)]

    def of(self, text: str | None) -> date | None:
        """The day that stands in the text; None if it is not certain: several formats read different ones."""
        found = {_day(text, *each) for each in self._formats} - {None} if text else set()
        return found.pop() if len(found) == 1 else None


def _groups(pattern: TimePattern) -> tuple[re.Pattern[str], list[str]]:
    """The pattern's groups of the year, the month and the day; none if it has not just one of each."""
    groups = [[group for group, run in pattern.groups.items() if run in part] for part in PARTS]
    return re.compile(pattern.regex), [group for (group,) in groups] if all(
        len(each) == 1 for each in groups
    ) else []


def _day(text: str, regex: re.Pattern[str], groups: list[str]) -> date | None:
    found = regex.fullmatch(text) if groups else None
    try:
        return date(*map(int, found.group(*groups))) if found else None
    except (TypeError, ValueError):  # a part that is left out; 31 February
        return None


@lru_cache(maxsize=1024)
def goes_back(zone: str, first: date, last: date) -> bool:
    """Whether the clock there goes back near one of these days, or it is not known."""
    span = last - first
    if span > LONGEST or first - SURE < NEAR or date.max - last <= NEAR:
        return True
    rules, begin = ZoneInfo(zone), datetime(first.year, first.month, first.day, tzinfo=UTC) - NEAR
    days = (begin + number * DAY for number in range(span.days + 2 * NEAR.days + 1))
    offsets = (day.astimezone(rules).utcoffset() or timedelta(0) for day in days)
    return any(after < before for before, after in pairwise(offsets))
