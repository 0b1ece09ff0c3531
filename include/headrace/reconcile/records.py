"""Where each record of `readings` and `quarantine` came from: what reconcile counts."""

import polars as pl

ORIGIN = ("topic_id", "partition", "offset", "publication", "row", "batch")


def origins(table: str, rows: pl.LazyFrame) -> pl.LazyFrame:
    """The records of one table, wherever they are read from: `table`, then where each came from."""
    provenance = pl.col("provenance").struct
    return rows.select(
        pl.lit(table).alias("table"), *(provenance.field(name) for name in ORIGIN)
    ).with_columns(pl.col("row").cast(pl.Int64))
