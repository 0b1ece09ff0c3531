"""Where a record comes from and what makes it itself."""

from collections.abc import Mapping, Sequence
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from headrace.kafka.headers import (
    FORM,
    HEADER,
    IDENTITY_DIGITS,
    OLD_IDENTITY,
    OLD_PUBLICATION,
    OLD_ROW,
    PROOF_DIGITS,
    UNPROVEN_FORM,
    Authors,
    proofs,
)
from headrace.parse.json_fields import ESCAPES

if TYPE_CHECKING:
    from confluent_kafka import Message

HEADERS = pa.list_(pa.struct({"key": pa.string(), "value": pa.binary()}))

# What Spark's cast to BIGINT takes: blanks and control characters around the digits, no point.
OLD_ROW_NUMBER = r"^[\x00-\x20\x7f]*([+-]?[0-9]+)[\x00-\x20\x7f]*$"

Records = Mapping[str, pa.Array]

FIELDS = ("publication", "row", "row_identity")

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


def of_messages(messages: Sequence["Message"], authors: Authors | None) -> dict[str, pl.Series]:
    """The same as `of_source` of a client's messages."""
    records = {
        "headers": header_lists([each.headers() for each in messages]),
        "value": pa.array([each.value() for each in messages], pa.binary()),
        "partition": pa.array([each.partition() for each in messages], pa.int32()),
        "offset": pa.array([each.offset() for each in messages], pa.int64()),
    }
    return of_source(records, authors)


def of_source(records: Records, authors: Authors | None) -> dict[str, pl.Series]:
    """What the headers say of each record, the first of a name: `publication`, `row` and `row_identity`.

    `records`: columns of headers, values, partitions and offsets. Null where it is not there, cannot be read
    or is not to be believed; without `authors` all is. A record that has the one header is asked for no older
    one.
    """
    written = _first(records["headers"], HEADER)
    texts = pl.Series(_utf8(written))
    found = _fields(texts, FORM)
    proven = found["row"].is_not_null()
    if authors:
        proven &= _proven(found["proof"], written, records["value"], authors.key)
        found = found.select(pl.when(proven).then(pl.col(name)).alias(name) for name in FIELDS)
    if not proven.all():
        before = _of_earlier_forms(records["headers"], texts, pl.Series(written.is_null()))
        if authors:
            before = _believed(before, records, authors)
        found = found.select(pl.coalesce(pl.col(name), before[name]) for name in FIELDS)
    return found.select(FIELDS).to_dict()


def _fields(texts: pl.Series, form: str) -> pl.DataFrame:
    """The parts of headers of that form; null where a text is of another, or its row beyond 64 bits."""
    known = texts.str.extract_groups(form).struct.unnest()
    found = known.with_columns(row=pl.col("row").cast(pl.Int64, strict=False))
    valid = pl.col("row").is_not_null()
    return found.select(pl.when(valid).then(pl.col(name)).alias(name) for name in found.columns)


def _proven(said: pl.Series, written: pa.BinaryArray, values: pa.BinaryArray, key: bytes | None) -> pl.Series:
    """Of each record whether the proof that its header has is the one that it should have."""
    if key is None:
        return pl.repeat(False, len(said), eager=True)
    there = said.is_not_null().to_arrow()
    headers, contents = (each.filter(there).to_pylist() for each in (written, values))
    pairs = ((header[:-PROOF_DIGITS], value or b"") for header, value in zip(headers, contents, strict=True))
    right = pl.repeat(False, len(said), eager=True)
    places = said.is_not_null().arg_true()
    return right.scatter(places, said.gather(places) == pl.Series(proofs(key, pairs), dtype=pl.String))


def _of_earlier_forms(headers: pa.ListArray, texts: pl.Series, has_none: pl.Series) -> pl.DataFrame:
    """What headers say that prove nothing: the one header of version 1, else the three of before."""
    found = _fields(texts, UNPROVEN_FORM)
    if has_none.any():
        old = pl.DataFrame(_of_old_headers(headers))
        found = old.select(pl.when(has_none).then(pl.col(name)).otherwise(found[name]) for name in FIELDS)
    return found.select(FIELDS)


def _believed(found: pl.DataFrame, records: Records, authors: Authors) -> pl.DataFrame:
    """The same, null where it cannot be: of no such publication, beyond its rows, or behind its end."""
    known = authors.unproven.items()
    ends = [(name, place, end) for name, of in known for place, end in of.until.items()]
    rows = pl.DataFrame(
        [(name, of.rows, not of.until) for name, of in known],
        {"publication": pl.String, "rows": pl.Int64, "open": pl.Boolean},
        orient="row",
    )
    until = pl.DataFrame(
        ends, {"publication": pl.String, "partition": pl.Int32, "until": pl.Int64}, orient="row"
    )
    held = (
        found.with_columns(partition=pl.Series(records["partition"]), offset=pl.Series(records["offset"]))
        .join(rows, "publication", "left", maintain_order="left")
        .join(until, ["publication", "partition"], "left", maintain_order="left")
    )
    can_be = held.select(
        pl.col("row").is_between(1, pl.col("rows")) & (pl.col("open") | (pl.col("offset") < pl.col("until")))
    ).to_series()
    return found.select(pl.when(can_be).then(pl.col(name)).alias(name) for name in FIELDS)


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
