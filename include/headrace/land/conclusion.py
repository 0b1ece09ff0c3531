"""The end of a landing: what the run's slice came to, and whether too much of it was refused."""

from dataclasses import dataclass
from itertools import islice

import polars as pl

from headrace.contract.model import Contract
from headrace.errors import QuarantineLimitExceeded
from headrace.offsets import text
from headrace.parse.reasons import Reason
from headrace.tables.names import QUARANTINE
from headrace.tables.queries import landed_by
from headrace.tables.slice_batches import batches_of
from headrace.tables.slices import Slice
from headrace.tables.warehouse import Warehouse
from headrace.task_log import say

TOP = 5
"""How many reasons the error names."""


def conclude(contract: Contract, warehouse: Warehouse, run_slice: Slice) -> None:
    """Say the slice's totals.

    Raises:
        QuarantineLimitExceeded: of what is new, more was refused than the contract's limit, a share or a
            count; what was landed or refused before is not new. All is landed and committed nevertheless.
    """
    rows = batches_of(warehouse, run_slice.topic_id, run_slice.start, run_slice.until)
    landed = sum(row.landed for row in rows)
    gone = sum(row.records for row in rows if row.kind == "gap")
    records = sum(row.records for row in rows) - gone
    reasons = _refused(warehouse, [row.batch for row in rows if row.quarantined])
    duplicates, before, tombstones = (
        reasons.pop(reason.value).count if reason.value in reasons else 0
        for reason in (Reason.DUPLICATE, Reason.REFUSED_BEFORE, Reason.TOMBSTONE)
    )
    new = records - duplicates - before - tombstones
    refused = sum(each.count for each in reasons.values())
    say(
        f"slice {text(run_slice.ranges)}: records {records} landed {landed} quarantined {refused} "
        f"duplicates {duplicates}{f' refused before {before}' if before else ''}"
        f"{f' tombstones {tombstones}' if tombstones else ''}"
        f"{f' lost offsets {gone}' if gone else ''} in {len(rows)} batches; "
        "next: analyse"
    )
    limit = contract.landing.quarantine_limit
    table = warehouse.table(QUARANTINE)
    counted = refused if isinstance(limit, int) else refused / max(new, 1)
    if counted > limit:  # a product would be off: 0.29 * 100 is less than 29
        top = "; ".join(map(str, islice(reasons.values(), TOP)))
        raise QuarantineLimitExceeded(
            f"stream {contract.stream}: {refused} of {new} new records ({refused / new:.1%}) went to "
            f"quarantine, the contract's limit is {_said(limit)}: {top}. All is landed and kept. Look at the "
            f"table {table}; then correct the producer or the contract, or raise landing.quarantine_limit, "
            "and clear the task."
        )


def _said(limit: float) -> str:
    return f"{limit:,} records" if isinstance(limit, int) else f"{limit:.1%}"


@dataclass(frozen=True)
class _Refused:
    """The records that were refused for one reason: how many, and the first of them."""

    reason: str
    count: int
    partition: int
    offset: int
    message: str

    def __str__(self) -> str:
        message = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in self.message)
        return (
            f"{self.reason} {self.count} (first: partition {self.partition}, offset {self.offset}: {message})"
        )


def _refused(warehouse: Warehouse, batches: list[int]) -> dict[str, _Refused]:
    """Refused records of those batches by reason, the most frequent first."""
    if not batches:
        return {}
    provenance = pl.col("provenance").struct
    place = [provenance.field("partition"), provenance.field("offset")]
    counted = (
        landed_by(warehouse, QUARANTINE, batches)
        .select("reason", "message", *place)
        .sort("partition", "offset")
        .group_by("reason")
        .agg(pl.len().alias("count"), pl.first("partition", "offset", "message"))
        .sort("count", "reason", descending=[True, False])
        .collect()
    )
    return {str(row["reason"]): _Refused(**row) for row in counted.iter_rows(named=True)}
