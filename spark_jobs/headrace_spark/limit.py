"""The end of a landing: what the run's slice came to, and whether too much of it was refused."""

import polars as pl

from headrace.batches import batches_within, read_batches
from headrace.contract import Contract
from headrace.errors import QuarantineLimitExceeded
from headrace.offsets import text
from headrace.queries import scan
from headrace.reasons import Reason
from headrace.slices import Slice
from headrace.warehouse import Warehouse


def conclude(contract: Contract, warehouse: Warehouse, target: Slice) -> None:
    """Print the slice's totals.

    Raises:
        QuarantineLimitExceeded: the refused share, without duplicates, is above the contract's limit. All is
            landed and committed nevertheless.
    """
    rows = list(batches_within(read_batches(warehouse), target.topic_id, target.start, target.until))
    landed = sum(row.landed for row in rows)
    gone = sum(row.records for row in rows if row.kind == "gap")
    records = sum(row.records for row in rows) - gone
    reasons = _reasons(warehouse, [row.batch for row in rows])
    duplicates = reasons.pop(Reason.DUPLICATE.value, 0)
    refused = sum(reasons.values())
    print(  # noqa: T201  # the task log
        f"slice {text(target.ranges)}: records {records} landed {landed} quarantined {refused} "
        f"duplicates {duplicates}{f' lost offsets {gone}' if gone else ''} in {len(rows)} batches; "
        "next: analyse",
        flush=True,
    )
    limit = contract.landing.quarantine_limit
    table = warehouse.table("quarantine")
    if refused and refused / records > limit:  # a product would be off: 0.29 * 100 is less than 29
        top = ", ".join(f"{reason} {count}" for reason, count in reasons.items())
        raise QuarantineLimitExceeded(
            f"stream {contract.stream}: {refused} of {records} records ({refused / records:.1%}) went to "
            f"quarantine, the contract's limit is {limit:.1%}: {top}. All is landed and kept. Look at the "
            f"table {table}; then correct the producer or the contract, or raise landing.quarantine_limit, "
            "and clear the task."
        )


def _reasons(warehouse: Warehouse, batches: list[int]) -> dict[str, int]:
    """Refused records of those batches by reason, the most frequent first."""
    counted = (
        scan(warehouse, "quarantine")
        .filter(pl.col("provenance").struct.field("batch").is_in(batches))
        .group_by("reason")
        .len()
        .sort("len", "reason", descending=[True, False])
        .collect()
    )
    return {str(reason): int(count) for reason, count in counted.iter_rows()}
