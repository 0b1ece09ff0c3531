"""Texts to instants in many formats: what Spark itself writes is read, and no year stops the job."""

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from headrace.contract.model import EventTime
from headrace_spark.event_time import instant
from testbed.time_cases import FORMATS, YEARS

INSTANTS = ["2018-01-31 23:10:00", "2261-12-01 01:02:00"]


@pytest.mark.parametrize("pattern", FORMATS)
def test_what_spark_writes_is_read_and_a_year_beyond_all_is_null(spark: SparkSession, pattern: str) -> None:
    times = spark.createDataFrame([(at,) for at in INSTANTS], "at STRING")
    written = times.select("at", F.date_format(F.to_timestamp("at"), pattern).alias("text"))
    years = spark.createDataFrame([(year,) for year in YEARS], "year STRING")
    beyond = written.limit(1).crossJoin(years)
    beyond = beyond.select(F.lit(None), F.replace("text", F.lit("2018"), F.col("year")))
    event_time = EventTime(field="t", format=pattern, timezone="Europe/Istanbul")
    read = instant(F.col("text"), event_time).cast("string")
    rows = written.union(beyond).select("at", "text", read.alias("read")).collect()
    assert len(rows) == len(INSTANTS) + len(YEARS)
    assert [(row.text, row.read) for row in rows] == [(row.text, row.at) for row in rows]


def test_a_long_text_is_no_time_and_takes_no_time(spark: SparkSession) -> None:
    event_time = EventTime(field="t", format="MMMM MMM a yyyy", timezone="Europe/Istanbul")
    frame = spark.createDataFrame([(" " * 1_000_000,)], "text STRING")
    assert frame.select(instant(F.col("text"), event_time)).collect() == [(None,)]
