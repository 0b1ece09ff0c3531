"""The columns of `readings` as a contract chooses them: all signals in a map, or a typed column for each."""

from collections.abc import Iterable

import pyarrow as pa

from headrace.contract.model import Contract
from headrace.contract.record import Signal
from headrace.tables.columns import INSTANT, PROVENANCE, SIGNALS, Column, schema_of
from headrace.tables.names import READINGS

MAP, OTHERS = "signals", "others"
"""The map of all signals, and the one of the fields that are no signal's where those have columns."""

TYPES = {"double": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_(), "timestamp": INSTANT}

STATISTICS = "delta.dataSkippingStatsColumns"
"""The property of a table that says which columns have bounds in its log."""

EXACT_DIGITS = 15
"""Digits of a decimal that survive a double: delta-rs writes the bounds of a compacted file as one."""


def signal_fields(contract: Contract) -> list[pa.Field]:
    """A typed column for each signal, in the contract's order, with its comment as Delta keeps it."""
    return [
        Column(signal.typed_column, arrow_type(signal), f"signal {signal.name}, {signal.type}").field
        for signal in contract.record.signals
    ]


def arrow_type(signal: Signal) -> pa.DataType:
    """The type of a signal's column; arrays and structs are JSON texts."""
    return pa.decimal128(*signal.digits) if signal.digits else TYPES.get(signal.type, pa.string())


def readings_schema(contract: Contract) -> pa.Schema:
    """The columns of `readings` by the contract."""
    fixed = schema_of(READINGS)
    if contract.landing.columns == "map":
        return fixed
    at = fixed.get_field_index(MAP)
    others = Column(OTHERS, SIGNALS, "field that is no signal's -> value, as the source wrote it").field
    return pa.schema([*list(fixed)[:at], *signal_fields(contract), others, *list(fixed)[at + 1 :]])


def statistics_columns(schema: pa.Schema) -> str:
    """The columns whose bounds the log keeps, as `delta.dataSkippingStatsColumns` names them.

    Not those of which delta-rs 1.6 writes none or wrong ones when it compacts (booleans, decimals of many
    digits): it reads a missing bound as `>= null`, and who asks for a value finds no row.
    """
    names = [f"`{field.name}`" for field in schema if _has_bounds(field.type)]
    return ",".join([*names, *(f"provenance.{each.name}" for each in PROVENANCE)])


def _has_bounds(kind: pa.DataType) -> bool:
    if pa.types.is_decimal(kind):
        return bool(kind.precision <= EXACT_DIGITS)
    return not (pa.types.is_nested(kind) or pa.types.is_boolean(kind))


def content_columns(columns: Iterable[str]) -> list[str]:
    """Those of the columns of `readings` that say what the record said, and where it came from."""
    return [name for name in columns if name not in ("signal_date", "create_date", "create_ts")]
