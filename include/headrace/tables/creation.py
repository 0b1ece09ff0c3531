"""The making of the tables that landing writes; harmless when repeated, or done by two processes at once."""

from headrace.errors import WarehouseUnavailable
from headrace.files import sync
from headrace.tables.arrow_schema import arrow_schema
from headrace.tables.batches import Batch
from headrace.tables.columns import schema_of
from headrace.tables.commits import log_file
from headrace.tables.compaction import CHECKPOINT_EVERY
from headrace.tables.names import BATCHES, LANDED
from headrace.tables.warehouse import Warehouse


def create_tables(warehouse: Warehouse) -> None:
    """Make the tables that are not there yet; what a killed making has left behind is in nobody's way.

    Raises:
        WarehouseUnavailable: the warehouse cannot be written just now.
    """
    for name in (*LANDED, BATCHES):
        create_table(warehouse, name)


def create_table(warehouse: Warehouse, name: str) -> None:
    """The same of one of them.

    Its schema is version 0, and it is not clustered, because delta-rs does not write such a table.
    """
    from deltalake import CommitProperties, DeltaTable
    from deltalake.exceptions import DeltaError

    if warehouse.exists(name):
        return
    path = warehouse.table(name)
    try:
        # Tried again, the slower of two would commit the schema once more, under a new id of the table.
        DeltaTable.create(
            str(path),
            arrow_schema(Batch) if name == BATCHES else schema_of(name),
            configuration=CHECKPOINT_EVERY,
            commit_properties=CommitProperties(max_commit_retries=0),
        )
    except (OSError, DeltaError) as failed:
        if not warehouse.exists(name):  # else another process was quicker, and its table is this one
            raise WarehouseUnavailable(f"{path}: the table could not be made: {failed}") from failed
    sync(log_file(path, 0), path / "_delta_log", path, warehouse.folder)
