"""The columns of a `readings` that is there held against the contract's: new ones are added, none is changed.

A commit that adds columns is of the table's metadata alone. Whoever is killed behind it leaves a table that
the next landing finds as it should be.
"""

import pyarrow as pa
from deltalake import DeltaTable, Field, Schema

from headrace.contract.model import Contract
from headrace.crash_points import crash_point
from headrace.errors import ColumnsDiffer
from headrace.files import sync
from headrace.tables.commits import log_file, open_table
from headrace.tables.names import READINGS
from headrace.tables.table_errors import warehouse_errors
from headrace.tables.typed_columns import MAP, STATISTICS, readings_schema, statistics_columns
from headrace.tables.warehouse import Warehouse
from headrace.task_log import say


def fit_columns(warehouse: Warehouse, contract: Contract) -> None:
    """Add the columns of signals that are new in the contract; the caller is the stream's one writer.

    Raises:
        ColumnsDiffer: as `missing_columns`.
        WarehouseUnavailable: the table cannot be written just now.
    """
    path = warehouse.table(READINGS)
    table = open_table(path)
    missing = missing_columns(table, warehouse, contract)
    if missing:
        with warehouse_errors(path):
            table.alter.add_columns([_delta_field(each) for each in missing])
            sync(log_file(path, open_table(path).version()), path / "_delta_log")
        _say_new(missing, table, contract)
        crash_point("land.after_columns")
    if contract.landing.columns == "typed":
        _note_statistics(open_table(path), warehouse)


def _say_new(columns: list[pa.Field], before: DeltaTable, contract: Contract) -> None:
    say(f"readings: new columns {', '.join(each.name for each in columns)}, null in what is landed already")
    known = readings_schema(contract).names
    left = [field.name for field in before.schema().fields if field.name not in known]
    if left:
        say(
            f"readings: columns {', '.join(left)} are no signal's any more, null from now on. Was one "
            "renamed? Give the signal that `column`, and its history goes on in it"
        )


def require_columns(warehouse: Warehouse, contract: Contract) -> None:
    """Refuse a `readings` that the contract's columns cannot be read of; raises as `missing_columns`."""
    missing_columns(open_table(warehouse.table(READINGS)), warehouse, contract)


def missing_columns(table: DeltaTable, warehouse: Warehouse, contract: Contract) -> list[pa.Field]:
    """The contract's columns that the table does not have yet.

    Raises:
        ColumnsDiffer: the table has a map where the contract has columns, or the other way round, or a column
            of another type.
    """
    found, wanted = pa.schema(table.schema().to_arrow()), readings_schema(contract)
    _require_kind(found, warehouse, contract)
    has = {field.name.casefold(): field for field in found}
    for signal in contract.record.signals if contract.landing.columns == "typed" else ():
        column, field = has.get(signal.typed_column.casefold()), wanted.field(signal.typed_column)
        if column is not None and (column.name, column.type) != (field.name, field.type):
            raise ColumnsDiffer(
                f"{warehouse.table(READINGS)}: column {column.name!r} holds {column.type}, and signal "
                f"{signal.name!r} is {signal.type} in the contract, a column {field.name!r} of {field.type}. "
                "A column never changes its type: what is landed would not be read any more. Nothing was "
                "landed. Take the change back, or let the signal go on in a new column, with `column: "
                f"{field.name}_{signal.type.partition('(')[0]}`"
            )
    return [field for field in wanted if field.name.casefold() not in has]


def _require_kind(found: pa.Schema, warehouse: Warehouse, contract: Contract) -> None:
    there = "map" if MAP in found.names else "typed"
    asked = contract.landing.columns
    if there != asked:
        raise ColumnsDiffer(
            f"{warehouse.table(READINGS)}: was made with `landing.columns: {there}`, and the contract says "
            f"{asked}. Nothing was landed. Say `columns: {there}` again; or, to have the other columns, move "
            f"the folder {warehouse.folder} away and run the stream again, which lands the whole topic anew, "
            "as far as its retention has kept it"
        )


def _note_statistics(table: DeltaTable, warehouse: Warehouse) -> None:
    """Have the log keep bounds of the new columns too; whoever was killed before this does it next time."""
    wanted = statistics_columns(pa.schema(table.schema().to_arrow()))
    if table.metadata().configuration.get(STATISTICS) != wanted:
        with warehouse_errors(warehouse.table(READINGS)):
            table.alter.set_table_properties({STATISTICS: wanted})


def _delta_field(column: pa.Field) -> Field:
    (field,) = Schema.from_arrow(pa.schema([column])).fields
    return field
