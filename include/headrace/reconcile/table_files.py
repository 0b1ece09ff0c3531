"""Rows of `readings` and `quarantine` read from their files, and added to an account."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from headrace.reconcile.account import NO_NUMBER, Account
from headrace.reconcile.records import ORIGIN
from headrace.tables.batches import Batch

COLUMNS = [f"provenance.{name}" for name in ORIGIN]

ROWS_AT_ONCE = 100_000
"""Rows that are gathered before they are sorted into the sets; 500,000 took 100 MB more and no less time."""


def count(account: Account, table: str, files: Iterable[Path]) -> None:
    """Add all rows of these files of the table; a file that cannot be read is noted."""
    waiting: list[pl.DataFrame] = []
    for file in files:
        for rows in _read(account, table, file):
            waiting.append(rows)
            if sum(map(len, waiting)) >= ROWS_AT_ONCE:
                _add(account, table, pl.concat(waiting))
                waiting = []
    if waiting:
        _add(account, table, pl.concat(waiting))


def _add(account: Account, table: str, origins: pl.DataFrame) -> None:
    """Add rows of that table: the columns of `ORIGIN`."""
    known = _by_log(account.rewinds, origins.drop_nulls(["topic_id", "partition", "offset"]))
    for (topic_id, partition), own in known.group_by("topic_id", "partition"):
        account.add_offsets(table, (str(topic_id), int(str(partition))), own["offset"].to_numpy())
    published = origins.filter(pl.col("publication").is_in(list(account.sources)))
    for (publication,), own in published.group_by("publication"):
        account.add_rows(table, str(publication), own["row"].fill_null(NO_NUMBER).to_numpy())
    counted = origins.group_by(pl.col("batch").fill_null(NO_NUMBER)).len("records")
    account.add_batches(table, counted["batch"].to_numpy(), counted["records"].to_numpy())


def _by_log(rewinds: Iterable[Batch], origins: pl.DataFrame) -> pl.DataFrame:
    """With the rows whose offsets were given out again under a topic id of their own."""
    for rewind in rewinds:
        for each in rewind.ranges:
            lost = (
                (pl.col("topic_id") == rewind.topic_id)
                & (pl.col("batch") < rewind.batch)
                & (pl.col("partition") == each.partition)
                & (pl.col("offset") >= each.start)
            )
            own = pl.lit(f"{rewind.topic_id} before batch {rewind.batch}")
            origins = origins.with_columns(pl.when(lost).then(own).otherwise("topic_id").alias("topic_id"))
    return origins


def _read(account: Account, table: str, file: Path) -> Iterator[pl.DataFrame]:
    try:
        yield from map(_origins, pq.ParquetFile(file).iter_batches(columns=COLUMNS))
    except (OSError, pa.ArrowInvalid) as failed:
        what = "is gone" if isinstance(failed, FileNotFoundError) else f"cannot be read: {failed}"
        account.unreadable.append(f"{table}: {file.name} is in the table's log, but {what}")


def _origins(batch: pa.RecordBatch) -> pl.DataFrame:
    provenance = batch.column("provenance")
    held = {each.name for each in provenance.type}
    return pl.DataFrame(
        {
            name: pl.Series(provenance.field(name)) if name in held else pl.Series([None] * len(batch))
            for name in ORIGIN
        },
        schema_overrides=_KINDS,
    ).cast(_KINDS)  # type: ignore[arg-type]  # polars' annotation is of an invariant dictionary


_KINDS = {
    name: pl.String if name in {"topic_id", "publication"} else pl.Int64
    for name in ORIGIN
}  # fmt: skip
