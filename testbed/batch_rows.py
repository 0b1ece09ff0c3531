"""Rows of `batches` for tests."""

from datetime import UTC, datetime
from typing import Any

from headrace.offsets import OffsetRange
from headrace.tables.batches import Batch

MIDNIGHT = datetime(2018, 1, 1, tzinfo=UTC)


def a_batch(number: int, *ranges: tuple[int, int, int], **fields: Any) -> Batch:
    """A batch of these (partition, start, until), all of it landed; `fields` replace the usual values."""
    records = sum(until - start for _, start, until in ranges)
    usual = Batch(
        batch=number,
        kind="batch",
        topic_id="t",
        ranges=tuple(OffsetRange(partition=p, start=s, until=u) for p, s, u in ranges),
        records=records,
        landed=records,
        quarantined=0,
        run_id="run",
        try_id=f"try{number}",
        contract_sha256="c",
        started=MIDNIGHT,
        finished=MIDNIGHT,
    )
    return usual.model_copy(update=fields)
