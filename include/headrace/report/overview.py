"""What a person wants to know of a stream at a glance; `headrace show` prints it."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from headrace.contract.model import Contract
from headrace.errors import HeadraceError
from headrace.kafka.topics import describe_topic, log_end
from headrace.offsets import lag
from headrace.reconcile.ledger import Entry, newest_entries
from headrace.tables import queries
from headrace.tables.batches import Batch, landed_position, newest_batches
from headrace.tables.gold_columns import averages_table
from headrace.tables.warehouse import Warehouse


class Overview(BaseModel):
    """Where a stream stands: position, lag, tables, newest readings and batches, newest account."""

    model_config = ConfigDict(frozen=True)

    stream: str
    topic: str
    warehouse: str
    position: dict[int, int]
    lag: int | None
    lag_unknown: str | None
    counts: queries.Counts
    completeness: queries.Completeness | None
    newest: tuple[dict[str, Any], ...]
    batches: tuple[Batch, ...]
    ledger: Entry | None


def overview(contract: Contract, warehouse: Warehouse, config: dict[str, Any], batches: int = 5) -> Overview:
    """The stream as it is now; a broker that does not answer leaves only the lag unknown."""
    rows = newest_batches(warehouse, batches)
    ends, unknown, topic_id = None, None, rows[-1].topic_id if rows else ""
    try:
        topic_id = describe_topic(config, contract.topic.name).topic_id
        ends = log_end(config, contract.topic.name)
    except HeadraceError as unreachable:
        unknown = str(unreachable)
    position = landed_position(warehouse, topic_id)
    entries = newest_entries(warehouse, 1)
    return Overview(
        stream=contract.stream,
        topic=contract.topic.name,
        warehouse=str(warehouse.folder),
        position=position,
        lag=None if ends is None else lag(position, ends),
        lag_unknown=unknown,
        counts=queries.counts(warehouse, averages_table(contract)),
        completeness=queries.completeness(contract, warehouse),
        newest=tuple(queries.last_readings(contract, warehouse)),
        batches=tuple(rows),
        ledger=entries[-1] if entries else None,
    )
