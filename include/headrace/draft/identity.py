"""What makes two records the same one, and which field names the device: by what is unique in the sample."""

import re
from dataclasses import dataclass
from itertools import combinations

import polars as pl

from headrace.draft.columns import Column
from headrace.draft.guess import Guess
from headrace.draft.look import Look
from headrace.draft.times import Time

DEVICE = (
    r"(?i)device|sensor|station|turbine|meter(?!s)|site|machine|asset|unit|vehicle|node|logger|inverter|well|plant",
    r"(?i)name|symbol|ticker|\bid\b|_id$|^id|code|tag|host|source|serial|region|country|city|city|location",
)
"""What columns that name a device are called, the likeliest first."""

OWN_ID = r"(?i)^(?:uu|gu)?id$|(?:event|record|message|row|reading|measurement)_?id$|uuid|guid"
"""What columns are called whose every value is another one."""

NEARLY = 0.99
"""Of the rows, that an identity tells apart if the others are faults."""

QUESTION = "Which record is which?"


@dataclass(frozen=True)
class Known:
    """Which record is which: `entity` names the device, `identity` all fields that tell records apart."""

    entity: str | None
    identity: tuple[str, ...] | None

    @property
    def name(self) -> str:
        """As a person reads it."""
        told = " and ".join(self.identity) if self.identity else "the whole content"
        return f"{told}; device {self.entity}" if self.entity else f"{told}; one device"


@dataclass(frozen=True)
class _Rows:
    """The rows that have a time, each of equal ones once; `alone`: how many their time tells apart."""

    frame: pl.DataFrame
    columns: dict[str, Column]
    time: Time
    count: int
    alone: int
    again: str

    @property
    def numbers(self) -> dict[str, str]:
        """Each column's name in the frame."""
        return {name: str(number) for number, name in enumerate(self.columns)}

    def with_time(self, *names: str) -> tuple[str, ...]:
        """The identity of these fields and the time."""
        return (*names, *self.time.fields)


def guess_identity(look: Look, time: Time, columns: tuple[Column, ...]) -> Guess[Known]:
    """Entity and identity by uniqueness, over all rows that were seen, each of equal rows once."""
    rows = _rows(look, time, columns)
    own = [each.name for each in columns if re.search(OWN_ID, each.name) and each.distinct == rows.count > 1]
    if own:
        entity = _called_a_device(rows)
        saw = f"{own[0]} is another one in each of {rows.count:,} rows{rows.again}"
        return Guess(Known(entity, (own[0],)), saw, entity is None, QUESTION, (Known(None, (own[0],)),))
    if rows.alone == rows.count:
        return _by_time(rows)
    if rows.alone >= NEARLY * rows.count and not _called_a_device(rows):
        return _nearly(None, 0, rows)
    with_one = _unique(rows, [(name,) for name in _candidates(rows)])
    best = max(with_one, key=lambda names: _rank(names, with_one[names], rows), default=None)
    if best and with_one[best] == rows.count:
        return _by_device(best[0], with_one, rows)
    with_two = _unique(rows, list(combinations([name for (name,) in with_one][:12], 2)))
    both = max(with_two, key=lambda names: _rank(names, with_two[names], rows), default=None)
    if both and with_two[both] == rows.count:
        return _by_two(both, rows)
    return _nearly(best, with_one[best] if best else 0, rows)


def _by_time(rows: _Rows) -> Guess[Known]:
    saw = f"each of {rows.count:,} rows has a time of its own{rows.again}"
    alone, device = Known(None, rows.time.fields), _called_a_device(rows)
    if device is None:
        return Guess(alone, saw)
    saw += f"; {rows.columns[device].distinct:,} different {device} may be devices that never wrote at once"
    return Guess(Known(device, rows.with_time(device)), saw, False, QUESTION, (alone,))


def _by_device(name: str, found: dict[tuple[str, ...], int], rows: _Rows) -> Guess[Known]:
    distinct = rows.columns[name].distinct
    as_good = [other for (other,), unique in found.items() if unique == rows.count and other != name]
    rivals = [
        other
        for other in as_good
        if rows.columns[other].distinct != distinct and _called(other) >= _called(name)
    ]
    saw = (
        f"{distinct:,} different {name}; with the time all {rows.count:,} rows are told apart, by the time "
        f"alone {rows.alone:,}{rows.again}"
    )
    others = tuple(Known(other, rows.with_time(other)) for other in rivals)
    is_a_name = rows.columns[name].kind == "text" or _called(name) > 0
    return Guess(Known(name, rows.with_time(name)), saw, is_a_name and not rivals, QUESTION, others)


def _by_two(names: tuple[str, ...], rows: _Rows) -> Guess[Known]:
    first, second = sorted(names, key=lambda name: -_called(name))
    saw = f"{first}, {second} and the time tell all {rows.count:,} rows apart, nothing less does{rows.again}"
    others = (Known(second, rows.with_time(second, first)), Known(None, None))
    return Guess(Known(first, rows.with_time(first, second)), saw, False, QUESTION, others)


def _nearly(best: tuple[str, ...] | None, told: int, rows: _Rows) -> Guess[Known]:
    """What leaves a few rows undecided, or tells hardly any apart."""
    others = (Known(None, None),)
    if best and told >= NEARLY * rows.count and told > rows.alone:
        saw = f"{best[0]} and the time tell {_all_but(rows, *best)}{rows.again}"
        return Guess(Known(best[0], rows.with_time(*best)), saw, False, QUESTION, others)
    if rows.alone >= NEARLY * rows.count:
        saw = f"the time tells {_all_but(rows)}{rows.again}"
        return Guess(Known(None, rows.time.fields), saw, False, QUESTION, others)
    entity = _called_a_device(rows)
    saw = f"nothing tells the {rows.count:,} rows apart: each is itself by its whole content{rows.again}"
    return Guess(Known(entity, None), saw, entity is None, QUESTION, others)


def _all_but(rows: _Rows, *names: str) -> str:
    """How many rows these fields and the time do not tell from another one, and on which days those are."""
    told = pl.struct("time", *(rows.numbers[name] for name in names))
    alike = rows.frame.filter(~told.is_first_distinct())["time"]
    days = alike.dt.date().unique().sort()
    shown = ", ".join(map(str, days.head(3)))
    more = f" and {len(days) - 3:,} more days" if len(days) > 3 else ""
    return (
        f"{rows.count - len(alike):,} of {rows.count:,} rows apart; {len(alike):,} are another one's likes "
        f"with other values, and would be refused as conflicts (on {shown}{more})"
    )


def _rows(look: Look, time: Time, columns: tuple[Column, ...]) -> _Rows:
    timed = look.frame.with_columns(time.instants.alias("time")).filter(pl.col("time").is_not_null())
    frame = timed.unique(maintain_order=False)
    repeats = len(timed) - len(frame)
    again = f"; {repeats:,} more repeat another one word for word" if repeats else ""
    alone = frame["time"].n_unique()
    return _Rows(frame, {each.name: each for each in columns}, time, len(frame), alone, again)


def _candidates(rows: _Rows) -> list[str]:
    """Columns that may name something: words or whole numbers, in every row, fewer different than rows."""
    return [
        column.name
        for column in rows.columns.values()
        if (column.kind == "text" or column.whole)
        and column.name not in rows.time.fields
        and column.filled == column.rows
        and 1 < column.distinct <= rows.count / 2
    ]


def _unique(rows: _Rows, candidates: list[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    """How many rows the time and these columns tell apart."""
    if not candidates:
        return {}
    told = rows.frame.select(
        pl.struct("time", *(rows.numbers[name] for name in names)).hash().n_unique().alias(str(number))
        for number, names in enumerate(candidates)
    )
    return dict(zip(candidates, told.row(0), strict=True))


def _rank(names: tuple[str, ...], unique: int, rows: _Rows) -> tuple[float, ...]:
    columns = [rows.columns[name] for name in names]
    words = all(column.kind == "text" for column in columns)
    return (unique, max(map(_called, names)), words, -sum(column.distinct for column in columns))


def _called(name: str) -> int:
    return next((len(DEVICE) - n for n, look in enumerate(DEVICE) if re.search(look, name)), 0)


def _called_a_device(rows: _Rows) -> str | None:
    """The field that is called like a device's name, where uniqueness says nothing."""
    return next((name for name in _candidates(rows) if re.search(DEVICE[0], name)), None)
