"""The column that holds the time, and its pattern, by all of its texts."""

import polars as pl
import pytest

from headrace.draft.columns import profiles
from headrace.draft.guess import Guess
from headrace.draft.look import Look
from headrace.draft.times import Time, find_times, guess_time


def times_of(**columns: list[str]) -> list[Time]:
    names = tuple(columns)
    frame = pl.DataFrame({str(n): pl.Series(columns[name], dtype=pl.String) for n, name in enumerate(names)})
    look = Look(frame, names, "", whole=True)
    return find_times(look, profiles(look))


def guessed(**columns: list[str]) -> Guess[Time]:
    return guess_time(times_of(**columns))


@pytest.mark.parametrize(
    ("texts", "pattern"),
    [
        (["01 12 2018 00:00", "13 12 2018 00:10"], "dd MM yyyy HH:mm"),
        (["2/1/2019 0:05", "2/14/2019 10:10"], "M/d/yyyy H:mm"),
        (["02/01/2019 08:05:00 PM", "02/14/2019 10:10:00 AM"], "MM/dd/yyyy hh:mm:ss a"),
        (["2022-03-27T01:00:00+01:00", "2022-03-27T03:00:00+02:00"], "yyyy-MM-dd'T'HH:mm:ssXXX"),
        (["2024-04-01 10:26:27.337", "2024-04-13 18:20:38.934"], "yyyy-MM-dd HH:mm:ss.SSS"),
        (["2024-04-01 10:26:27", "2024-04-13T18:20:38.934Z"], "iso"),
        (["20240401", "20241231"], "yyyyMMdd"),
        (["20240401103000", "20241231235959"], "yyyyMMddHHmmss"),
        (["Jan 1 2000", "Dec 31 2000"], "MMM d yyyy"),
        (["1977-Jan", "1977-Feb"], "yyyy-MMM"),
        (["24.12.99 5:00", "25.12.99 15:00"], "dd.MM.yy H:mm"),
    ],
)
def test_the_pattern_reads_every_text(texts: list[str], pattern: str) -> None:
    guess = guessed(at=texts, v=["1", "2"])
    assert (guess.value.fields, guess.value.formats, guess.value.read) == (("at",), (pattern,), 2)
    assert guess.sure


def test_day_and_month_are_told_by_all_rows_not_by_the_first() -> None:
    texts = [f"01/02/2024 {hour:02}:00" for hour in range(24)] + ["13/02/2024 00:00"]
    guess = guessed(at=texts)
    assert (guess.value.formats, guess.sure) == (("dd/MM/yyyy HH:mm",), True)
    assert "day first: 13 to 31 stands in the first place in 1 rows" in guess.saw


def test_no_number_above_twelve_is_asked_about_and_the_likelier_comes_first() -> None:
    texts = [f"2/{day}/2024 {hour}:00" for day in range(1, 6) for hour in range(24)]
    guess = guessed(at=texts)
    assert (guess.value.formats, guess.sure) == (("M/d/yyyy H:mm",), False)
    assert [other.formats for other in guess.others] == [("d/M/yyyy H:mm",)]
    assert "no number is above 12 in either place" in guess.saw


@pytest.mark.parametrize(("factor", "unit"), [(1, "epoch_s"), (1_000, "epoch_ms"), (10**9, "epoch_ns")])
def test_numbers_since_1970_are_told_by_their_size(factor: int, unit: str) -> None:
    guess = guessed(ts=[str((1_700_000_000 + n) * factor) for n in range(5)], v=["1"] * 5)
    assert (guess.value.formats, guess.value.exact) == ((unit,), 5)
    assert str(guess.value.instants[0]) == "2023-11-14 22:13:20+00:00"


def test_day_and_clock_in_two_columns() -> None:
    guess = guessed(Date=["2024/01/01", "2024/01/02"], Time=["01:00", "23:00"], v=["1", "2"])
    assert (guess.value.fields, guess.value.formats) == (("Date", "Time"), ("yyyy/MM/dd HH:mm",))


def test_the_event_goes_before_when_it_was_received() -> None:
    at = ["2024-01-01 00:00", "2024-01-02 00:00"]
    assert guessed(received_at=at, measured_at=at).value.fields == ("measured_at",)


def test_of_two_that_are_alike_it_asks() -> None:
    at = ["2024-01-01 00:00", "2024-01-02 00:00"]
    guess = guessed(time_a=at, time_b=at)
    assert not guess.sure
    assert "time_b" in guess.saw


def test_four_digits_are_years_only_by_name() -> None:
    assert times_of(mass=["3500", "4100"]) == []
    guess = guessed(Year=["1999", "2000"])
    assert (guess.value.formats, guess.sure) == (("yyyy",), False)


def test_words_and_numbers_are_no_times() -> None:
    assert times_of(name=["a", "b"], v=["1.5", "2"], n=["12", "7"]) == []


def test_texts_of_two_formats_are_both_read() -> None:
    guess = guessed(
        at=[f"2024-01-{n:02} 00:00" for n in range(1, 20)] + ["31.01.2024 05:00", "30.01.2024 05:00"]
    )
    assert guess.value.formats == ("yyyy-MM-dd HH:mm", "dd.MM.yyyy HH:mm")
    assert guess.value.read == 21


def test_some_say_their_offset() -> None:
    assert guessed(at=["2024-01-01T00:00:00Z", "2024-01-01T00:00:00"]).value.exact == 1
