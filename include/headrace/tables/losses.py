"""What `batches` says of offsets that were given up, or that the broker has lost and gave out again."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from headrace.offsets import OffsetRange
from headrace.tables.batches import Batch, batches_in
from headrace.tables.names import BATCHES
from headrace.tables.reading import dataset
from headrace.tables.warehouse import Warehouse

if TYPE_CHECKING:
    import pyarrow.compute as pc


def rewinds(warehouse: Warehouse, topic_id: str) -> int:
    """How many times the topic's log was cut off before the position, and landing went back."""
    return sum(row.topic_id == topic_id for row in read_rewinds(warehouse))


def read_rewinds(warehouse: Warehouse) -> list[Batch]:
    """The rewinds alone, in their order."""
    import pyarrow.compute as pc

    return _read_some(warehouse, lambda _: pc.field("kind") == "rewind")


def read_losses(warehouse: Warehouse, topic_id: str, newest: int) -> list[OffsetRange]:
    """Offsets of that topic that were accepted as lost, up to the batch `newest`: gaps, parts of batches."""
    import pyarrow.compute as pc

    def told(columns: list[str]) -> pc.Expression:
        gap = pc.field("kind") == "gap"
        return gap | (pc.list_value_length(pc.field("lost")) > 0) if "lost" in columns else gap

    rows = (row for row in _read_some(warehouse, told) if row.topic_id == topic_id and row.batch <= newest)
    return [each for row in rows for each in (row.ranges if row.kind == "gap" else row.lost)]


def _read_some(warehouse: Warehouse, which: "Callable[[list[str]], pc.Expression]") -> list[Batch]:
    if not warehouse.exists(BATCHES):
        return []
    rows = dataset(warehouse.table(BATCHES))
    return batches_in(rows.to_table(filter=which(rows.schema.names)).to_pylist())
