"""Where each record of `readings` and `quarantine` came from: what reconcile counts."""

import polars as pl

from headrace.errors import WarehouseError
from headrace.tables.names import LANDED, READINGS
from headrace.tables.queries import scan
from headrace.tables.warehouse import Warehouse

ORIGIN = ("topic_id", "partition", "offset", "publication", "row", "batch")


def landed_records(warehouse: Warehouse) -> pl.LazyFrame:
    """The records of both tables: `table`, then where each came from.

    Raises:
        WarehouseError: there is none of the tables.
    """
    frames = [origins(table, scan(warehouse, table)) for table in LANDED if warehouse.exists(table)]
    if not frames:
        raise WarehouseError(f"{warehouse.folder}: no table `{READINGS}`; clear and run `land` first")
    return pl.concat(frames)


def origins(table: str, rows: pl.LazyFrame) -> pl.LazyFrame:
    """The same of rows of one table, wherever they are read from."""
    provenance = pl.col("provenance").struct
    return rows.select(
        pl.lit(table).alias("table"), *(provenance.field(name) for name in ORIGIN)
    ).with_columns(pl.col("row").cast(pl.Int64))
