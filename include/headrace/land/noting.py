"""What a person has accepted, noted as a row of `batches` that lands nothing: a gap, or a rewind."""

from datetime import UTC, datetime
from typing import Literal

from headrace.offsets import Ranges
from headrace.tables.attempt import Attempt
from headrace.tables.batches import Batch, append_batch, next_batch


def note(
    attempt: Attempt, kind: Literal["gap", "rewind"], topic_id: str, ranges: Ranges, reason: str
) -> Batch:
    """Append the row; a gap's `records` are the offsets that it names. Raises as `append_batch`."""
    now = datetime.now(UTC)
    row = Batch(
        batch=next_batch(attempt.warehouse),
        kind=kind,
        topic_id=topic_id,
        ranges=ranges,
        records=sum(map(len, ranges)) if kind == "gap" else 0,
        landed=0,
        quarantined=0,
        run_id=attempt.run_id,
        try_id=attempt.try_id,
        contract_sha256=attempt.contract.sha256,
        started=now,
        finished=now,
        reason=reason,
    )
    append_batch(attempt.warehouse, row)
    return row
