"""How far a table stands: what tells whoever waits for it that something came."""

from typing import Any

from headrace.offsets import position_json
from headrace.tables.active_files import count_rows
from headrace.tables.batches import newest_closing
from headrace.tables.commits import open_table
from headrace.tables.gold_commits import newest_gold
from headrace.tables.names import DAILY_COMPLETENESS, LANDED, LEDGER, READINGS
from headrace.tables.warehouse import Warehouse

Standing = dict[str, Any]
"""`rows`, `position` (partition -> offset) and, of gold tables, `analysis`: what computed them. JSON."""


def standing_of(warehouse: Warehouse, table: str) -> Standing | None:
    """What the table holds, by logs alone; None where there is no such table yet.

    The ledger, which has a row of each run, stands as what it is the account of: readings and gold. Two
    standings differ where rows came or went, offsets were landed that gave none (duplicates), or all was
    computed anew. Compaction changes none of that.
    """
    if not warehouse.exists(table):
        return None
    counted = READINGS if table == LEDGER else table
    rows = count_rows(open_table(warehouse.table(counted))) if warehouse.exists(counted) else 0
    if table in LANDED:
        closing = newest_closing(warehouse)
        return {"rows": rows, "position": position_json(closing.position if closing else {})}
    gold = newest_gold(warehouse, DAILY_COMPLETENESS if table == LEDGER else table)
    position, analysis = (gold.metadata.position, gold.metadata.analysis_sha256) if gold else ({}, None)
    return {"rows": rows, "position": position_json(position), "analysis": analysis}
