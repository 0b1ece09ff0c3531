"""The engine of `analyse` that is Spark: the rows of both gold tables."""

from collections.abc import Mapping
from functools import partial

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.analyse import analysis
from headrace.analyse.analysis import Part
from headrace.contract.model import Contract
from headrace.tables.attempt import Attempt
from headrace.tables.gold_columns import averages_table
from headrace.tables.names import DAILY_COMPLETENESS
from headrace_spark.readings import read_readings
from headrace_spark.transforms import averages, daily_completeness


def analyse(spark: SparkSession, attempt: Attempt) -> None:
    """Bring both gold tables up to the last closed batch; raises as `headrace.analyse.analysis.analyse`."""
    analysis.analyse(attempt, partial(analyse_in_spark, spark))


def analyse_in_spark(spark: SparkSession, attempt: Attempt, part: Part) -> Mapping[str, pa.Table]:
    """The rows of both gold tables; an `Engine`.

    Each reads its own columns, one the times and the other the signals. One aggregation for both costs more:
    docs/decisions/2026-11-26-two-definitions-of-the-analysis.md.
    """
    contract = attempt.contract
    readings = read_readings(spark, attempt, part.version, part.days)
    return {
        DAILY_COMPLETENESS: daily_completeness(readings, contract.record.event_time).toArrow(),
        averages_table(contract): averages(readings, _mapping(spark, contract), contract).toArrow(),
    }


def _mapping(spark: SparkSession, contract: Contract) -> DataFrame:
    """The list of signal names as its file has it; empty where the contract names none."""
    schema = "sig_name STRING, sig_mapping_name STRING"
    written = contract.analysis.signal_names_text
    if written is None:
        return spark.createDataFrame([], schema)
    text = spark.createDataFrame([(written,)], "text STRING")
    return text.select(
        F.inline(F.from_json("text", f"ARRAY<STRUCT<{schema.replace(' STRING', ': STRING')}>>"))
    )
