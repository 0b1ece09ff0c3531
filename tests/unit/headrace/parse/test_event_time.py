"""Texts to instants in many patterns, by the contract's zone."""

from collections.abc import Sequence
from itertools import islice, product

import polars as pl
import pytest

from headrace.parse.event_time import EventTime
from testbed.time_cases import FORMATS, YEARS

WRITTEN = {
    "dd MM yyyy HH:mm": "31 01 2018 23:10",
    "yyyy-MM-dd'T'HH:mm:ss.SSSSSS": "2018-01-31T23:10:00.000000",
    "yyyyMMddHHmmss": "20180131231000",
    "yyyyMMdd-HHmmss": "20180131-231000",
    "d/M/y H:m": "31/1/2018 23:10",
    "yyyyDDD HH:mm": "2018031 23:10",
    "d MMMM yyyy h:mm a": "31 January 2018 11:10 PM",
    "yyyy.MM.dd '''o''clock' HH:mm": "2018.01.31 'o'clock 23:10",
    "yyyy-MM-dd HH:mm:ss[.SSS]": "2018-01-31 23:10:00.000",
    "yyyy-MM-dd HH:mm:ssXXX": "2018-01-31 23:10:00+03:00",
    "yyyy-MM-dd HH:mm VV": "2018-01-31 23:10 Europe/Istanbul",
}
"""2018-01-31 23:10 in Istanbul, as Spark's date_format writes it."""


def _instants(pattern: str, texts: Sequence[str | None]) -> list[str | None]:
    """What is read, as text in UTC: Python has no year 12018."""
    read = EventTime(pattern, "Europe/Istanbul").instants(pl.Series(texts, dtype=pl.String))
    return read.dt.to_string("%Y-%m-%d %H:%M:%S%.6f").str.replace(".000000", "", literal=True).to_list()


@pytest.mark.parametrize("pattern", FORMATS)
def test_what_spark_writes_is_read_and_a_year_beyond_all_is_null(pattern: str) -> None:
    text = WRITTEN[pattern]
    beyond = [text.replace("2018", year) for year in YEARS]
    assert _instants(pattern, [text, *beyond]) == ["2018-01-31 20:10:00"] + [None] * len(YEARS)


def test_a_long_text_is_no_time_and_takes_no_time() -> None:
    assert _instants("d MMMM yyyy h:mm a", [" " * 1_000_000]) == [None]


READ = {
    "yyyy-MM-dd'T'HH:mm:ss[.SSSSSSSSS][XXX][X]": {
        "2018-01-31T23:10:00": "2018-01-31 20:10:00",
        "2018-01-31t23:10:00z": "2018-01-31 23:10:00",
        "2018-01-31T23:10:00.9": "2018-01-31 20:10:00.900000",
        "2018-01-31T23:10:00.123456789Z": "2018-01-31 23:10:00.123456",
        "2018-01-31T23:10:00+02:00": "2018-01-31 21:10:00",
        "2018-01-31T23:10:00-0230": "2018-02-01 01:40:00",
        "2018-01-31T23:10:00+02": "2018-01-31 21:10:00",
        "2018-01-31T23:10:00+18:00": "2018-01-31 05:10:00",
        "2018-01-31T23:10:00+18:30": None,
        "2018-01-31T23:10:60Z": None,
        "2018-01-31T23:10:00,5Z": None,
        "2018-01-31 23:10:00Z": None,
    },
    "yyyy-MM-dd HH:mm VV": {
        "2018-01-31 23:10 europe/berlin": "2018-01-31 22:10:00",
        "2018-01-31 23:10 Z": "2018-01-31 23:10:00",
        "2016-03-27 02:30 Europe/Berlin": None,
        "2016-10-30 02:30 Europe/Berlin": "2016-10-30 00:30:00",
        "2018-01-31 23:10 Europe/Nowhere": None,
        "2018-01-31 23:10 localtime": None,
    },
    "M/d/yyyy h:mm a": {
        "05/30/2024 12:05 am": "2024-05-29 21:05:00",
        "5/30/2024 12:05 am": "2024-05-29 21:05:00",
        "5/30/2024 12:05 PM": "2024-05-30 09:05:00",
        "5/30/2024 1:05 pm": "2024-05-30 10:05:00",
        "5/30/2024 13:05 pm": None,
        "5/30/2024 1:05 p.m.": None,
    },
    "yyyy/MM/dd kk:mm": {
        "2022/07/01 24:00": "2022-07-01 21:00:00",
        "2022/12/31 24:00": "2022-12-31 21:00:00",
        "2022/07/01 01:00": "2022-06-30 22:00:00",
        "2022/07/01 00:00": None,
        "2022/07/01 24:01": None,
    },
    "HH:mm a dd.MM.yy": {"13:05 PM 01.02.18": "2018-02-01 10:05:00", "13:05 AM 01.02.18": None},
    "[dd.MM.yyyy][yyyy-MM-dd]": {
        "01.02.2018": "2018-01-31 21:00:00",
        "2018-02-01": "2018-01-31 21:00:00",
        "01.02.20182018-02-01": "2018-01-31 21:00:00",
        "01.02.20182018-02-02": None,
        "": None,
    },
    "yyyyDDD": {
        "2020366": "2020-12-30 21:00:00",
        "2018001": "2017-12-31 21:00:00",
        "2018366": None,
        "2018000": None,
    },
    "yyyy": {"2018": "2017-12-31 21:00:00"},
    "d MMM yyyy": {
        "1 mAy 2018": "2018-04-30 21:00:00",
        "01 May 2018": "2018-04-30 21:00:00",
        "001 May 2018": None,
        "1 M 2018": None,
        "31 Feb 2018": None,
    },
    "yyyyMMddHHmmssSSS": {"20180131231000123": "2018-01-31 20:10:00.123000"},
    "yyyy-MM-dd": {
        "2100-02-29": None,
        "2104-02-29": "2104-02-28 21:00:00",
        "+12018-01-01": "+12017-12-31 21:00:00",
        "12018-01-01": None,
        "+2018-01-01": None,
        "0000-01-01": "-0001-12-31 22:04:08",
        "-0000-01-01": None,
        "-0044-01-01": "-0045-12-31 22:04:08",
        "２０１８-01-01": None,
        "2018-01-01\n": None,
        " 2018-01-01": None,
        "2018-1-01": None,
        "2018-01-01Z": None,
    },
}
"""Patterns with texts and the instants that they mean in Istanbul."""


@pytest.mark.parametrize("pattern", READ)
def test_a_text_is_read_strictly(pattern: str) -> None:
    texts = READ[pattern]
    assert dict(zip(texts, _instants(pattern, list(texts)), strict=True)) == texts


def test_a_zone_in_many_spellings_is_one_zone() -> None:
    """An expression a spelling would be as deep as a batch is long, which polars does not survive."""
    spellings = ("".join(letters) for letters in product(*zip("EUROPE/BERLIN", "europe/berlin", strict=True)))
    texts = [f"2018-01-31 23:10 {zone}" for zone in islice(spellings, 5_000)]
    assert set(_instants("yyyy-MM-dd HH:mm VV", texts)) == {"2018-01-31 22:10:00"}


def test_a_missing_text_is_no_time() -> None:
    assert _instants("yyyy", [None]) == [None]
    assert _instants("yyyy VV", []) == []


def test_a_time_that_a_clock_change_skips_is_none_and_a_doubled_one_is_the_first() -> None:
    texts = {
        "2016-03-27 02:59": "2016-03-27 00:59:00",
        "2016-03-27 03:00": None,
        "2016-03-27 03:59": None,
        "2016-03-27 04:00": "2016-03-27 01:00:00",
        "2015-11-08 03:30": "2015-11-08 00:30:00",
    }
    assert dict(zip(texts, _instants("yyyy-MM-dd HH:mm", list(texts)), strict=True)) == texts
