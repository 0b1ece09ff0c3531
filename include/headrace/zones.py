"""Instants and the clock of a zone: local times read, days and hours found in which instants lie."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

INSTANT = pl.Datetime("us", "UTC")

KNOWN_UNTIL = 2099
"""The last year whose clock changes polars knows; zoneinfo knows the rules that go on for ever."""


def in_zone(local: pl.Series, zone: str) -> pl.Series:
    """Local times as instants; null for a time that a clock change skips, the first of a doubled one."""
    instants = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    instants = instants.dt.convert_time_zone("UTC")
    later = local.dt.year().is_between(KNOWN_UNTIL + 1, 9998)  # Python's own last year is 9999
    if not later.any():
        return instants
    rules = ZoneInfo(zone)
    exact = [_by_rules(time, rules) for time in local.filter(later)]
    return instants.scatter(later.arg_true(), pl.Series(exact, dtype=INSTANT))


def both_in_zone(instants: pl.Series, zone: str) -> tuple[pl.Series, pl.Series]:
    """The first and the last instant at which the clock there shows what it shows at these.

    They differ where a clock change doubles a local time.
    """
    local = instants.dt.convert_time_zone(zone).dt.replace_time_zone(None)
    earlier, later = (
        local.dt.replace_time_zone(zone, ambiguous=which, non_existent="null").dt.convert_time_zone("UTC")
        for which in ("earliest", "latest")
    )
    return earlier, later


def comes_twice(instants: pl.Series, zone: str) -> pl.Series:
    """Whether the clock there shows the same at another instant."""
    earlier, later = both_in_zone(instants, zone)
    return (earlier != later).fill_null(value=False)


def later_in_zone(instants: pl.Series, zone: str) -> pl.Series:
    """Of instants that are the first of a doubled local time the second; null of all others."""
    earlier, later = both_in_zone(instants, zone)
    return later.zip_with((later != earlier) & (instants == earlier), pl.Series([None], dtype=later.dtype))


def _by_rules(local: datetime, zone: ZoneInfo) -> datetime | None:
    instant = local.replace(tzinfo=zone).astimezone(UTC)
    return instant if instant.astimezone(zone).replace(tzinfo=None) == local else None


def day_begins(days: pl.Series, zone: str) -> pl.Series:
    """The instants at which days begin there; a day whose midnight is skipped begins at the clock change."""
    midnights = days.cast(pl.Datetime("us"))
    instants = in_zone(midnights, zone)
    skipped = instants.is_null() & days.is_not_null()
    if not skipped.any():
        return instants
    rules = ZoneInfo(zone)
    exact = [midnight.replace(tzinfo=rules).astimezone(UTC) for midnight in midnights.filter(skipped)]
    return instants.scatter(skipped.arg_true(), pl.Series(exact, dtype=INSTANT))


def slots_of_days(days: pl.Series, zone: str, every: timedelta) -> pl.Series:
    """How many slots of the cadence each day really has there: 23 or 25 hours when clocks change.

    What is left of such a day when it is no multiple of the cadence is no slot; but a day that there is has
    one. A day that a zone left out, as Samoa did one in 2011, has none.
    """
    whole = (day_begins(days.dt.offset_by("1d"), zone) - day_begins(days, zone)).dt.total_microseconds()
    slots = whole // (every // timedelta(microseconds=1))
    return slots.clip(lower_bound=1).zip_with(whole > 0, slots).rename(days.name)


def slot_begins(instants: pl.Series, zone: str, every: timedelta) -> pl.Series:
    """The instants at which the slots of the cadence begin in which these lie.

    Slots are counted from the day's beginning by the time that passes, as those of completeness. When clocks
    change the day's last one is longer or shorter, by less than half: a day is one slot of a day.
    """
    days = _clock(instants, zone).dt.date()
    begins = day_begins(days, zone)
    whole = (day_begins(days.dt.offset_by("1d"), zone) - begins).dt.total_microseconds()
    size = every // timedelta(microseconds=1)
    last = ((2 * whole + size) // (2 * size) - 1).clip(lower_bound=0)
    slot = (instants - begins).dt.total_microseconds() // size
    slot = slot.zip_with(slot < last, last)
    return begins + (slot * size).cast(pl.Duration("us"))


def hour_begins(instants: pl.Series, zone: str) -> pl.Series:
    """The instants at which the clock there showed the full hours in which these lie.

    Of an hour that a clock change doubles both are told apart; one that it cuts begins with the change.
    """
    local = _clock(instants, zone)
    full = local.dt.truncate("1h")
    naive = instants.dt.replace_time_zone(None)
    begun = full - (local - naive)
    # Where the clock was changed within the hour, the full hour was shown by the clock of before.
    of_then = _clock(begun.dt.replace_time_zone("UTC"), zone) - begun
    return (full - of_then).dt.replace_time_zone("UTC")


def _clock(instants: pl.Series, zone: str) -> pl.Series:
    """What the clock there shows, as times without a zone."""
    local = instants.dt.convert_time_zone(zone).dt.replace_time_zone(None)
    later = local.dt.year().is_between(KNOWN_UNTIL + 1, 9998)
    if not later.any():
        return local
    rules = ZoneInfo(zone)
    exact = [instant.astimezone(rules).replace(tzinfo=None) for instant in instants.filter(later)]
    return local.scatter(later.arg_true(), pl.Series(exact, dtype=local.dtype))
