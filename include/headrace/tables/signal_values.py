"""Signals as numbers, for pictures: of all readings or of a bounded number, out of the map or of columns."""

from typing import TYPE_CHECKING

import polars as pl

from headrace.contract.number_form import PLAIN
from headrace.numeric import number
from headrace.tables.active_files import active_files
from headrace.tables.commits import open_table
from headrace.tables.names import READINGS
from headrace.tables.queries import scan
from headrace.tables.sampling import sample
from headrace.tables.typed_columns import MAP
from headrace.tables.warehouse import Warehouse

if TYPE_CHECKING:
    from headrace.contract.record import Record

SAMPLE = 60_000
"""Readings that a picture is made of: the eye sees no more, and the page stays small."""


def signal_values(
    warehouse: Warehouse, names: list[str], most: int = SAMPLE, *, record: "Record | None" = None
) -> pl.DataFrame:
    """The named signals as numbers, a column each, of all readings or of `most`, evenly spread over them.

    What is missing or no number is null. `record` says how numbers are written; without it they are JSON's.
    """
    opened = open_table(warehouse.table(READINGS))
    there = [field.name for field in opened.schema().fields]
    values = _values(names, record, there)
    files = active_files(opened)
    if files is None or sum(file.rows for file in files) <= most:
        return scan(warehouse, READINGS).select(values).collect()
    read = [MAP] if MAP in there else ["signal_ts", *_own_columns(record, there).values()]
    parts = sample(warehouse.table(READINGS), files, read, most)
    return pl.concat(_with_columns(pl.DataFrame(part), read).select(values) for part in parts)


def _values(names: list[str], record: "Record | None", there: list[str]) -> list[pl.Expr]:
    """Each signal as a number, out of the map or of its own column; null where that is not there."""
    if MAP in there:
        forms = {signal.name: record.number_form(signal) for signal in record.signals} if record else {}
        return [number(pl.col(MAP).map.get(name), forms.get(name, PLAIN)).alias(name) for name in names]
    own = _own_columns(record, there)
    values = (
        pl.col(own[name]).cast(pl.Float64) if name in own else pl.lit(None, pl.Float64) for name in names
    )
    return [value.alias(name) for name, value in zip(names, values, strict=True)]


def _own_columns(record: "Record | None", there: list[str]) -> dict[str, str]:
    signals = record.signals if record else ()
    return {
        each.name: each.typed_column for each in signals if each.is_numeric and each.typed_column in there
    }


def _with_columns(part: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """The part, whose file may be older than some of the columns."""
    return part.with_columns(pl.lit(None).alias(name) for name in columns if name not in part.columns)
