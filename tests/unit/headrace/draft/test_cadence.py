"""The cadence: the commonest time between two readings of a device."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from headrace.draft.cadence import guess_cadence

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def series(steps: list[timedelta]) -> pl.Series:
    times = [BEGIN]
    for step in steps:
        times.append(times[-1] + step)
    return pl.Series("at", times, dtype=pl.Datetime("us", "UTC"))


@pytest.mark.parametrize(
    ("steps", "every", "sure"),
    [
        ([10 * MINUTE] * 99, 10 * MINUTE, True),
        ([10 * MINUTE] * 80 + [7 * MINUTE] * 19, 10 * MINUTE, False),
        ([timedelta(hours=23)] + [timedelta(days=1)] * 50 + [timedelta(hours=25)], timedelta(days=1), True),
        ([timedelta(days=7)] * 20, None, True),
        ([timedelta(seconds=n) for n in range(1, 60)], None, True),
        ([timedelta(seconds=300 + (-1) ** n * (n % 7)) for n in range(99)], 5 * MINUTE, False),
        ([MINUTE], None, True),
    ],
)
def test_most_differences_decide(steps: list[timedelta], every: timedelta | None, sure: bool) -> None:
    guess = guess_cadence(series(steps), None)
    assert (guess.value, guess.sure) == (every, sure)


def test_each_device_is_counted_by_itself() -> None:
    times = series([MINUTE] * 59)
    devices = pl.Series(["a", "b", "c"] * 20)
    guess = guess_cadence(times, devices)
    assert guess.value == 3 * MINUTE
    assert guess.saw.startswith("57 of 57 ")


def test_an_answer_is_a_duration_or_none() -> None:
    guess = guess_cadence(series([10 * MINUTE] * 80 + [7 * MINUTE] * 19), None)
    assert guess.read is not None
    assert guess.read("PT5M") == 5 * MINUTE
    assert guess.read("none") is None
    with pytest.raises(ValueError, match="must divide a day"):
        guess.read("PT7M")
