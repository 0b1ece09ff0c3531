"""Texts to instants, by the contract's formats and zone, strictly."""

from collections.abc import Iterator, Sequence
from functools import cache
from zoneinfo import available_timezones

import polars as pl

from headrace.contract.time_format import Epoch, time_format
from headrace.contract.time_pattern import FIELDS, MONTHS, TimePattern
from headrace.parse.epoch_time import EpochTime
from headrace.zones import in_zone

SECOND = 1_000_000
DAY = 24 * 3600 * SECOND


class EventTime:
    """A contract's formats and zone, ready to read columns of texts."""

    def __init__(self, formats: Sequence[str], timezone: str) -> None:
        """Raise ValueError for a format that cannot be read or cannot be meant."""
        self._readers = [_reader(time_format(each), timezone) for each in formats]

    def instants(self, texts: pl.Series) -> pl.Series:
        """The instants, by the first format that reads a text; null where none does.

        Null is a time that a clock change skips, too; of one that it doubles it is the first. An offset or a
        zone in the text goes before the contract's zone.
        """
        first, *others = self._readers
        found = first.instants(texts)
        for reader in others:
            unread = (found.is_null() & texts.is_not_null()).arg_true()
            if not len(unread):
                break
            found = found.scatter(unread, reader.instants(texts.gather(unread)))
        return found


def _reader(meaning: TimePattern | Epoch, timezone: str) -> "PatternTime | EpochTime":
    return EpochTime(meaning) if isinstance(meaning, Epoch) else PatternTime(meaning, timezone)


class PatternTime:
    """Reads columns of texts of one pattern."""

    def __init__(self, pattern: TimePattern, timezone: str) -> None:
        self._pattern = pattern
        self._timezone = timezone
        self._times = [
            _local(self._pattern).alias("local"),
            _field(self._pattern, "offset").alias("offset"),
            _zone(self._pattern).alias("zone"),
        ]

    def instants(self, texts: pl.Series) -> pl.Series:
        """The instants; null where a text is no time of the pattern, or one that a clock change skips."""
        groups = texts.str.extract_groups(self._pattern.regex).struct.unnest()
        times = groups.lazy().select(self._times).collect()
        local = times["local"]
        here = in_zone(local, self._timezone)
        if not self._pattern.runs("offset") and not self._pattern.runs("zone"):
            return here
        offset, zone = pl.col("offset"), pl.col("zone")
        by_offset = (pl.col("local") - pl.duration(seconds=offset)).dt.replace_time_zone("UTC")
        regions = times["zone"].drop_nulls().unique()
        by_zone = [pl.when(zone == region).then(in_zone(local, region)) for region in regions if region]
        by_contract = pl.when(offset.is_null() & zone.is_null()).then(here)
        return times.select(pl.coalesce(by_offset, *by_zone, by_contract)).to_series()


@cache
def _regions() -> dict[str, str]:
    """The zones' names by themselves in lower case, as far as polars knows them."""
    return {name.lower(): name for name in available_timezones() if _known(name)} | {"z": "UTC", "ut": "UTC"}


def _known(zone: str) -> bool:
    try:
        pl.Series([], dtype=pl.Datetime("us")).dt.replace_time_zone(zone)
    except pl.exceptions.ComputeError:
        return False  # `localtime` and `Factory` are in the database's folder and name no place
    return True


def _local(pattern: TimePattern) -> pl.Expr:
    """The wall clock's time; null where the parts make none, such as 31 February."""
    year, day_of_year = _field(pattern, "year"), _field(pattern, "day of the year")
    month = _field(pattern, "month").fill_null(1)
    day = pl.coalesce(_field(pattern, "day"), day_of_year, 1)
    date = pl.datetime(year, month, 1) + pl.duration(days=day - 1)
    half, hour = _field(pattern, "half of the day"), _field(pattern, "hour")
    hour_now = pl.coalesce(hour, _field(pattern, "hour of half a day") + 12 * half, 0)
    minute, second = (_field(pattern, name).fill_null(0) for name in ("minute", "second"))
    fraction = _field(pattern, "fraction").fill_null(0)
    clock = (hour_now * 3600 + minute * 60 + second) * SECOND + fraction
    possible = pl.all_horizontal(
        date.dt.year() == year,
        day_of_year.is_not_null() | (date.dt.month() == month),
        clock <= DAY,  # 24:00 is the next day's midnight, 24:01 is nothing
        ((hour >= 12) == (half == 1)).fill_null(value=True),
        (_field(pattern, "offset").abs() <= 18 * 3600).fill_null(value=True),
        *_agreements(pattern),
    )
    return pl.when(possible).then(date + pl.duration(microseconds=clock))


def _field(pattern: TimePattern, field: str) -> pl.Expr:
    """The number of a field, of the first of its groups that took part; null where none did."""
    return pl.coalesce(*_numbers(pattern, field), pl.lit(None, pl.Int64))


def _numbers(pattern: TimePattern, field: str) -> list[pl.Expr]:
    return [_number(run, pl.col(group)) for group, run in pattern.runs(field).items()]


def _agreements(pattern: TimePattern) -> Iterator[pl.Expr]:
    """Of each field that can stand there twice: whether it is the same both times."""
    for field in set(FIELDS.values()) - {"zone"}:
        numbers = _numbers(pattern, field)
        if len(numbers) > 1:
            yield (pl.min_horizontal(numbers) == pl.max_horizontal(numbers)).fill_null(value=True)


def _zone(pattern: TimePattern) -> pl.Expr:
    """The zone that is named, as the database writes it; an empty text for one that is not in it."""
    if not pattern.runs("zone"):
        return pl.lit(None, pl.String)
    named = pl.coalesce(*pattern.runs("zone")).str.to_lowercase()
    return pl.when(named.is_not_null()).then(named.replace_strict(_regions(), default=""))


def _number(run: str, text: pl.Expr) -> pl.Expr:
    """What the text of a group stands for; seconds for an offset, microseconds for a fraction."""
    if run[0] in "ML" and len(run) > 2:
        names = {name[:3]: number for number, name in enumerate(MONTHS, 1)}
        return text.str.head(3).str.to_lowercase().replace_strict(names, default=None, return_dtype=pl.Int64)
    if run == "a":
        return (text.str.to_lowercase() == "pm").cast(pl.Int64)
    if run[0] == "S":
        return text.str.pad_end(6, "0").str.head(6).cast(pl.Int64)
    if run[0] in "XxZ":
        return _seconds_of_offset(text)
    number = text.cast(pl.Int64)
    if run == "yy":
        return number + 2000
    return number % 12 if run[0] in "hK" else number


def _seconds_of_offset(text: pl.Expr) -> pl.Expr:
    digits = text.str.replace_all(":", "", literal=True)
    hours, minutes, seconds = (
        digits.str.slice(at, 2).cast(pl.Int64, strict=False).fill_null(0) for at in (1, 3, 5)
    )
    size = hours * 3600 + minutes * 60 + seconds
    return pl.when(text.str.starts_with("-")).then(-size).when(text.is_not_null()).then(size)
