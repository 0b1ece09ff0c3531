"""Landed readings, looked up in those files alone that can hold them."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from headrace.tables.columns import schema_of
from headrace.tables.commits import open_table
from headrace.tables.names import READINGS
from headrace.tables.reading import dataset
from headrace.tables.typed_columns import content_columns

PLACE = ["partition", "offset"]


def readings_of(
    table: Path, identities: pa.Array, days: pa.Array, schema: pa.Schema | None = None
) -> pa.Table:
    """The readings with one of these identities on one of these days: content and provenance.

    `schema`: the table's, where signals have columns of their own.
    """
    schema = schema or schema_of(READINGS)
    content = content_columns(schema.names)
    files = dataset(table)  # passes over files, and groups in them, by their days
    wanted = pc.field("provenance", "identity").isin(pc.unique(identities))
    found = files.to_table(columns=content, filter=pc.field("signal_date").isin(pc.unique(days)) & wanted)
    return found.cast(pa.schema([schema.field(name) for name in content]))


def places_of(table: Path, batch: int) -> pa.Table:
    """Partition and offset of each reading that the batch landed."""
    open_now = open_table(table)
    described = pa.table(open_now.get_add_actions(flatten=True)).to_pylist()
    holds = {file["path"] for file in described if _may_hold(file, batch)}
    files = dataset(table, open_now)
    fragments = [each for each in files.get_fragments() if Path(each.path).name in holds]
    if not fragments:
        return pa.table({"partition": pa.array([], pa.int32()), "offset": pa.array([], pa.int64())})
    places = {name: pc.field("provenance", name) for name in PLACE}
    few = ds.FileSystemDataset(fragments, files.schema, fragments[0].format, fragments[0].filesystem)
    return few.to_table(columns=places, filter=pc.field("provenance", "batch") == batch)


def _may_hold(file: dict[str, Any], batch: int) -> bool:
    """Whether the file's statistics leave it possible; where it has none, it is."""
    low, high = file.get("min.provenance.batch"), file.get("max.provenance.batch")
    return (low is None or low <= batch) and (high is None or batch <= high)


def not_landed(parsed: Iterable[pa.RecordBatch], places: pa.Table) -> Iterator[pa.RecordBatch]:
    """The parser's records that do not stand at one of the places."""
    there = pl.DataFrame({name: pl.Series(places[name]) for name in PLACE})
    for batch in parsed:
        provenance = batch["provenance"]
        own = pl.DataFrame({name: pl.Series(provenance.field(name)) for name in PLACE}).with_row_index("at")
        yield batch.take(own.join(there, PLACE, "anti", maintain_order="left")["at"].to_arrow())
