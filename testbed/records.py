"""Kafka records as the source hands them to a driver, made from literals."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pyspark.sql import DataFrame, SparkSession

from testbed.parse_cases import TOPIC_ID, Sent, contract

__all__ = ["TOPIC_ID", "Sent", "contract", "records"]

SCHEMA = (
    "key BINARY, value BINARY, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP, "
    "timestampType INT, headers ARRAY<STRUCT<key: STRING, value: BINARY>>"
)
WRITTEN = datetime(2018, 1, 2, tzinfo=UTC)


def records(spark: SparkSession, sent: Sequence[Sent], start: int = 0) -> DataFrame:
    """The records at the offsets from `start` on."""
    rows = [
        (
            None,
            None if each.value is None else bytearray(each.value),
            "readings",
            0,
            offset,
            WRITTEN,
            0,
            [(name, None if value is None else bytearray(value)) for name, value in each.headers],
        )
        for offset, each in enumerate(sent, start)
    ]
    return spark.createDataFrame(rows, SCHEMA)
