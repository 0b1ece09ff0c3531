"""Which column holds a record's time, and by which pattern: each is held against all of its texts."""

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta

import polars as pl

from headrace.contract.time_pattern import translated
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
"""Of a column's texts, that a pattern must read for the column to be a time."""

NAMED = (
    r"(^|[^a-z])(event|measured?|observed|sample|reading|record)?_?(time|timestamp|datetime|date_time|ts|at|on)([^a-z]|$)",
    r"time|date|datum|zeit|fecha|data|stamp|tijd|dato|tarih|horodat|cas|day|when|measured_on",
)
"""What columns of an event's time are called, the likeliest first."""

NOT_THE_EVENTS = r"(?i)creat|updat|insert|ingest|receiv|load|modif|end|expir|birth|due|process|upload|publish"
"""What columns of other times are called."""

EPOCHS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
YEARS = r"(?i)year|jahr|ann[eé]e|a[nñ]o|\bjaar\b|\byr\b"
"""What a column must be called for its four digits to be years."""

SINCE, UNTIL = 631_152_000, 4_102_444_800
"""Seconds of 1990 and 2100: outside of them a number is no time since 1970."""


@dataclass(frozen=True)
class Time:
    """Where a time stands and how it is read; `epoch`: the unit where it is a number since 1970.

    `instants`: as read in UTC, null where a text is none.
    """

    fields: tuple[str, ...]
    pattern: str
    read: int
    filled: int
    instants: pl.Series = field(compare=False, repr=False)
    epoch: str | None = None
    order: str = ""
    rival: str | None = None

    @property
    def name(self) -> str:
        """As a person reads it."""
        how = f"{self.epoch} since 1970" if self.epoch else self.pattern
        return f"{' and '.join(self.fields)} as {how}"

    @property
    def exact(self) -> bool:
        """Whether the text itself says which instant it is."""
        return self.epoch is not None or says_offset(self.pattern)

    @property
    def saw(self) -> str:
        """What speaks for it."""
        order = f"; {self.order}" if self.order else ""
        return f"{share(self.read, self.filled)} texts read as {self.epoch or self.pattern}{order}"


def says_offset(pattern: str) -> bool:
    """Whether texts of the pattern say their offset or zone."""
    read = translated(pattern)
    return bool(read.runs("offset") or read.runs("zone"))


def find_times(look: Look, columns: tuple[Column, ...]) -> list[Time]:
    """Every time that the sample holds, the likeliest to be the event's first."""
    found = []
    for column in columns:
        if column.kind != "empty" and (column.kind == "text" or column.whole):
            time = _epoch(look, column) or _time(look, column)
            if time and time.read >= LEAST * time.filled and not _is_any_number(time):
                found.append(time)
    found += _split(look, columns, found)
    return sorted(found, key=lambda each: _rank(each, look.names), reverse=True)


def _is_any_number(time: Time) -> bool:
    return time.pattern == "yyyy" and not re.search(YEARS, time.fields[0])


def _rank(time: Time, names: tuple[str, ...]) -> tuple[float, ...]:
    name = time.fields[0].lower()
    called = next((2 - n for n, look in enumerate(NAMED) if re.search(look, name)), 0)
    fine = time.epoch is not None or len(time.fields) > 1 or bool(re.search("[Hhk]", time.pattern))
    years_only = time.pattern in ("yyyy", "yyyy-MM")
    another = bool(re.search(NOT_THE_EVENTS, name))
    return (not another, not years_only, fine, called, -names.index(time.fields[0]))


def guess_time(times: list[Time]) -> Guess[Time]:
    """The likeliest, sure where no other column is as likely and nothing else reads as many of its texts."""
    best, others = times[0], times[1:]
    alike = [each for each in others if _alike(best, each)]
    saw = best.saw
    if alike:
        saw += f"; {alike[0].name} would do as well"
    sure = not alike and best.rival is None and best.pattern != "yyyy"
    question = "Which is the time at which a record's event happened?"
    rivals = () if best.rival is None else (_swapped(best, best.rival),)
    return Guess(best, saw, sure, question, (*rivals, *others))


def _alike(best: Time, other: Time) -> bool:
    """Whether nothing but its place says that the one is the event's time and the other is not."""
    names = tuple(dict.fromkeys((*best.fields, *other.fields)))
    shared = set(best.fields) & set(other.fields)
    return not shared and _rank(best, names)[:-1] == _rank(other, names)[:-1]


def _swapped(time: Time, pattern: str) -> Time:
    """The other way round; whoever takes it reads the instants anew."""
    return replace(time, pattern=pattern, rival=None, order="day and month the other way round")


def instants_of(look: Look, time: Time) -> pl.Series:
    """The instants of the sample's rows by that reading, in UTC."""
    if time.epoch:
        return time.instants
    return _instants(time.pattern, look.texts(time.fields))


def _instants(pattern: str, texts: pl.Series) -> pl.Series:
    return EventTime(pattern, "UTC").instants(texts)


def _epoch(look: Look, column: Column) -> Time | None:
    """A number since 1970, by its size."""
    if column.kind != "number" or not column.whole or column.lowest is None or column.highest is None:
        return None
    for unit, size in EPOCHS.items():
        if SINCE * size <= column.lowest and column.highest <= UNTIL * size:
            numbers = look.column(column.name).str.strip_chars().cast(pl.Int64, strict=False)
            micros = numbers * (10**6 // size) if size <= 10**6 else numbers // 1000
            instants = micros.cast(pl.Datetime("us", "UTC"))
            read = len(instants) - instants.null_count()
            years = f"{instants.dt.year().min()} to {instants.dt.year().max()}"
            return Time(
                (column.name,),
                unit,
                read,
                column.filled,
                instants,
                epoch=unit,
                order=f"then they lie in {years}",
            )
    return None


def _time(look: Look, column: Column) -> Time | None:
    texts = look.column(column.name)
    counts = texts.drop_nulls().value_counts(name="rows")
    distinct, rows = counts.to_series(0), counts["rows"]
    tried = distinct.gather_every(max(1, len(distinct) // LOOKED_AT))
    patterns = _with_optional_ends(list(dict.fromkeys(p for text in tried for p in patterns_of(text))))
    best = _best(patterns, distinct, rows)
    if best is None:
        return None
    pattern, read = best
    order, rival = _day_and_month(pattern, distinct, rows, read)
    if rival and _largest_step(rival, texts) < _largest_step(pattern, texts):
        pattern, rival = rival, pattern
        order += f"; {pattern} is taken, as {rival} the days would lie further apart"
    instants = _instants(pattern, texts)
    return Time((column.name,), pattern, read, column.filled, instants, order=order, rival=rival)


def _largest_step(pattern: str, texts: pl.Series) -> timedelta:
    """The longest time without a record: confused with the month, days would lie a month apart."""
    steps = _instants(pattern, texts).drop_nulls().unique().sort().diff()
    return steps.max() or timedelta(0)  # type: ignore[return-value]  # of durations


def _best(patterns: list[str], texts: pl.Series, rows: pl.Series) -> tuple[str, int] | None:
    """The pattern that reads the most rows; of equal ones the first, which is the strictest."""
    some = slice(None, None, max(1, len(texts) // FIRST))
    tried = {pattern: _read(pattern, texts[some], rows[some]) for pattern in patterns}
    most = max(tried.values(), default=0)
    final = [pattern for pattern, read in tried.items() if read >= 0.9 * most > 0]
    all_read: list[tuple[str, int]] = []
    for pattern in final:
        all_read.append((pattern, _read(pattern, texts, rows)))
        if all_read[-1][1] == rows.sum():
            break  # those behind it are laxer
    return max(all_read, key=lambda each: each[1], default=None)


def _read(pattern: str, texts: pl.Series, rows: pl.Series) -> int:
    try:
        instants = _instants(pattern, texts)
    except ValueError:
        return 0
    return int(rows.filter(instants.is_not_null()).sum())


def _with_optional_ends(patterns: list[str]) -> list[str]:
    """The patterns, and for each pair of which one is the other's beginning both in one."""
    both = [
        f"{one}[{other[len(one) :]}]"
        for one in patterns
        for other in patterns
        if other != one and other.startswith(one)
    ]
    return [*patterns, *both[:50]]


def _day_and_month(pattern: str, texts: pl.Series, rows: pl.Series, read: int) -> tuple[str, str | None]:
    """What says which of two numbers is the day, and the rival pattern if nothing does."""
    read_by = translated(pattern)
    if not read_by.runs("day") or any(len(run) > 2 for run in read_by.runs("month").values()):
        return "", None
    if pattern.startswith("y"):
        return "year first" if "d" in pattern else "", None
    swapped = pattern.translate(str.maketrans("dM", "Md"))
    by_swapped = _read(swapped, texts, rows)
    first = "day" if pattern.index("d") < pattern.index("M") else "month"
    if by_swapped < read:
        where = "first" if first == "day" else "second"
        only = read - by_swapped
        return f"{first} first: 13 to 31 stands in the {where} place in {only:,} rows", None
    return "day or month first: no number is above 12 in either place", swapped


def _split(look: Look, columns: tuple[Column, ...], times: list[Time]) -> list[Time]:
    """Times of a column of days and another one of clocks beside it."""
    days = [time for time in times if not re.search("[HhkK]", time.pattern) and not time.epoch]
    known = {name for time in times for name in time.fields}
    clocks = {column.name: _clock(look, column) for column in columns if column.name not in known}
    found = []
    for day, (name, clock) in ((day, each) for day in days for each in clocks.items()):
        if clock is None or day.pattern == "yyyy":
            continue
        texts = look.column(day.fields[0]) + " " + look.column(name)
        pattern = f"{day.pattern} {clock}"
        instants = _instants(pattern, texts)
        read, filled = len(texts) - instants.null_count(), len(texts) - texts.null_count()
        if read >= LEAST * filled and read:
            swapped = day.rival and f"{day.rival} {clock}"
            found.append(
                Time((*day.fields, name), pattern, read, filled, instants, order=day.order, rival=swapped)
            )
    return found


def _clock(look: Look, column: Column) -> str | None:
    if column.kind != "text":
        return None
    texts = look.column(column.name)
    counts = texts.drop_nulls().value_counts(name="rows")
    distinct = counts.to_series(0)
    tried = distinct.gather_every(max(1, len(distinct) // LOOKED_AT))
    patterns = Counter(pattern for text in tried for pattern in clock_patterns_of(text))
    best = _best([f"yyyy {clock}" for clock in patterns], "2000 " + distinct, counts["rows"])
    return best[0].removeprefix("yyyy ") if best and best[1] >= LEAST * column.filled else None
