"""The zone: by offsets in the times, else by hours that clocks skip and repeat, and then it is asked."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from headrace.draft.clocks import guess_zone
from headrace.draft.guess import Guess
from headrace.draft.times import Time
from headrace.parse.event_time import EventTime

HOURS = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(366 * 24)]


def zone_of(texts: list[str], pattern: str) -> Guess[str]:
    series = pl.Series("at", texts)
    instants = EventTime((pattern,), "UTC").instants(series)
    exact = len(texts) if "XXX" in pattern else 0
    return guess_zone(Time(("at",), (pattern,), len(texts), len(texts), exact, instants), series, None, None)


def shown_in(zone: str, form: str) -> list[str]:
    return [f"{hour.astimezone(ZoneInfo(zone)):{form}}" for hour in HOURS]


@pytest.mark.parametrize("zone", ["Europe/Helsinki", "America/New_York", "Asia/Kolkata", "Australia/Sydney"])
def test_offsets_that_change_name_the_zone(zone: str) -> None:
    texts = [f"{text[:-2]}:{text[-2:]}" for text in shown_in(zone, "%Y-%m-%d %H:%M%z")]
    guess = zone_of(texts, "yyyy-MM-dd HH:mmXXX")
    assert guess.value == zone
    assert guess.sure == (zone != "Asia/Kolkata")  # others have one offset all year as well


def test_utc_is_utc() -> None:
    guess = zone_of(["2024-01-01 00:00Z", "2024-07-01 00:00+00:00"], "yyyy-MM-dd HH:mmXXX")
    assert (guess.value, guess.sure) == ("UTC", True)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Sydney"])
def test_an_hour_that_is_skipped_and_one_that_stands_twice_are_seen(zone: str) -> None:
    guess = zone_of(shown_in(zone, "%Y-%m-%d %H:%M"), "yyyy-MM-dd HH:mm")
    assert (guess.value, guess.sure) == (zone, False)
    assert "stand twice where clocks go back" in guess.saw


def test_clocks_that_never_change_are_none_that_do() -> None:
    guess = zone_of(shown_in("UTC", "%Y-%m-%d %H:%M"), "yyyy-MM-dd HH:mm")
    assert (guess.value, guess.sure) == ("UTC", False)
    assert "not Europe/Berlin and its like" in guess.saw
    assert "Europe/Berlin" not in guess.others
    assert "Europe/Istanbul" in guess.others


def test_days_need_no_zone() -> None:
    guess = zone_of(["2024-01-01", "2024-01-02"], "yyyy-MM-dd")
    assert (guess.value, guess.sure) == ("UTC", True)


def test_an_answer_must_be_a_zone() -> None:
    guess = zone_of(["2024-01-01 00:00"], "yyyy-MM-dd HH:mm")
    assert guess.read is not None
    assert guess.read("Europe/Istanbul") == "Europe/Istanbul"
    with pytest.raises(ValueError, match="not a zone of the IANA database"):
        guess.read("Ankara")
