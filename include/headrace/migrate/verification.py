"""Whether the rebuilt tables hold what the old ones hold, by what reconcile counts."""

from collections.abc import Iterable, Iterator
from itertools import islice

import polars as pl
import pyarrow.dataset as ds

from headrace.errors import NotReconciled
from headrace.migrate.layout_one import old_files, open_old, tables_of
from headrace.reconcile.records import origins
from headrace.tables.columns import schema_of
from headrace.tables.reading import dataset
from headrace.tables.warehouse import Warehouse

GROUP = ["table", "topic_id", "batch", "publication"]
NAMED = 20
"""How many differences the error names."""


def verify(old: Warehouse, new: Warehouse) -> pl.DataFrame:
    """Count both, per table, batch and publication, and hold each record's place against the other's.

    The old files are read by polars itself: by another reader than the one that copied them.

    Returns:
        The account that both have: `rows` and a sum over the `places` of each group.

    Raises:
        NotReconciled: they differ.
    """
    names = tables_of(old)
    before = account(origins(name, _old_rows(old, name)) for name in names)
    after = account(origins(name, rows) for name in names for rows in _new_rows(new, name))
    if not before.equals(after):
        raise NotReconciled("\n".join([f"{old.folder}: the rebuilt tables differ:", *_named(before, after)]))
    return after


def account(records: Iterable[pl.LazyFrame]) -> pl.DataFrame:
    """Rows of each group, and a number that tells its set of places, doubled ones too, from any other's."""
    places = pl.struct("partition", "offset", "row").hash().sum().alias("places")  # sums go round, exactly
    parts = [
        each.group_by(GROUP).agg(pl.len().cast(pl.UInt64).alias("rows"), places).collect(engine="streaming")
        for each in records
    ]
    return pl.concat(parts).group_by(GROUP).agg(pl.col("rows", "places").sum()).sort(GROUP)


def _old_rows(old: Warehouse, name: str) -> pl.LazyFrame:
    files = old_files(open_old(old, name), old.table(name))
    return pl.scan_parquet(files, glob=False, hive_partitioning=False) if files else _no_rows(name)


def _new_rows(new: Warehouse, name: str) -> Iterator[pl.LazyFrame]:
    """The rows as their readers get them, a file at a time: as a whole they would be held in memory."""
    yield _no_rows(name)
    table = dataset(new.table(name))
    for file in table.get_fragments():
        yield pl.scan_pyarrow_dataset(
            ds.FileSystemDataset([file], table.schema, table.format, file.filesystem)
        )


def _no_rows(name: str) -> pl.LazyFrame:
    return pl.DataFrame(schema_of(name).empty_table()).lazy()


def _named(before: pl.DataFrame, after: pl.DataFrame) -> list[str]:
    both = before.join(after, GROUP, "full", nulls_equal=True, coalesce=True, suffix="_after").filter(
        pl.col("rows").ne_missing(pl.col("rows_after")) | pl.col("places").ne_missing(pl.col("places_after"))
    )
    lines = (
        f"  {row['table']}, batch {row['batch']}, publication {row['publication']}: {row['rows'] or 0} rows "
        f"before, {row['rows_after'] or 0} after{', of other records' * (row['rows'] == row['rows_after'])}"
        for row in both.sort(GROUP).iter_rows(named=True)
    )
    return [*islice(lines, NAMED), *([f"  … and {both.height - NAMED} more"] if both.height > NAMED else [])]
