"""Which column holds a record's time, and in which format: each is held against all of its texts."""

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta

import polars as pl

from headrace.contract.time_format import ISO, Epoch, time_format
from headrace.draft.columns import Column
from headrace.draft.guess import Guess, share
from headrace.draft.look import Look
from headrace.draft.patterns import clock_patterns_of, patterns_of
from headrace.parse.event_time import EventTime

LOOKED_AT = 40
"""Texts of a column whose looks say which patterns are tried."""

FIRST = 2_000
"""Texts on which each pattern is tried before the best are tried on all."""

LEAST = 0.9
"""Of a column's texts, that a time must be read from."""

MOST_FORMATS = 3

NAMED = (
    r"(^|[^a-z])(event|measured?|observed|sample|reading|record)?_?(time|timestamp|datetime|date_time|ts|at|on)([^a-z]|$)",
    r"time|date|datum|zeit|fecha|data|stamp|tijd|dato|tarih|horodat|cas|day|when|measured_on",
)
"""What columns of an event's time are called, the likeliest first."""

NOT_THE_EVENTS = r"(?i)creat|updat|insert|ingest|receiv|load|modif|end|expir|birth|due|process|upload|publish"
"""What columns of other times are called."""

YEARS = r"(?i)year|jahr|ann[eé]e|a[nñ]o|\bjaar\b|\byr\b"
"""What a column must be called for its four digits to be years."""

EPOCHS = {"epoch_s": 1, "epoch_ms": 10**3, "epoch_us": 10**6, "epoch_ns": 10**9}
SINCE, UNTIL = 631_152_000, 4_102_444_800
"""Seconds of 1990 and 2100: outside of them a number is no time since 1970."""

Counted = tuple[pl.Series, pl.Series]
"""Different texts, and in how many rows each stands."""


@dataclass(frozen=True)
class Time:
    """Where a time stands and in which formats; `read` of `filled` texts are one.

    `exact`: of these, how many say themselves which instant they are. `order`: what says which number is the
    day; `rival`: the format with day and month the other way round, if it reads as many.
    `instants`: as read in UTC, null where a text is none.
    """

    fields: tuple[str, ...]
    formats: tuple[str, ...]
    read: int
    filled: int
    exact: int
    instants: pl.Series = field(compare=False, repr=False)
    order: str = ""
    rival: str | None = None

    @property
    def name(self) -> str:
        """As a person reads it."""
        return f"{' and '.join(self.fields)} as {' or '.join(self.formats)}"

    @property
    def has_clock(self) -> bool:
        """Whether it has hours, and is no day."""
        return any(map(_has_clock, self.formats))

    @property
    def saw(self) -> str:
        """What speaks for it."""
        order = f"; {self.order}" if self.order else ""
        return f"{share(self.read, self.filled)} texts read as {' or '.join(self.formats)}{order}"


def find_times(look: Look, columns: tuple[Column, ...]) -> list[Time]:
    """Every time that the sample holds, the likeliest to be the event's first."""
    found = []
    for column in columns:
        if column.kind == "text" or column.whole:
            time = _epoch(look, column) or _time(look, column)
            if time and time.read >= LEAST * time.filled and not _is_any_number(time):
                found.append(time)
    found += _split(look, columns, found)
    return sorted(found, key=lambda each: _rank(each, look.names), reverse=True)


def guess_time(times: list[Time]) -> Guess[Time]:
    """The likeliest, sure where no other column is as likely and nothing else reads as many of its texts."""
    best, others = times[0], times[1:]
    alike = [each for each in others if _alike(best, each)]
    saw = best.saw
    if alike:
        saw += f"; {alike[0].name} would do as well"
    sure = not alike and best.rival is None and best.formats != ("yyyy",) and best.read >= 0.99 * best.filled
    question = "Which is the time at which a record's event happened?"
    rivals = () if best.rival is None else (_other_way_round(best, best.rival),)
    return Guess(best, saw, sure, question, (*rivals, *others))


def instants_of(look: Look, time: Time) -> pl.Series:
    """The instants of the sample's rows by that reading, in UTC."""
    return _instants(time.formats, look.texts(time.fields))


def _is_any_number(time: Time) -> bool:
    return time.formats == ("yyyy",) and not re.search(YEARS, time.fields[0])


def _has_clock(written: str) -> bool:
    return written == ISO or written in EPOCHS or bool(re.search("[HhKk]", written))


def _rank(time: Time, names: tuple[str, ...]) -> tuple[float, ...]:
    name = time.fields[0].lower()
    called = next((2 - n for n, look in enumerate(NAMED) if re.search(look, name)), 0)
    another = bool(re.search(NOT_THE_EVENTS, name))
    coarse = time.formats[0] in ("yyyy", "yyyy-MM")
    return (not another, not coarse, time.has_clock, called, -names.index(time.fields[0]))


def _alike(best: Time, other: Time) -> bool:
    """Whether nothing but its place says that the one is the event's time and the other is not."""
    names = tuple(dict.fromkeys((*best.fields, *other.fields)))
    shared = set(best.fields) & set(other.fields)
    return not shared and _rank(best, names)[:-1] == _rank(other, names)[:-1]


def _other_way_round(time: Time, written: str) -> Time:
    """Day and month exchanged; whoever takes it reads the instants anew."""
    return replace(time, formats=(written,), rival=None, order="day and month the other way round")


def _instants(formats: tuple[str, ...], texts: pl.Series) -> pl.Series:
    return EventTime(formats, "UTC").instants(texts)


def _counted(texts: pl.Series) -> Counted:
    counts = texts.alias("text").drop_nulls().value_counts(name="rows")
    return counts["text"], counts["rows"]


def _epoch(look: Look, column: Column) -> Time | None:
    """A number since 1970, by its size."""
    if column.kind != "number" or column.lowest is None or column.highest is None:
        return None
    for unit, size in EPOCHS.items():
        if SINCE * size <= column.lowest and column.highest <= UNTIL * size:
            instants = _instants((unit,), look.column(column.name))
            read = len(instants) - instants.null_count()
            years = f"then they lie in {instants.dt.year().min()!s} to {instants.dt.year().max()!s}"
            return Time((column.name,), (unit,), read, column.filled, read, instants, years)
    return None


def _time(look: Look, column: Column) -> Time | None:
    texts = look.column(column.name)
    counted = _counted(texts)
    best = _best(_patterns(counted[0]), counted)
    if best is None:
        return None
    order, rival = _day_and_month(best, counted)
    if rival and _largest_step(rival, counted[0]) < _largest_step(best, counted[0]):
        best, rival = rival, best
        order += f"; as {rival} the days would lie further apart"
    formats = _with_others(best, counted)
    instants = _instants(formats, texts)
    read = len(instants) - instants.null_count()
    exact = sum(_exact(each, counted) for each in formats)
    return Time((column.name,), formats, read, column.filled, exact, instants, order, rival)


def _patterns(texts: pl.Series) -> list[str]:
    """The formats that some of the texts look like, strict ones first."""
    tried = texts.gather_every(max(1, len(texts) // LOOKED_AT))
    found = list(dict.fromkeys(pattern for text in tried for pattern in patterns_of(text)))
    iso = [ISO] if any(re.match("[0-9]{4}-[0-9]{2}-[0-9]{2}", text) for text in tried) else []
    return [*found, *iso]


def _best(patterns: list[str], counted: Counted) -> str | None:
    """The format that reads the most rows; of equal ones the first, which is the strictest."""
    texts, rows = counted
    some = max(1, len(texts) // FIRST)
    tried = {each: _read(each, (texts.gather_every(some), rows.gather_every(some))) for each in patterns}
    most = max(tried.values(), default=0)
    found: dict[str, int] = {}
    for pattern in (each for each, read in tried.items() if read >= 0.9 * most > 0):
        found[pattern] = _read(pattern, counted)
        if found[pattern] == rows.sum():
            break  # those behind it are laxer
    return max(found, key=lambda each: found[each], default=None)


def _with_others(best: str, counted: Counted) -> tuple[str, ...]:
    """That format, and further ones for the texts that it does not read."""
    formats: tuple[str, ...] = (best,)
    while len(formats) < MOST_FORMATS:
        unread = _instants(formats, counted[0]).is_null()
        if not unread.any():
            break
        rest = (counted[0].filter(unread), counted[1].filter(unread))
        another = _best(_patterns(rest[0]), rest)
        if another is None or another in formats:
            break
        formats = (*formats, another)
    return formats


def _read(pattern: str, counted: Counted) -> int:
    """The rows whose text the format reads."""
    try:
        instants = _instants((pattern,), counted[0])
    except ValueError:
        return 0
    return int(counted[1].filter(instants.is_not_null()).sum())


def _exact(written: str, counted: Counted) -> int:
    """The rows whose text says its offset or zone."""
    meaning = time_format(written)
    if isinstance(meaning, Epoch):
        return _read(written, counted)
    said = [*meaning.runs("offset"), *meaning.runs("zone")]
    if not said:
        return 0
    groups = counted[0].str.extract_groups(meaning.regex).struct.unnest()
    return int(counted[1].filter(groups.select(pl.coalesce(*said).is_not_null()).to_series()).sum())


def _largest_step(pattern: str, texts: pl.Series) -> timedelta:
    """The longest time without a record: confused with the month, days would lie a month apart."""
    longest = _instants((pattern,), texts).drop_nulls().unique().sort().diff().max()
    return longest if isinstance(longest, timedelta) else timedelta(0)


def _day_and_month(pattern: str, counted: Counted) -> tuple[str, str | None]:
    """What says which of two numbers is the day, and the rival format if nothing does."""
    meaning = time_format(pattern)
    if isinstance(meaning, Epoch) or not meaning.runs("day"):
        return "", None
    if any(len(run) > 2 for run in meaning.runs("month").values()):
        return "", None
    if pattern == ISO or pattern.startswith("y"):
        return "year first", None
    swapped = pattern.translate(str.maketrans("dM", "Md"))
    first = "day" if pattern.index("d") < pattern.index("M") else "month"
    only = _read(pattern, counted) - _read(swapped, counted)
    if only > 0:
        where = "first" if first == "day" else "second"
        return f"{first} first: 13 to 31 stands in the {where} place in {only:,} rows", None
    return "day or month first: no number is above 12 in either place", swapped


def _split(look: Look, columns: tuple[Column, ...], times: list[Time]) -> list[Time]:
    """Times of a column of days and another one of clocks beside it."""
    days = [time for time in times if not time.has_clock and time.formats != ("yyyy",)]
    known = {name for time in times for name in time.fields}
    clocks = {column.name: _clock(look, column) for column in columns if column.name not in known and days}
    found = []
    for day, (name, clock) in ((day, each) for day in days for each in clocks.items()):
        if clock is None:
            continue
        fields, written = (*day.fields, name), f"{day.formats[0]} {clock}"
        texts = look.texts(fields)
        instants = _instants((written,), texts)
        read, filled = len(texts) - instants.null_count(), len(texts) - texts.null_count()
        if read >= LEAST * filled > 0:
            exact = _exact(written, _counted(texts))
            rival = day.rival and f"{day.rival} {clock}"
            found.append(Time(fields, (written,), read, filled, exact, instants, day.order, rival))
    return found


def _clock(look: Look, column: Column) -> str | None:
    """The format of a column of times of day."""
    if column.kind != "text":
        return None
    texts, rows = _counted(look.column(column.name))
    tried = texts.gather_every(max(1, len(texts) // LOOKED_AT))
    patterns = list(dict.fromkeys(pattern for text in tried for pattern in clock_patterns_of(text)))
    dated = ("2000 " + texts, rows)
    best = _best([f"yyyy {clock}" for clock in patterns], dated)
    if best is None or _read(best, dated) < LEAST * column.filled:
        return None
    return best.removeprefix("yyyy ")
