"""The table `readings` as Spark reads it."""

from collections.abc import Sequence
from datetime import date
from functools import reduce
from operator import or_

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.analyse.readings_files import spans
from headrace.tables.attempt import Attempt
from headrace.tables.names import READINGS
from headrace.tables.typed_columns import readings_schema


def read_readings(
    spark: SparkSession, attempt: Attempt, version: int, days: Sequence[date] | None = None
) -> DataFrame:
    """The readings as of that version of the table; those of `days` (in order), where they are given.

    A column of the contract's that the table does not have yet is null.

    Delta takes a list of days for the range from its first to its last, and reads all files between. Told
    the ranges, it passes over them.
    """
    reader = spark.read.format("delta").option("versionAsOf", version)
    readings = reader.load(str(attempt.warehouse.table(READINGS)))
    for name in readings_schema(attempt.contract).names:
        if name not in readings.columns:
            readings = readings.withColumn(name, F.lit(None))
    if days is None:
        return readings
    day = F.col("signal_date")
    within = [day.between(F.lit(first), F.lit(last)) for first, last in spans(days)]
    return readings.where(reduce(or_, within) & day.isin(list(days)))
