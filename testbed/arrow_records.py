"""Kafka records as an Arrow batch, made from literals, and what a parser makes of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from headrace.contract.model import Contract
from headrace.parse.parser import RECORDS, Parser
from testbed.parse_cases import TOPIC_ID, Sent

WRITTEN = datetime(2026, 11, 25, tzinfo=UTC)


def batch(sent: Sequence[Sent], start: int = 0) -> pa.RecordBatch:
    """The records at the offsets from `start` on."""
    rows = [
        {
            "key": each.key,
            "value": each.value,
            "headers": [{"key": name, "value": value} for name, value in each.headers],
            "partition": 0,
            "offset": offset,
            "timestamp": WRITTEN,
        }
        for offset, each in enumerate(sent, start)
    ]
    return pa.RecordBatch.from_pylist(rows, RECORDS)


def parsed(sent: Sequence[Sent], contract: Contract) -> list[dict[str, Any]]:
    """Each record's row; signals as a dictionary, the event time as microseconds, which have every year."""
    table = Parser(contract, TOPIC_ID).parse(batch(sent))
    instants = table.column("signal_ts").cast(pa.int64()).to_pylist()
    rows = table.drop_columns(["signal_ts"]).to_pylist(maps_as_pydicts="strict")
    return [row | {"signal_ts": at} for row, at in zip(rows, instants, strict=True)]
