"""The making of the tables that landing writes; harmless when repeated, or done by two processes at once."""

from typing import TYPE_CHECKING

from headrace.contract.model import Contract
from headrace.errors import WarehouseUnavailable
from headrace.files import sync
from headrace.tables.arrow_schema import arrow_schema
from headrace.tables.batches import Batch
from headrace.tables.columns import schema_of
from headrace.tables.commits import log_file, open_table
from headrace.tables.compaction import CHECKPOINT_EVERY
from headrace.tables.names import BATCHES, LANDED, READINGS
from headrace.tables.typed_columns import STATISTICS, readings_schema, statistics_columns
from headrace.tables.warehouse import Warehouse

if TYPE_CHECKING:
    import pyarrow as pa

IDENTITY, INSTANT = "headrace.identity", "instant"
"""The property of `readings` that says how an identity holds an event time, where texts can spell it in many
ways. Tables that were made before there was such a choice do not have it, and hold the source's texts."""


def identities_by_instant(warehouse: Warehouse) -> bool:
    """Whether the identities of the stream's readings hold instants."""
    return open_table(warehouse.table(READINGS)).metadata().configuration.get(IDENTITY) == INSTANT


def create_tables(warehouse: Warehouse, contract: Contract | None = None) -> None:
    """Make the tables that are not there yet; what a killed making has left behind is in nobody's way.

    `contract`: says what columns `readings` has; without one, the map of signals.

    Raises:
        WarehouseUnavailable: the warehouse cannot be written just now.
    """
    for name in (*LANDED, BATCHES):
        create_table(warehouse, name, contract)


def create_table(
    warehouse: Warehouse, name: str, contract: Contract | None = None, *, by_instant: bool = True
) -> None:
    """The same of one of them; `by_instant`: what `identities_by_instant` answers of it.

    Its schema is version 0, and it is not clustered, because delta-rs does not write such a table.
    """
    from deltalake import CommitProperties, DeltaTable
    from deltalake.exceptions import DeltaError

    if warehouse.exists(name):
        return
    path = warehouse.table(name)
    schema, properties = _columns(name, contract)
    if name == READINGS and by_instant:
        properties |= {IDENTITY: INSTANT}
    try:
        # Tried again, the slower of two would commit the schema once more, under a new id of the table.
        DeltaTable.create(
            str(path),
            schema,
            configuration=CHECKPOINT_EVERY | properties,
            raise_if_key_not_exists=False,  # else delta-rs takes no property but Delta's own
            commit_properties=CommitProperties(max_commit_retries=0),
        )
    except (OSError, DeltaError) as failed:
        if not warehouse.exists(name):  # else another process was quicker, and its table is this one
            raise WarehouseUnavailable(f"{path}: the table could not be made: {failed}") from failed
    sync(log_file(path, 0), path / "_delta_log", path, warehouse.folder)


def _columns(name: str, contract: Contract | None) -> tuple["pa.Schema", dict[str, str]]:
    """A table's columns, and the property that goes with them."""
    if name == BATCHES:
        return arrow_schema(Batch), {}
    if name == READINGS and contract and contract.landing.columns == "typed":
        schema = readings_schema(contract)
        return schema, {STATISTICS: statistics_columns(schema)}
    return schema_of(name), {}
