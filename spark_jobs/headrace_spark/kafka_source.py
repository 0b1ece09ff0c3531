"""Records from Kafka, as a stream from a position."""

import json
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.kafka.spark_options import spark_options
from headrace.offsets import Position, Ranges, position_json


def stream_records(
    spark: SparkSession, config: dict[str, Any], topic: str, start: Position, max_records: int
) -> DataFrame:
    """A stream of the partitions that `start` names, at most `max_records` offsets a micro-batch."""
    return (
        spark.readStream.format("kafka")
        .options(**_options(config, topic, start))
        .option("startingOffsets", _offsets(topic, start))
        .option("maxOffsetsPerTrigger", max_records)
        .load()
    )


def within(records: DataFrame, ranges: Ranges) -> DataFrame:
    """The records whose partition and offset lie in `ranges`."""
    partition, offset = F.col("partition"), F.col("offset")
    inside = [
        (partition == each.partition) & (offset >= each.start) & (offset < each.until) for each in ranges
    ]
    return records.where(reduce(or_, inside, F.lit(False)))


def _options(config: dict[str, Any], topic: str, partitions: Iterable[int]) -> dict[str, str]:
    return {
        **spark_options(config),
        "assign": json.dumps({topic: sorted(partitions)}),
        "kafka.isolation.level": "read_committed",
        "failOnDataLoss": "true",
        "includeHeaders": "true",
    }


def _offsets(topic: str, position: Position) -> str:
    return json.dumps({topic: position_json(position)})
