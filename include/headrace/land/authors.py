"""Whose headers landing believes: those that the stream's key proves, and those of before there was one."""

from headrace.errors import WarehouseError
from headrace.kafka.headers import Authors, Unproven
from headrace.tables.commits import open_table
from headrace.tables.keys import lost, read_key
from headrace.tables.names import PUBLICATIONS
from headrace.tables.reading import read_rows
from headrace.tables.warehouse import Warehouse


def authors_of(warehouse: Warehouse, topic_id: str) -> Authors:
    """Those of the stream's records in that topic.

    Raises:
        WarehouseError: the key is lost, without which no record of a publication is known.
    """
    exists = warehouse.exists(PUBLICATIONS)
    rows = read_rows(open_table(warehouse.table(PUBLICATIONS))) if exists else []
    key = read_key(warehouse)
    if key is None and any(row.get("proven") for row in rows):
        raise WarehouseError(lost(warehouse))
    unproven = {
        row["publication"]: Unproven(row["rows"], dict(row["until"] or {}))
        for row in rows
        if row["topic_id"] == topic_id and not row.get("proven")
    }
    return Authors(key, unproven)
