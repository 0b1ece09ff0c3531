"""Analysis in this very process, without a JVM: the touched days, or all, a few at a time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import polars as pl
import pyarrow as pa

from headrace.analyse.analysis import Part
from headrace.analyse.gold_schemas import gold_schemas
from headrace.analyse.readings_files import ReadingsFiles, in_chunks, on_days
from headrace.analyse.transforms import added, averages, columns_read, daily_completeness, sums
from headrace.contract.model import Contract
from headrace.tables.attempt import Attempt
from headrace.tables.gold_columns import averages_table
from headrace.tables.names import DAILY_COMPLETENESS, READINGS
from headrace.tables.typed_columns import readings_schema

ROWS_AT_ONCE = 100_000
"""Readings that are in memory together with all their signals; 25 MB of those of a wind turbine."""

ROWS_OF_DAYS = 250_000
"""Readings of days that are computed together, of which only their times and the hours' sums are kept."""


def analyse_in_worker(attempt: Attempt, part: Part) -> Mapping[str, pa.Table]:
    """The rows of both gold tables, from one pass over the readings; an `Engine`."""
    contract = attempt.contract
    files = ReadingsFiles.of(attempt.warehouse.table(READINGS), part.version)
    schemas = gold_schemas(contract)
    rows = {table: [schema.empty_table()] for table, schema in schemas.items()}
    for days in _chunks(files, part.days):
        hours = added(list(_sums(files.holding(days), days, contract)))
        daily = daily_completeness(hours, contract.record.event_time)
        for table, some in (
            (DAILY_COMPLETENESS, daily),
            (averages_table(contract), averages(hours, contract)),
        ):
            rows[table].append(some.to_arrow().cast(schemas[table]))
    return {table: pa.concat_tables(some) for table, some in rows.items()}


def _chunks(files: ReadingsFiles, wanted: Sequence[date] | None) -> list[list[date]]:
    if wanted is not None:
        files = files.holding(wanted)
        if files.rows <= ROWS_OF_DAYS:
            return [list(wanted)]
    counted = files.readings_a_day()
    if wanted is not None:
        counted = counted.filter(pl.col("signal_date").is_in(wanted))
    return in_chunks(counted.iter_rows(), ROWS_OF_DAYS)


def _sums(files: ReadingsFiles, days: Sequence[date], contract: Contract) -> Iterator[pl.DataFrame]:
    """The sums of each piece of the days' readings."""
    waiting: list[pa.RecordBatch] = []
    scanner = files.scanner(columns_read(contract), on_days(days), readings_schema(contract))
    for batch in scanner.to_batches():
        waiting.append(batch)
        if sum(map(len, waiting)) >= ROWS_AT_ONCE:
            yield sums(pl.DataFrame(pa.Table.from_batches(waiting)), contract)
            waiting = []
    if waiting:
        yield sums(pl.DataFrame(pa.Table.from_batches(waiting)), contract)
