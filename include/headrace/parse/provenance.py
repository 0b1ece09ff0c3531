"""Where a record comes from and what makes it itself."""

from collections.abc import Sequence

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from headrace.parse.json_fields import ESCAPES

PUBLICATION_HEADER = "headrace-publication"
ROW_HEADER = "headrace-row"

# What Spark's cast to BIGINT takes: blanks and control characters around the digits, no point.
ROW = r"^[\x00-\x20\x7f]*([+-]?[0-9]+)[\x00-\x20\x7f]*$"


def publication_and_row(headers: pa.ListArray) -> tuple[pl.Series, pl.Series]:
    """What the headers say of each record, the first of a name; null where it is none that can be read."""
    publication, row = (pl.Series(_utf8(_first(headers, name))) for name in (PUBLICATION_HEADER, ROW_HEADER))
    return publication, row.str.extract(ROW).cast(pl.Int64, strict=False)


def _first(headers: pa.ListArray, name: str) -> pa.BinaryArray:
    """Each record's first header of the name; all headers of the batch at once, none by none."""
    entries, record_of = headers.flatten(), pc.list_parent_indices(headers)
    named = pc.indices_nonzero(pc.equal(entries.field("key"), name))
    first = pc.index_in(pa.arange(0, len(headers)), value_set=record_of.take(named))
    return entries.field("value").take(named.take(first))


def identity(declared: Sequence[pl.Expr], topic_id: str) -> pl.Expr:
    """What makes a record itself, as the text of a JSON array; null where a declared part is missing.

    Where nothing is declared it is the source and the row in it, else the record's own place.
    """
    if declared:
        return _json_array(*declared)
    source = _json_array(pl.col("publication"), pl.col("row").cast(pl.String))
    place = (pl.col(name).cast(pl.String) for name in ("partition", "offset"))
    return pl.coalesce(source, _json_array(pl.lit(topic_id), *place))


def _json_array(*parts: pl.Expr) -> pl.Expr:
    quoted = [pl.format('"{}"', part.str.replace_many(ESCAPES)) for part in parts]
    return pl.format("[{}]", pl.concat_str(quoted, separator=","))


def _utf8(values: pa.BinaryArray) -> pa.StringArray:
    """The bytes as text; null where they are none."""
    try:
        return values.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([_text(value) for value in values.to_pylist()], pa.string())


def _text(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None
