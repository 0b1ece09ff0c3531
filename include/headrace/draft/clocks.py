"""In which zone a sample's clocks stand: by the offsets in its times, else by hours that clocks skip."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import polars as pl
from pydantic import TypeAdapter

from headrace.contract.field_types import Zone
from headrace.contract.time_format import Epoch, time_format
from headrace.draft.guess import Guess
from headrace.draft.times import EPOCHS, Time

COMMON = (
    *("UTC", "Europe/Berlin", "Europe/London", "Europe/Helsinki", "Europe/Istanbul", "Europe/Moscow"),
    *("America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles"),
    *("America/Sao_Paulo", "America/Toronto", "Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo", "Asia/Dubai"),
    *("Australia/Sydney", "Australia/Brisbane", "Pacific/Auckland", "Africa/Johannesburg", "Africa/Lagos"),
)
"""One zone for each way that clocks go where many people live; the first of those that fit is proposed."""

Change = tuple[datetime, timedelta]
"""What clocks show when they are changed, and how far they jump."""

STEP = timedelta(days=10)
"""Clocks are changed once in so many days at the most."""

zone_of = TypeAdapter[str](Zone).validate_python
"""A zone's name as a contract takes it; raises ValueError for any other."""

QUESTION = "In which zone do its clocks stand (a name such as Europe/Istanbul)?"


def guess_zone(time: Time, texts: pl.Series, devices: pl.Series | None, given: str | None) -> Guess[str]:
    """The zone that decides where days begin, and which instant a local time is."""
    if given:
        return Guess(given, "given by --timezone")
    if any(written in EPOCHS for written in time.formats):
        return Guess("UTC", "numbers since 1970 are instants; days are counted in UTC")
    if not time.has_clock:
        return Guess("UTC", "days without a clock are the same days in every zone")
    if not time.exact:
        return _by_changes(time, devices)
    guess = _by_offsets(time, texts)
    if time.exact == time.read:
        return guess
    saw = f"{guess.saw}; {time.read - time.exact:,} times say no offset: they are read as local times there"
    return replace(guess, saw=saw, sure=False, question=QUESTION, read=zone_of)


def _by_offsets(time: Time, texts: pl.Series) -> Guess[str]:
    offsets = pl.concat([_offsets(written, texts, time.instants) for written in time.formats])
    if offsets.is_empty():
        return Guess("UTC", "each time names its zone; days are counted in UTC")
    found = offsets["offset"].unique().sort().to_list()
    shown = ", ".join(map(_written, found[:4]))
    if found == [0]:
        return Guess("UTC", "each time says Z or +00:00")
    extremes = _extremes(offsets)
    fitting = [zone for zone in _zones() if _fits(zone, extremes)]
    if not fitting:
        saw = f"the times say {shown}, which no zone's clocks do; they are instants, days are counted in UTC"
        return Guess("UTC", saw, False, QUESTION, (), zone_of)
    others = tuple(zone for zone in COMMON if zone in fitting and zone != fitting[0])
    many = f" ({len(fitting)} zones have these clocks)" if len(fitting) > 1 else ""
    saw = f"the times say {shown}, when the clocks of {fitting[0]} do{many}"
    return Guess(fitting[0], saw, len(found) > 1, QUESTION, others, zone_of)


def _offsets(written: str, texts: pl.Series, instants: pl.Series) -> pl.DataFrame:
    """Instants with the seconds that their texts say they are away from UTC."""
    meaning = time_format(written)
    groups = [] if isinstance(meaning, Epoch) else [*meaning.runs("offset")]
    if isinstance(meaning, Epoch) or not groups:
        return pl.DataFrame(schema={"instant": instants.dtype, "offset": pl.Int64})
    found = texts.str.extract_groups(meaning.regex).struct.unnest().select(pl.coalesce(*groups)).to_series()
    digits = found.str.replace_all(":", "", literal=True)
    hours, minutes = (digits.str.slice(at, 2).cast(pl.Int64, strict=False).fill_null(0) for at in (1, 3))
    sign = digits.str.starts_with("-").cast(pl.Int64) * -2 + 1
    frame = pl.DataFrame({"instant": instants, "offset": sign * (hours * 3600 + minutes * 60)})
    return frame.filter(found.is_not_null() & instants.is_not_null())


def _zones() -> list[str]:
    """Every place's zone, common ones first."""
    names = sorted(
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/"))
    )
    return [*COMMON, *(name for name in names if name not in COMMON)]


def _fits(zone: str, extremes: list[tuple[datetime, int]]) -> bool:
    """Whether that zone's clocks were so far from UTC at each of the instants."""
    rules = ZoneInfo(zone)
    return all(_seconds(instant, rules) == offset for instant, offset in extremes)


def _extremes(offsets: pl.DataFrame) -> list[tuple[datetime, int]]:
    """The first and the last instant of each offset on each day: no zone changes its clocks twice a day."""
    days = offsets.group_by(pl.col("instant").dt.truncate("1d").alias("day"), "offset")
    ends = days.agg(first=pl.col("instant").min(), last=pl.col("instant").max())
    return [*ends.select("first", "offset").iter_rows(), *ends.select("last", "offset").iter_rows()]


def _seconds(instant: datetime, zone: ZoneInfo) -> int:
    offset = instant.astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _written(seconds: int) -> str:
    sign, size = "-" if seconds < 0 else "+", abs(seconds)
    return f"{sign}{size // 3600:02}:{size % 3600 // 60:02}"


def _by_changes(time: Time, devices: pl.Series | None) -> Guess[str]:
    """Of local times: whether an hour is skipped in spring and stands twice in autumn, as in some zone."""
    local = time.instants.dt.replace_time_zone(None)
    twice = pl.DataFrame([local, *([] if devices is None else [devices.alias("device")])]).is_duplicated()
    twice, local = local.filter(twice).drop_nulls(), local.drop_nulls()
    changes = {zone: _changes(local, zone) for zone in COMMON}
    possible = tuple(zone for zone in COMMON if not _shown_of_skipped(local, changes[zone]))
    saw = "its times say no zone"
    other = next((zone for zone in COMMON if zone not in possible), None)
    if other:
        saw += f"; not {other} and its like: times stand in the hour that clocks skip there in spring"
    for zone in possible:
        doubled, skipped = _doubled(twice, changes[zone]), _skips(local, changes[zone])
        if doubled or skipped:
            where = (
                "stand twice where clocks go back" if doubled else "are left out where clocks skip an hour"
            )
            like = f"; as in {zone}: times {where} there"
            rest = tuple(each for each in possible if each != zone)
            return Guess(zone, saw + like, False, QUESTION, rest[:6], zone_of)
    return Guess("UTC", saw, False, QUESTION, possible[1:6], zone_of)


def _changes(local: pl.Series, zone: str) -> list[Change]:
    """The local times at which the clocks there jump, and by how much, in the years of the sample."""
    rules = ZoneInfo(zone)
    begin, end = local.min(), local.max()
    if not isinstance(begin, datetime) or not isinstance(end, datetime):
        return []
    found, instant = [], begin.replace(tzinfo=UTC) - STEP
    while instant < end.replace(tzinfo=UTC) + STEP:
        before, after = _seconds(instant, rules), _seconds(instant + STEP, rules)
        if before != after:
            found.append((_shown_at_change(instant, before, rules), timedelta(seconds=after - before)))
        instant += STEP
    return found


def _shown_at_change(instant: datetime, before: int, rules: ZoneInfo) -> datetime:
    """The local time that clocks show when they are changed, some time behind that instant."""
    begin, end = instant, instant + STEP
    while end - begin > timedelta(minutes=1):
        middle = begin + (end - begin) / 2
        begin, end = (middle, end) if _seconds(middle, rules) == before else (begin, middle)
    change = end.replace(second=0, microsecond=0)
    return (change + timedelta(seconds=before)).replace(tzinfo=None)


def _shown_of_skipped(local: pl.Series, changes: list[Change]) -> int:
    """How many times stand where clocks jump ahead."""
    return sum(
        int(local.is_between(at, at + jump, closed="left").sum())
        for at, jump in changes
        if jump > timedelta(0)
    )


def _skips(local: pl.Series, changes: list[Change]) -> bool:
    """Whether no time stands where clocks jump ahead, and some do just before and just behind."""
    ahead = [(at, jump) for at, jump in changes if jump > timedelta(0)]
    around = (
        local.is_between(begin, begin + jump, closed="left").any()
        for at, jump in ahead
        for begin in (at - jump, at + jump)
    )
    return bool(ahead) and all(around) and not _shown_of_skipped(local, changes)


def _doubled(twice: pl.Series, changes: list[Change]) -> int:
    """How many of the times that stand twice do where clocks go back, if most of them do."""
    back = [(at + jump, at) for at, jump in changes if jump < timedelta(0)]
    there = sum(int(twice.is_between(begin, end, closed="left").sum()) for begin, end in back)
    return there if there > len(twice) / 2 else 0
