"""The columns of the gold tables, whichever engine computes their rows."""

import pyarrow as pa

from headrace.contract.model import Contract
from headrace.tables.columns import INSTANT, Column
from headrace.tables.gold_columns import aggregated, averages_table, column_comments, start_column
from headrace.tables.names import DAILY_COMPLETENESS

DAILY = (
    Column("signal_date", pa.date32(), "day in the contract's zone"),
    Column("entity", pa.string(), "the device, where the contract names a field for it"),
    Column("distinct_signal_ts", pa.int64(), "distinct times of the day's readings"),
    Column("expected", pa.int64(), "slots that the day has by the contract's cadence and the zone's clock"),
    Column("missing", pa.int64(), "slots without a reading"),
    Column("first", INSTANT, "first time of the day"),
    Column("last", INSTANT, "last time of the day"),
)


def gold_schemas(contract: Contract) -> dict[str, pa.Schema]:
    """Each gold table's columns, with what they hold as Delta keeps it.

    Raises:
        ContractError: two signals would have the same column.
    """
    types = {
        "signal_date": pa.date32(),
        start_column(contract): INSTANT,
        "entity": pa.string(),
        "readings": pa.int64(),
        **{each.name: pa.string() for each in contract.analysis.indicator},
        **{each.column: pa.int64() for each in aggregated(contract) if each.aggregate == "count"},
    }
    averages = [
        Column(name, types.get(name, pa.float64()), text) for name, text in column_comments(contract).items()
    ]
    columns = {DAILY_COMPLETENESS: DAILY, averages_table(contract): averages}
    return {table: pa.schema([column.field for column in listed]) for table, listed in columns.items()}
