"""Texts to instants in many patterns, by the contract's zone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice, product

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def _instants(formats: str | Sequence[str], texts: Sequence[str | None]) -> list[str | None]:
    """What is read, as text in UTC: Python has no year 12018."""
    listed = [formats] if isinstance(formats, str) else formats
    read = EventTime(listed, "Europe/Istanbul").instants(pl.Series(texts, dtype=pl.String))
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
    "iso": {
        "2024-05-30T22:21:31Z": "2024-05-30 22:21:31",
        "2024-05-30T22:21:31.9Z": "2024-05-30 22:21:31.900000",
        "2024-05-30T22:21:31.911309988Z": "2024-05-30 22:21:31.911309",
        "2024-05-30T22:21:31.1234567+05:30": "2024-05-30 16:51:31.123456",
        "2024-05-30T22:21:31+0200": "2024-05-30 20:21:31",
        "2024-05-30T22:21:31+02": "2024-05-30 20:21:31",
        "2024-05-30 22:21:31Z": "2024-05-30 22:21:31",
        "2024-05-30T22:21Z": "2024-05-30 22:21:00",
        "2024-05-30t22:21:31z": "2024-05-30 22:21:31",
        "2024-05-30T22:21:31,5Z": "2024-05-30 22:21:31.500000",
        "2024-05-30T22:21:31": "2024-05-30 19:21:31",
        "2024-05-30": "2024-05-29 21:00:00",
        "2024-12-31T24:00": "2024-12-31 21:00:00",
        "2024-12-31T24:00:00Z": "2025-01-01 00:00:00",
        "2024-12-31T24:00:01Z": None,
        "2024-06-30T23:59:60Z": None,
        "2024-02-30T00:00Z": None,
        "2024-05-30T25:00Z": None,
        "2024-05-30T22:21:31+19:00": None,
        "2024-05-30T22:21:31 ": None,
        "2024-05-30T22": None,
        "20240530T222131Z": None,
        "1717107691": None,
    },
    "epoch_s": {
        "1731508712": "2024-11-13 14:38:32",
        "1731508712.229": "2024-11-13 14:38:32.229000",
        "1731508712.2292249": "2024-11-13 14:38:32.229224",
        "1.731508712229E9": "2024-11-13 14:38:32.229000",
        "1731508712.": "2024-11-13 14:38:32",
        "0": "1970-01-01 00:00:00",
        "-0.5": "1969-12-31 23:59:59.500000",
        "1731508712229": None,  # of milliseconds
        "9" * 40: None,
        "1e300": None,
        "0x67": None,
        " 1731508712": None,
        "1731508712s": None,
        "1,7": None,
        "NaN": None,
        "１７３１５０８７１２": None,
    },
    "epoch_ms": {
        "1731508712229": "2024-11-13 14:38:32.229000",
        "1731508712229.224": "2024-11-13 14:38:32.229224",
        "1.731508712229E12": "2024-11-13 14:38:32.229000",
        "1731508712": "1970-01-21 00:58:28.712000",
        "1731508712229224": None,
    },
    "epoch_us": {"1731508712229224": "2024-11-13 14:38:32.229224"},
    "epoch_ns": {
        "1731508712229224999": "2024-11-13 14:38:32.229224",
        "9223372036854775807": "2262-04-11 23:47:16.854775",
        "9223372036854775808": None,
    },
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


def test_the_first_format_that_reads_a_text_reads_it() -> None:
    texts = {
        "1731508712229": "2024-11-13 14:38:32.229000",
        "03/04/2024": "2024-04-02 21:00:00",  # by the first of the two that could
        "2024-05-30T22:21:31Z": "2024-05-30 22:21:31",
        "03/14/2024": "2024-03-13 21:00:00",
        "14.03.2024": None,
    }
    read = _instants(["epoch_ms", "dd/MM/yyyy", "MM/dd/yyyy", "iso"], [*texts, None])
    assert read == [*texts.values(), None]


FROM, UNTIL = datetime.fromisoformat("1970-01-01"), datetime.fromisoformat("2200-01-01")


def test_units_are_told_apart_by_their_digits() -> None:
    """Case 12: a stream in which each device has its own."""
    texts = ["1731508712", "1731508712229", "1731508712229224", "1731508712229224999", "1731508712.229"]
    read = _instants(["epoch_s", "epoch_ms", "epoch_us", "epoch_ns"], texts)
    assert read == [
        "2024-11-13 14:38:32",
        "2024-11-13 14:38:32.229000",
        "2024-11-13 14:38:32.229224",
        "2024-11-13 14:38:32.229224",
        "2024-11-13 14:38:32.229000",
    ]


INSTANTS = st.datetimes(FROM, UNTIL, timezones=st.timezones())


@settings(max_examples=100, deadline=None, database=None)
@given(times=st.lists(INSTANTS, min_size=20, max_size=20))
def test_iso_times_and_numbers_are_what_python_wrote(times: list[datetime]) -> None:
    """Python writes offsets with seconds for zones of long ago, which ISO 8601 does not know."""
    times = [time for time in times if not (time.utcoffset() or timedelta()) % timedelta(minutes=1)]
    expected = [
        time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f").removesuffix(".000000") for time in times
    ]
    assert _instants("iso", [time.isoformat() for time in times]) == expected
    assert _instants("iso", [str(time.astimezone(UTC)) for time in times]) == expected
    micros = [(time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) for time in times]
    for unit, digits in (("epoch_us", 0), ("epoch_ms", 3), ("epoch_s", 6)):
        texts = [str(Decimal(each).scaleb(-digits)) for each in micros]
        plain = [text for text in texts if "E" not in text]
        kept = [time for time, text in zip(expected, texts, strict=True) if "E" not in text]
        assert _instants(unit, plain) == kept
    assert _instants("epoch_ns", [f"{each}000" for each in micros]) == expected


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
