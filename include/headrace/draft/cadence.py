"""How often a device writes: the commonest time between two of its readings."""

from datetime import timedelta

import polars as pl
from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from headrace.contract.field_types import Cadence
from headrace.draft.guess import Guess

ROUND = tuple(
    timedelta(seconds=seconds)
    for seconds in (1, 2, 5, 10, 15, 20, 30, *(60 * m for m in (1, 2, 3, 5, 6, 10, 12, 15, 20, 30)))
) + tuple(timedelta(hours=hours) for hours in (1, 2, 3, 4, 6, 8, 12, 24))
"""Cadences that people set, all of them parts of a day."""

DAY = timedelta(days=1)


def _read(text: str) -> timedelta | None:
    return None if text.lower() in ("", "none") else TypeAdapter[timedelta](Cadence).validate_python(text)


def guess_cadence(instants: pl.Series, devices: pl.Series | None) -> Guess[timedelta | None]:
    """The cadence, where most differences are one and the same; else none, and completeness has no count."""
    rows = pl.DataFrame(
        {
            "time": instants,
            "device": devices if devices is not None else pl.Series([0]).new_from_index(0, len(instants)),
        }
    )
    rows = rows.filter(pl.col("time").is_not_null()).unique().sort("device", "time")
    steps = rows.select(pl.col("time").diff().over("device"))["time"].drop_nulls()
    of_days = (steps >= timedelta(hours=23)) & (steps <= timedelta(hours=25))
    steps = steps.zip_with(~of_days, pl.Series([DAY], dtype=steps.dtype).new_from_index(0, len(steps)))
    if len(steps) < 3:
        return Guess(None, "too few times to tell how often a device writes")
    counts = steps.value_counts(name="times").sort("times", descending=True)
    step: timedelta = counts[0, 0]
    part = counts[0, "times"] / len(steps)
    saw = f"{counts[0, 'times']:,} of {len(steps):,} times between two readings are {written(step)}"
    if part >= 0.5 and DAY % step == timedelta(0):
        return Guess(step, saw, part >= 0.9, _QUESTION, (None,), _read)
    near = min(ROUND, key=lambda each: abs(each - _median(steps)))
    close = steps.is_between(near * 0.9, near * 1.1).mean()
    if isinstance(close, float) and close >= 0.9:
        saw = f"{close:.0%} of the times between two readings are about {written(near)}, hardly any exactly"
        return Guess(near, saw, False, _QUESTION, (None,), _read)
    return Guess(
        None,
        f"no cadence: {saw}, the commonest"
        if part < 0.5
        else f"no cadence: {saw}, which is no part of a day",
    )


_QUESTION = "How often does a device write (such as PT10M; none if it has no cadence)?"


def written(step: timedelta) -> str:
    """As a contract writes it."""
    return str(to_jsonable_python(step))


def _median(steps: pl.Series) -> timedelta:
    median = steps.median()
    return median if isinstance(median, timedelta) else timedelta(0)
