"""Kafka records as the source hands them to a driver, made from literals."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from headrace.contract.model import Contract

SCHEMA = (
    "key BINARY, value BINARY, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP, "
    "timestampType INT, headers ARRAY<STRUCT<key: STRING, value: BINARY>>"
)
WRITTEN = datetime(2018, 1, 2, tzinfo=UTC)
TOPIC_ID = "topic-1"


@dataclass(frozen=True)
class Sent:
    """One record of a topic's only partition."""

    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = field(default=())


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


def contract(**changes: Any) -> Contract:
    """A small contract; `changes` replace whole parts of it."""
    definition: dict[str, Any] = {
        "stream": "small",
        "source": {"kind": "external"},
        "topic": {"name": "readings"},
        "record": {
            "identity": ["time"],
            "event_time": {
                "field": "time",
                "format": "dd MM yyyy HH:mm",
                "timezone": "Europe/Istanbul",
                "earliest": "2000-01-01",
            },
            "signals": [
                {"name": "Power (kW)", "fields": ["p", "Power (kW)"], "minimum": 0, "maximum": 100},
                {"name": "state", "fields": ["state"], "type": "string"},
            ],
        },
    }
    return Contract.model_validate(definition | changes)
