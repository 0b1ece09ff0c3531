"""A table stands otherwise where something came or went, not where its files were put together."""

from deltalake import DeltaTable

from headrace.tables.batches import append_batch
from headrace.tables.creation import create_tables
from headrace.tables.names import LEDGER, QUARANTINE, READINGS
from headrace.tables.standing import standing_of
from headrace.tables.warehouse import Warehouse
from testbed.batch_rows import a_batch
from testbed.landed_batches import land_as_they_are
from testbed.parsed_rows import Parsed, parsed


def land(warehouse: Warehouse, batch: int, rows: int) -> None:
    records = [Parsed(10 * batch + n, minutes=batch * 1440 + n) for n in range(rows)]
    land_as_they_are(warehouse, batch, parsed(*records))
    append_batch(warehouse, a_batch(batch, (0, 10 * batch, 10 * batch + 10)))


def test_there_is_no_standing_before_there_is_a_table(warehouse: Warehouse) -> None:
    assert standing_of(warehouse, READINGS) is None
    create_tables(warehouse)
    assert standing_of(warehouse, READINGS) == {"rows": 0, "position": {}}
    assert standing_of(warehouse, LEDGER) is None


def test_rows_and_position_tell_of_what_came(warehouse: Warehouse) -> None:
    create_tables(warehouse)
    land(warehouse, 0, 3)
    assert standing_of(warehouse, READINGS) == {"rows": 3, "position": {"0": 10}}
    land(warehouse, 1, 0)  # duplicates only
    assert standing_of(warehouse, READINGS) == {"rows": 3, "position": {"0": 20}}
    assert standing_of(warehouse, QUARANTINE) == {"rows": 0, "position": {"0": 20}}


def test_compaction_tells_nobody_anything(warehouse: Warehouse) -> None:
    create_tables(warehouse)
    land(warehouse, 0, 3)
    land(warehouse, 1, 2)
    before = standing_of(warehouse, READINGS)
    table = DeltaTable(str(warehouse.table(READINGS)))
    assert table.optimize.compact()["numFilesRemoved"] == 2
    assert standing_of(warehouse, READINGS) == before
