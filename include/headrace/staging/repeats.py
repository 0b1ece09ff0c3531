"""Records that are there already: the same identity was landed before, or came earlier in the batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from headrace.identities.index import Identities
from headrace.parse.reasons import Reason
from headrace.staging.content import same_content
from headrace.staging.staged import StagedFile
from headrace.zones import comes_twice

PLACE = ("batch", "partition", "offset")

ROW_OF_A_SOURCE = ("publication", "row")

COMPARED_AT_ONCE = 25_000
"""Pairs of readings whose signals are side by side in memory at a time."""


DOUBLED = (
    "the identity of a landed record with the same content, at a local time that comes twice: perhaps the "
    "reading of the other hour"
)


@dataclass(frozen=True)
class Suspects:
    """Staged readings that may be repeats, by position in all files' rows, ascending; days to look at."""

    positions: NDArray[np.int64]
    days: pa.Array


def suspects(files: Sequence[StagedFile], landed: Identities) -> Suspects:
    """The readings whose hash is landed, or comes more than once in the batch."""
    hashes = pa.concat_arrays([pa.array([], pa.uint64()), *(_hashes(file) for file in files)])
    known, days = landed.find(hashes)
    series = pl.Series(hashes)
    twice = (series.is_duplicated() & series.is_not_null()).arg_true().to_numpy()
    return Suspects(np.union1d(known, twice), pa.array(days).cast(pa.date32()))


def _hashes(file: StagedFile) -> pa.Array:
    assert file.identities is not None, file.path  # noqa: S101  # staging gives them to all files of readings
    return file.identities["hash"]


def judge(rows: pa.Table, landed: pa.Table, doubled_in: str | None = None) -> pl.DataFrame:
    """The rows whose identity is landed or stands earlier among them, each held against that reading.

    `doubled_in`: a zone whose clocks go back. The same content may be another reading there, of the other
    hour, and is a conflict, which keeps its bytes. The same row of the same publication is one reading
    always: somebody has copied the record, with its header, to another offset.

    Returns:
        A line a repeat: `at` (its place in `rows`), `reason`, `message`.
    """
    lines = _lines(rows, landed)
    first = lines.sort("partition", "offset").group_by("identity").agg(pl.col("at").first().alias("first"))
    held = lines.join(first, "identity").with_columns(pl.coalesce("holder", "first").alias("holder"))
    return _verdicts(held.filter(pl.col("holder") != pl.col("at")), rows, landed, doubled_in)


def judge_refused(rows: pa.Table, landed: pa.Table, doubled_in: str | None = None) -> pl.DataFrame:
    """As `judge`, of rows that a dead try did not land: where no repeat is, it was that try's contract."""
    lines = _lines(rows, landed)
    alone = lines.filter(pl.col("holder").is_null()).select(
        pl.col("at") - landed.num_rows,
        pl.lit(Reason.EARLIER_CONTRACT.value).alias("reason"),
        pl.lit(Reason.EARLIER_CONTRACT.text).alias("message"),
    )
    return pl.concat([_verdicts(lines.drop_nulls("holder"), rows, landed, doubled_in), alone]).sort("at")


def _lines(rows: pa.Table, landed: pa.Table) -> pl.DataFrame:
    """Identity and place of each row, and the landed reading that holds the identity: the earliest, or null.

    `at` and `holder` count through the landed readings and then the rows.
    """
    places = _places(landed, rows)
    holders = (
        places.head(landed.num_rows)
        .sort(PLACE)
        .group_by("identity")
        .agg(pl.col("at").first().alias("holder"))
    )
    return places.tail(rows.num_rows).join(holders, "identity", "left", maintain_order="left")


def _places(landed: pa.Table, rows: pa.Table) -> pl.DataFrame:
    provenance = pa.concat_tables([landed.select(["provenance"]), rows.select(["provenance"])])
    fields = provenance["provenance"].combine_chunks()
    return (
        pl.DataFrame({name: pl.Series(fields.field(name)) for name in ("identity", *PLACE, *ROW_OF_A_SOURCE)})
        .with_row_index("at")
        .with_columns(pl.col("at").cast(pl.Int64))
    )


def _verdicts(lines: pl.DataFrame, rows: pa.Table, landed: pa.Table, doubled_in: str | None) -> pl.DataFrame:
    """Every line against its holder: the same content or another."""
    both = pa.concat_tables([landed, rows.select(landed.column_names)])
    parts = [
        same_content(*(both.take(part[name].to_arrow()) for name in ("at", "holder")))
        for part in lines.iter_slices(COMPARED_AT_ONCE)
    ]
    same = np.concatenate([np.empty(0, np.bool_), *parts])
    holder = _places(landed, rows)[lines["holder"]]
    copied = _same_row(lines, holder)
    twice = np.zeros_like(same)
    if doubled_in:
        instants = pl.Series(both["signal_ts"]).gather(lines["at"])
        twice = same & ~copied & comes_twice(instants, doubled_in).to_numpy()
    same = (same & ~twice) | copied
    return holder.select(
        lines["at"] - landed.num_rows,
        _either(same, Reason.DUPLICATE.value, Reason.CONFLICT.value).alias("reason"),
        pl.format(
            "{}; batch {}, partition {}, offset {}",
            pl.when(pl.lit(pl.Series(same)))
            .then(pl.lit(Reason.DUPLICATE.text))
            .otherwise(_either(twice, DOUBLED, Reason.CONFLICT.text)),
            *PLACE,
        ).alias("message"),
    )


def _same_row(lines: pl.DataFrame, holder: pl.DataFrame) -> NDArray[np.bool_]:
    """Of each line whether it is the row of a source that its holder is; null is none."""
    same = [(lines[name] == holder[name]).fill_null(False).to_numpy() for name in ROW_OF_A_SOURCE]
    both: NDArray[np.bool_] = np.logical_and(*same)
    return both


def _either(which: NDArray[np.bool_], text: str, other: str) -> pl.Expr:
    return pl.when(pl.lit(pl.Series(which))).then(pl.lit(text)).otherwise(pl.lit(other))
