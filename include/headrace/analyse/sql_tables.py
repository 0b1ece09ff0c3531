"""Gold tables that a contract defines by an SQL file over `readings`, a day at a time.

DuckDB answers in this process, whichever engine computes the other tables: so a file has one dialect and one
meaning, and `headrace check` can bind it without a JVM. Each day is asked for itself, with its own readings
alone: what is computed cannot depend on which days were touched together. The file may read nothing else.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from headrace.analyse.readings_files import ReadingsFiles, in_chunks, on_days
from headrace.contract.loader import load_sql
from headrace.contract.model import Contract
from headrace.errors import ContractError
from headrace.tables.attempt import Attempt
from headrace.tables.columns import INSTANT
from headrace.tables.gold_columns import REFUSED
from headrace.tables.names import READINGS
from headrace.tables.typed_columns import readings_schema

DAY = "signal_date"

ROWS_OF_DAYS = 250_000
"""Readings of days that are in memory together; a day is never cut."""

LOCKED = (
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET enable_external_access = false",  # no files, no network
    "SET lock_configuration = true",
)


def sql_schemas(contract: Contract) -> dict[str, pa.Schema]:
    """The columns of each table that a file defines.

    Raises:
        ContractError: a file cannot be read, is not one SELECT over `readings` alone, or gives what no gold
            table can hold.
    """
    if not contract.analysis.tables:
        return {}
    nothing = readings_schema(contract).empty_table()
    return {
        table: _schema(_place(contract, table), text, contract, nothing)
        for table, text in load_sql(contract).items()
    }


def sql_rows(attempt: Attempt, version: int, wanted: Sequence[date] | None) -> Mapping[str, pa.Table]:
    """The rows of each of those tables, day by day, by the readings at a version; all days if none is named.

    Raises:
        ContractError: as `sql_schemas`; or a query fails on what readings hold, or gives another day's rows.
    """
    contract = attempt.contract
    schemas = sql_schemas(contract)
    if not schemas:
        return {}
    texts = load_sql(contract)
    rows: dict[str, list[pa.Table]] = {table: [schema.empty_table()] for table, schema in schemas.items()}
    with _connected(contract) as base:
        for day, readings in _days(attempt, version, wanted):
            base.register(READINGS, readings)
            for table, schema in schemas.items():
                place = _place(contract, table)
                found = _asked(base, texts[table], f"{place}: on {day}")
                _require_day(found, day, place)
                rows[table].append(found.cast(schema))
            base.unregister(READINGS)
    return {table: pa.concat_tables(some) for table, some in rows.items()}


def _days(attempt: Attempt, version: int, wanted: Sequence[date] | None) -> Iterator[tuple[date, pa.Table]]:
    """Each day that has readings, with these; they are read a few days at a time."""
    schema = readings_schema(attempt.contract)
    files = ReadingsFiles.of(attempt.warehouse.table(READINGS), version)
    counted = (files if wanted is None else files.holding(wanted)).readings_a_day()
    if wanted is not None:
        counted = counted.filter(pl.col(DAY).is_in(wanted))
    counts = dict(counted.iter_rows())
    for days in in_chunks(counts.items(), ROWS_OF_DAYS):
        scanner = files.holding(days).scanner(schema.names, on_days(days), schema)
        readings, start = scanner.to_table().sort_by(DAY), 0
        for day in days:
            yield day, readings.slice(start, counts[day])
            start += counts[day]


def _place(contract: Contract, table: str) -> str:
    return f"{contract.analysis.tables[table].file}, which analysis.tables.{table} names"


@contextmanager
def _connected(contract: Contract, readings: pa.Table | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database that holds `readings` and reaches nothing else, in the contract's zone."""
    with duckdb.connect(config={"python_enable_replacements": False}) as base:
        base.execute(f"SET TimeZone = '{contract.record.event_time.timezone}'")
        for setting in LOCKED:
            base.execute(setting)
        if readings is not None:
            base.register(READINGS, readings)
        yield base


def _asked(base: duckdb.DuckDBPyConnection, text: str, place: str) -> pa.Table:
    try:
        found = base.sql(text).to_arrow_table()
    except duckdb.Error as failed:
        raise ContractError(f"{place}: {str(failed).strip()}") from failed
    return found.cast(pa.schema([_canonical(field) for field in found.schema]))


def _canonical(field: pa.Field) -> pa.Field:
    """Instants in UTC, as in all tables."""
    zoned = pa.types.is_timestamp(field.type) and field.type.tz is not None
    return field.with_type(INSTANT) if zoned else field


def _schema(place: str, text: str, contract: Contract, nothing: pa.Table) -> pa.Schema:
    with _connected(contract) as base:
        _require_one_select(base, text, place)
    with _connected(contract, nothing) as base:
        schema = _asked(base, text, place).schema
    _require_columns(schema, place)
    return schema


def _require_one_select(base: duckdb.DuckDBPyConnection, text: str, place: str) -> None:
    """Refuse what is not one query, or reads what is not `readings`."""
    try:
        statements = duckdb.extract_statements(text)
        kinds = [each.type for each in statements]
        read = base.get_table_names(text) if kinds == [duckdb.StatementType.SELECT] else set()
    except duckdb.Error as broken:
        raise ContractError(f"{place}: {str(broken).strip()}") from broken
    if kinds != [duckdb.StatementType.SELECT]:
        raise ContractError(f"{place}: must be one SELECT; it has {len(kinds)} statements or another one")
    if {name.casefold() for name in read} != {READINGS}:
        others = ", ".join(sorted(read - {READINGS})) or "none"
        raise ContractError(f"{place}: must read the table `{READINGS}` and no other; it reads {others}")


def _require_columns(schema: pa.Schema, place: str) -> None:
    if DAY not in schema.names or schema.field(DAY).type != pa.date32():
        raise ContractError(f"{place}: must give the column `{DAY}`, a DATE, with the readings' own day")
    names = [name.casefold() for name in schema.names]
    for field in schema:
        if names.count(field.name.casefold()) > 1 or field.name.translate(REFUSED) != field.name:
            raise ContractError(
                f"{place}: column {field.name!r} stands twice or has a character that Delta does not take "
                "(one of ` ,;{}()=`, a tab, a line's end); name it with AS"
            )
        if not _is_plain(field.type):
            raise ContractError(
                f"{place}: column {field.name!r} is {field.type}, which not every reader has; cast it, an "
                "instant to TIMESTAMPTZ, others to VARCHAR, BIGINT, DOUBLE or DECIMAL"
            )


def _is_plain(kind: pa.DataType) -> bool:
    of = pa.types
    if of.is_timestamp(kind):
        return kind.tz is not None
    plain: tuple[Any, ...] = (
        *(of.is_boolean, of.is_signed_integer, of.is_float32, of.is_float64, of.is_decimal128),
        *(of.is_string, of.is_date32),
    )
    return any(each(kind) for each in plain)


def _require_day(found: pa.Table, day: date, place: str) -> None:
    days = found[DAY].unique().to_pylist()
    if any(each != day for each in days):
        raise ContractError(
            f"{place}: asked with the readings of {day}, it gives rows of {', '.join(map(str, days))}; each "
            f"row's `{DAY}` must be that of the readings it is made of"
        )
