"""Where a record comes from and what makes it itself."""

from collections.abc import Sequence
from itertools import accumulate, chain
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from headrace.kafka.headers import FORM, HEADER, IDENTITY_DIGITS, OLD_IDENTITY, OLD_PUBLICATION, OLD_ROW
from headrace.parse.json_fields import ESCAPES

HEADERS = pa.list_(pa.struct({"key": pa.string(), "value": pa.binary()}))

# What Spark's cast to BIGINT takes: blanks and control characters around the digits, no point.
OLD_ROW_NUMBER = r"^[\x00-\x20\x7f]*([+-]?[0-9]+)[\x00-\x20\x7f]*$"

ROW_IDENTITY = f"^[0-9a-f]{{{IDENTITY_DIGITS}}}$"


def header_lists(of_each: Sequence[Any]) -> pa.ListArray:
    """The headers of records as a client hands them out, as `HEADERS`.

    All of all records as two flat columns: a dictionary a header would cost more than a parse.
    """
    counts = [len(headers) if headers else 0 for headers in of_each]
    flat = list(chain.from_iterable(filter(None, of_each)))
    names, values = zip(*flat, strict=True) if flat else ((), ())
    pairs = pa.StructArray.from_arrays(
        [pa.array(names, pa.string()), pa.array(values, pa.binary())], fields=list(HEADERS.value_type)
    )
    return pa.ListArray.from_arrays(pa.array([0, *accumulate(counts)], pa.int32()), pairs)


def of_source(headers: pa.ListArray) -> dict[str, pl.Series]:
    """What the headers say of each record, the first of a name: `publication`, `row` and `row_identity`.

    Null where it is not there, or cannot be read. A record that has the one header is asked for no older one.
    """
    written = _first(headers, HEADER)
    known = pl.Series(_utf8(written)).str.extract_groups(FORM).struct.unnest()
    found = known.with_columns(row=pl.col("row").cast(pl.Int64, strict=False))
    valid = pl.col("row").is_not_null()
    found = found.select(pl.when(valid).then(pl.col(name)).alias(name) for name in FIELDS)
    if written.null_count:
        old, has_none = pl.DataFrame(_of_old_headers(headers)), pl.Series(written.is_null())
        found = old.select(pl.when(has_none).then(pl.col(name)).otherwise(found[name]) for name in FIELDS)
    return found.to_dict()


FIELDS = ("publication", "row", "row_identity")


def _of_old_headers(headers: pa.ListArray) -> dict[str, pl.Series]:
    """The same of three headers; but a `row_identity` that is no text is an empty one."""
    publication, row, own = (_first(headers, name) for name in (OLD_PUBLICATION, OLD_ROW, OLD_IDENTITY))
    return {
        "publication": pl.Series(_utf8(publication)),
        "row": pl.Series(_utf8(row)).str.extract(OLD_ROW_NUMBER).cast(pl.Int64, strict=False),
        "row_identity": pl.Series(pc.if_else(own.is_valid(), pc.coalesce(_utf8(own), ""), None)),
    }


def _first(headers: pa.ListArray, name: str) -> pa.BinaryArray:
    """Each record's first header of the name; all headers of the batch at once, none by none."""
    entries, record_of = headers.flatten(), pc.list_parent_indices(headers)
    named = pc.indices_nonzero(pc.equal(entries.field("key"), name))
    first = pc.index_in(pa.arange(0, len(headers)), value_set=record_of.take(named))
    return entries.field("value").take(named.take(first))


def identity(declared: Sequence[pl.Expr], log: str) -> pl.Expr:
    """What makes a record itself, as the text of a JSON array; null where a declared part is missing.

    Where nothing is declared it is what the publisher says of a source's row, or the row's number where an
    older one said no more; else the record's place in the `log`, also of whoever writes something else there.
    """
    if declared:
        return _json_array(*declared)
    row_identity, publication, row = (pl.col(name) for name in ("row_identity", "publication", "row"))
    published = publication.is_not_null() & row.is_not_null()
    place = (pl.col(name).cast(pl.String) for name in ("partition", "offset"))
    return (
        pl.when(published & row_identity.str.contains(ROW_IDENTITY))
        .then(_json_array(row_identity))
        .when(published & row_identity.is_null())
        .then(_json_array(publication, row.cast(pl.String)))
        .otherwise(_json_array(pl.lit(log), *place))
    )


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
