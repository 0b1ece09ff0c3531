"""The core's reading of times is Spark's: whatever the pattern, the zone and the text."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from headrace.contract.time_pattern import MONTHS, TOKEN, translated
from headrace.parse.event_time import EventTime
from testbed.time_cases import FORMATS

PATTERNS = [
    *FORMATS,
    "yyyy-MM-dd'T'HH:mm:ss[.SSSSSSSSS][XXX][X][XX]",
    *("yy/M/d H.m.s", "dd-MMM-yyyy HH:mm", "d LLLL yyyy", "yyyy-MM", "DD.y", "yyyyMMdd"),
    *("hh:mm:ss a dd.MM.yyyy", "K:mm a d/M/yyyy", "HH:mm a yyyy", "kk:mm dd.MM.yyyy", "k.mm d/M/y"),
    *("yyyy HHX", "yyyy HHXX", "yyyy HHXXXX", "yyyy HHXXXXX", "yyyy HHxxx", "yyyy HHZ", "yyyy HHZZZZZ"),
    *("[dd.MM.yyyy][yyyy-MM-dd]", "yyyy[-MM[-dd[ HH[:mm]]]]", "yyyy 'de' MMMM '''ü'"),
]
ZONES = ["Europe/Istanbul", "America/Santiago", "UTC"]

LATEST = datetime(2262, 1, 2, tzinfo=UTC).timestamp() * 1_000_000
OFFSETS = [
    *("Z", "z", "+00", "+0000", "+00:00", "-00:00", "+03", "-0330", "+03:30", "+18:00", "+18:01", "-1800"),
    *("+033015", "+03:30:15", "+3", "+03:60", "GMT+3", ""),
]
REGIONS = ["UTC", "utc", "UT", "Z", "Etc/GMT+3", "etc/gmt-5", "Mars/Base"]
"""None whose clocks change: where a text names the zone, Spark moves a skipped time, the core refuses it."""

LAST = {"M": 13, "L": 13, "d": 32, "D": 367, "H": 25, "k": 23, "h": 13, "K": 12, "m": 60, "s": 60}
"""A letter's first number too many; 23 for k: 24 is the next day's midnight here, the same day's in Java."""


def _year(run: str) -> st.SearchStrategy[str]:
    usual = st.integers(0, 99).map("{:02}".format) if len(run) == 2 else st.integers(1890, 2261).map(str)
    return st.one_of(usual, usual, st.from_regex(r"\A[+-]?[0-9]{1,5}\Z"))


def _number(run: str) -> st.SearchStrategy[str]:
    widths = st.sampled_from([len(run)] * 3 + [1, 2])
    return st.builds("{:0{}}".format, st.integers(0, LAST[run[0]]), widths)


def _reading(run: str) -> st.SearchStrategy[str]:
    """Texts for a run of letters, most of them right."""
    if run[0] == "y":
        return _year(run)
    if run[0] == "S":
        return st.from_regex(rf"\A[0-9]{{0,{len(run) + 1}}}\Z")
    if run[0] in LAST and len(run) < 3:
        return _number(run)
    months = [*MONTHS, *(name[:3].title() for name in MONTHS), *(name.upper() for name in MONTHS)]
    texts = {"M": months, "L": months, "a": ["AM", "pm", "Pm", "a.m.", ""], "V": REGIONS, "D": ["001", "366"]}
    return st.sampled_from(texts.get(run[0], OFFSETS))


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
            literals = st.sampled_from([literal, literal, literal.swapcase()])
            parts.append(draw(_reading(token["run"]) if token["run"] else literals))
    text = "".join(parts)
    return draw(st.sampled_from([text] * 12 + [f"{text} ", f" {text}", text[:-1], f"{text}x"]))


def _by_spark(spark: SparkSession, texts: Sequence[str], pattern: str, timezone: str) -> list[int | None]:
    """What Spark reads, as microseconds; null for a local time that a clock change skips, which it moves."""
    spark.conf.set("spark.sql.session.timeZone", timezone)
    frame = spark.createDataFrame(list(enumerate(texts)), "number INT, text STRING")
    time = F.try_to_timestamp("text", F.lit(pattern))
    if not any(translated(pattern).runs(field) for field in ("offset", "zone")):
        local = F.try_to_timestamp(F.concat("text", F.lit("Z")), F.lit(f"{pattern}X"))
        time = F.when(F.unix_micros(F.from_utc_timestamp(time, timezone)) == F.unix_micros(local), time)
    return [row.read for row in sorted(frame.select("number", F.unix_micros(time).alias("read")).collect())]


@pytest.fixture
def zone_again(spark: SparkSession) -> Iterator[None]:
    """The session's zone is afterwards what it was."""
    zone = spark.conf.get("spark.sql.session.timeZone")
    yield
    spark.conf.set("spark.sql.session.timeZone", str(zone))


@pytest.mark.usefixtures("zone_again")
@pytest.mark.parametrize("pattern", PATTERNS)
@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(data=st.data(), timezone=st.sampled_from(ZONES))
def test_the_core_reads_what_spark_reads(
    spark: SparkSession, pattern: str, data: st.DataObject, timezone: str
) -> None:
    texts = data.draw(st.lists(_text(pattern), min_size=100, max_size=100))
    found = EventTime([pattern], timezone).instants(pl.Series(texts, dtype=pl.String)).to_physical().to_list()
    expected = _by_spark(spark, texts, pattern, timezone)
    for text, ours, sparks in zip(texts, found, expected, strict=True):
        late = ours and sparks and min(ours, sparks) > LATEST  # refused, whatever the rules of then
        assert ours == sparks or late or not re.search("[0-9]", text), text  # Spark reads nothing as 1970
