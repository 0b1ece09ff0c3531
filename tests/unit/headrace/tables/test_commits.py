"""A table's log, read without a JVM."""

from headrace.tables.batches import append_batch
from headrace.tables.commits import NEWEST, entries, open_table
from headrace.tables.warehouse import Warehouse
from testbed.batch_rows import a_batch


def test_the_log_is_read_in_full_when_what_is_asked_for_is_old(warehouse: Warehouse) -> None:
    for number in range(NEWEST + 4):
        append_batch(warehouse, a_batch(number, (0, number * 10, number * 10 + 10)))
    versions = [entry["version"] for entry in entries(open_table(warehouse.table("batches")))]
    assert versions == list(range(NEWEST + 3, -1, -1))
