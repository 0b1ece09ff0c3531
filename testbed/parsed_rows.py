"""What the parser hands to staging, made from literals."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from headrace.tables.columns import HEADERS, INSTANT, PROVENANCE, SIGNALS

TOPIC_ID = "topic-1"
START = datetime(2018, 1, 1, tzinfo=UTC)
PROVENANCE_TYPE = pa.struct([each.field for each in PROVENANCE if each.name != "batch"])
SCHEMA = pa.schema(
    [
        ("reason", pa.string()),
        ("message", pa.string()),
        ("signal_ts", INSTANT),
        ("signals", SIGNALS),
        ("entity", pa.string()),
        ("provenance", PROVENANCE_TYPE),
        ("key", pa.binary()),
        ("value", pa.binary()),
        ("headers", HEADERS),
    ]
)


@dataclass(frozen=True)
class Parsed:
    """One record as the parser leaves it: a reading, or refused where it has a reason."""

    offset: int
    partition: int = 0
    minutes: float = 0.0
    identity: str | None = None
    signals: Sequence[tuple[str, str | None]] = field(default=(("p", "1"),))
    entity: str | None = None
    reason: str | None = None
    message: str | None = None
    publication: str | None = None
    row: int | None = None
    timestamp: datetime = START

    def as_row(self) -> dict[str, object]:
        """The record under the columns' names."""
        good = self.reason is None
        return {
            "reason": self.reason,
            "message": self.message,
            "signal_ts": START + timedelta(minutes=self.minutes) if good else None,
            "signals": list(self.signals) if good else None,
            "entity": self.entity,
            "provenance": {
                "topic_id": TOPIC_ID,
                "partition": self.partition,
                "offset": self.offset,
                "timestamp": self.timestamp,
                "publication": self.publication,
                "row": self.row,
                "identity": self.identity or f"[{self.partition},{self.offset}]",
            },
            "key": None,
            "value": None if good else b"{",
            "headers": None if good else [{"key": "h", "value": b"v"}],
        }


def parsed(*records: Parsed) -> pa.RecordBatch:
    """The records as one batch of the parser."""
    return pa.RecordBatch.from_pylist([record.as_row() for record in records], schema=SCHEMA)
