"""The core's reading of times is Spark's: whatever the pattern, the zone and the text."""

from collections.abc import Iterator, Sequence

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from headrace.contract.time_pattern import MONTHS, TOKEN, translated
from headrace.parse.event_time import EventTime
from testbed.time_cases import FORMATS

PATTERNS = [
    *FORMATS,
    "yyyy-MM-dd'T'HH:mm:ss[.SSSSSSSSS][XXX][X][XX]",
    *("yy/M/d H.m.s", "dd-MMM-yyyy HH:mm", "d LLLL u", "yyyy-MM", "DD.y", "yyyyMMdd", "dMM/yy"),
    *("hh:mm:ss a dd.MM.yyyy", "K:mm a d/M/yyyy", "HH:mm a yyyy", "kk:mm dd.MM.yyyy", "k.mm d/M/u"),
    *(
        "yyyy-MM-dd HHX",
        "yyyy-MM-dd HHXX",
        "yyyy HHXXXX",
        "yyyy HHXXXXX",
        "yyyy HHxxx",
        "yyyy HHZ",
        "yyyy HHZZZZZ",
    ),
    *("[dd.MM.yyyy][yyyy-MM-dd]", "yyyy[-MM[-dd[ HH[:mm]]]]", "yyyy 'de' MMMM '''ü'"),
]
ZONES = ["Europe/Istanbul", "America/Santiago", "UTC"]
OFFSETS = [
    "Z",
    "z",
    "+00",
    "+0000",
    "+00:00",
    "-00:00",
    "+03",
    "-0330",
    "+03:30",
    "+18:00",
    "+18:01",
    "-1800",
]
OFFSETS += ["+033015", "+03:30:15", "+3", "+03:60", "GMT+3", ""]
REGIONS = [
    "Europe/Istanbul",
    "europe/berlin",
    "America/Argentina/Buenos_Aires",
    "UTC",
    "Z",
    "EST5EDT",
    "Mars/Base",
]
NUMBERS = {"d": 32, "D": 367, "H": 25, "k": 23, "h": 13, "K": 12, "m": 60, "s": 60}
"""Where a letter's numbers end; of kk without 24, which is the next day's midnight here and this day's in Java."""


def _year(letters: str) -> st.SearchStrategy[str]:
    plain = st.integers(1890, 2261).map(str) if len(letters) != 2 else st.integers(0, 99).map("{:02}".format)
    return st.one_of(plain, plain, st.from_regex(r"\A[+-]?[0-9]{1,5}\Z"))


def _reading(letters: str) -> st.SearchStrategy[str]:
    """Texts for a run of letters, most of them right."""
    letter, length = letters[0], len(letters)
    if letter in "yu":
        return _year(letters)
    if letter in "ML" and length > 2:
        names = [*MONTHS, *(name[:3] for name in MONTHS)]
        return st.sampled_from(names).flatmap(
            lambda name: st.sampled_from([name, name.title(), name.upper()])
        )
    if letter == "a":
        return st.sampled_from(["AM", "PM", "am", "pm", "Pm", "a.m.", ""])
    if letter == "S":
        return st.from_regex(rf"\A[0-9]{{0,{length + 1}}}\Z")
    if letter in "XxZ":
        return st.sampled_from(OFFSETS)
    if letter == "V":
        return st.sampled_from(REGIONS)
    numbers = st.integers(0, NUMBERS.get(letter, 13))
    widths = st.sampled_from([length, length, length, 1, 2])
    return st.tuples(numbers, widths).map(lambda pair: f"{pair[0]:0{pair[1]}}")


@st.composite
def _text(draw: st.DrawFn, pattern: str) -> str:
    """A text for the pattern; optional parts in or out, a literal in its other case now and then."""
    parts: list[str] = []
    left_out = [False]
    for token in TOKEN.finditer(pattern):
        if token["other"] == "[":
            left_out.append(left_out[-1] or draw(st.booleans()))
        elif token["other"] == "]":
            left_out.pop()
        elif not left_out[-1]:
            literal = token["other"] or (token["quoted"] or "").replace("''", "'") or "'"
            parts.append(
                draw(_reading(token["run"]))
                if token["run"]
                else draw(st.sampled_from([literal, literal.swapcase()]))
            )
    text = "".join(parts)
    return draw(st.sampled_from([text] * 12 + [f"{text} ", f" {text}", text[:-1], f"{text}0"]))


def _by_spark(spark: SparkSession, texts: Sequence[str], pattern: str, timezone: str) -> Iterator[int | None]:
    """What Spark reads as microseconds; null for a local time that a clock change skips, which it moves."""
    spark.conf.set("spark.sql.session.timeZone", timezone)
    frame = spark.createDataFrame(list(enumerate(texts)), "number INT, text STRING")
    time = F.try_to_timestamp("text", F.lit(pattern))
    if not {"offset", "zone"} & {*map(_field, translated(pattern).groups.values())}:
        local = F.try_to_timestamp(F.concat("text", F.lit("Z")), F.lit(f"{pattern}X"))
        time = F.when(F.unix_micros(F.from_utc_timestamp(time, timezone)) == F.unix_micros(local), time)
    rows = frame.select("number", F.unix_micros(time).alias("read")).collect()
    return (row.read for row in sorted(rows))


def _field(run: str) -> str:
    return {"V": "zone"}.get(run[0], "offset" if run[0] in "XxZ" else "")


@pytest.fixture
def zone_again(spark: SparkSession) -> Iterator[None]:
    """The session's zone is what it was."""
    zone = spark.conf.get("spark.sql.session.timeZone")
    yield
    spark.conf.set("spark.sql.session.timeZone", str(zone))


@pytest.mark.usefixtures("zone_again")
@pytest.mark.parametrize("pattern", PATTERNS)
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(data=st.data(), timezone=st.sampled_from(ZONES))
def test_the_core_reads_what_spark_reads(
    spark: SparkSession, pattern: str, data: st.DataObject, timezone: str
) -> None:
    texts = data.draw(st.lists(_text(pattern), min_size=200, max_size=200))
    found = EventTime(pattern, timezone).instants(pl.Series(texts, dtype=pl.String)).to_physical().to_list()
    expected = list(_by_spark(spark, texts, pattern, timezone))
    assert [pair for pair in zip(texts, found, strict=True)] == list(zip(texts, expected, strict=True))
