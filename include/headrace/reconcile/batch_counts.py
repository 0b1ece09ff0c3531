"""What the table `batches` says, held against what the tables hold of each batch."""

from collections.abc import Iterator

import polars as pl

from headrace.reconcile.account import NO_NUMBER, Account
from headrace.reconcile.problems import NAMED
from headrace.tables.names import BATCHES
from headrace.tables.reading import dataset
from headrace.tables.warehouse import Warehouse

COLUMNS = ["batch", "kind", "records", "landed", "quarantined"]


def check_batches(warehouse: Warehouse, account: Account, newest: int) -> Iterator[str]:
    """What `batches` says up to the batch `newest` that the tables do not hold, one line per batch."""
    said = _said(warehouse).filter(pl.col("batch") <= newest)
    held = pl.DataFrame(account.batches, schema=["batch", "landed", "quarantined"])
    both = said.join(held, on="batch", how="full", coalesce=True, suffix="_held").with_columns(
        pl.col("landed_held", "quarantined_held").fill_null(0)
    )
    lost = pl.when(pl.col("kind") == "gap").then(pl.col("records")).otherwise(0)
    records = pl.col("landed_held") + pl.col("quarantined_held")
    agree = (
        (pl.col("landed") == pl.col("landed_held"))
        & (pl.col("quarantined") == pl.col("quarantined_held"))
        & (pl.col("records") - lost == records)
    )
    wrong = both.filter(~agree.fill_null(False)).sort(pl.col("kind").is_null(), "batch")
    yield from (_line(row) for row in wrong.head(NAMED).iter_rows(named=True))
    if len(wrong) > NAMED:
        yield f"… and {len(wrong) - NAMED} more batches"


def _said(warehouse: Warehouse) -> pl.DataFrame:
    if not warehouse.exists(BATCHES):
        return pl.DataFrame(schema={name: pl.String if name == "kind" else pl.Int64 for name in COLUMNS})
    table = dataset(warehouse.table(BATCHES)).to_table(columns=COLUMNS)
    return pl.DataFrame({name: pl.Series(table[name]) for name in COLUMNS})


def _line(row: dict[str, int | str | None]) -> str:
    if row["kind"] is None:
        number = "no batch" if row["batch"] == NO_NUMBER else f"batch {row['batch']}"
        return f"{number}: has rows in the tables, but is not in `batches`"
    return (
        f"batch {row['batch']}: `batches` says {row['records']} records, {row['landed']} landed, "
        f"{row['quarantined']} quarantined; the tables hold {row['landed_held']} landed, "
        f"{row['quarantined_held']} quarantined"
    )
