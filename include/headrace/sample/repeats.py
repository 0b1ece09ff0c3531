"""Records of a sample that landing would refuse as repeats of earlier ones."""

from collections.abc import Iterable

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from headrace.identities.hashing import identity_hashes
from headrace.parse.parser import PARSED
from headrace.parse.reasons import Reason
from headrace.staging.content import same_content
from headrace.zones import comes_twice

Pairs = Iterable[tuple[pa.RecordBatch, pa.RecordBatch]]
"""Batches of records, each with what the parser made of it."""


class Identities:
    """The identities of a sample's readings, 8 bytes each."""

    def __init__(self) -> None:
        self._hashes = [pl.Series(dtype=pl.UInt64)]

    def add(self, parsed: pa.RecordBatch) -> None:
        """Keep those of the parser's rows."""
        self._hashes.append(_hashes(parsed))

    def repeated(self) -> pl.Series:
        """The hashes that more than one reading has."""
        hashes = pl.concat(self._hashes)
        return hashes.filter(hashes.is_duplicated() & hashes.is_not_null()).unique()


def find_repeats(sample: Pairs, hashes: pl.Series, doubled_in: str | None) -> pa.RecordBatch:
    """The readings with one of these hashes that are repeats: `reason`, `message`, `provenance`, `value`.

    `doubled_in`: as landing judges them.
    """
    none = PARSED.empty_table()
    found = [none, *(_suspects(*pair, hashes) for pair in sample)]
    rows = pa.concat_tables(found, promote_options="default").combine_chunks()
    provenance = rows["provenance"].combine_chunks()
    lines = pl.DataFrame({name: pl.Series(provenance.field(name)) for name in ("identity", "offset")})
    lines = lines.with_row_index("at").with_columns(pl.all().first().over("identity").name.prefix("first_"))
    lines = lines.filter(pl.col("at") != pl.col("first_at"))
    repeats, firsts = (rows.take(lines[name].to_arrow()) for name in ("at", "first_at"))
    said = [name for name in ("signal_ts", "entity", "signals", "columns") if name in rows.schema.names]
    same = pl.Series(same_content(*(each.select(said).flatten() for each in (repeats, firsts))))
    if doubled_in:
        same &= ~comes_twice(pl.Series(repeats["signal_ts"]), doubled_in)
    verdicts = lines.select(
        reason=pl.when(pl.lit(same))
        .then(pl.lit(Reason.DUPLICATE.value))
        .otherwise(pl.lit(Reason.CONFLICT.value)),
        message=pl.format(
            "{}; row {}",
            pl.when(pl.lit(same)).then(pl.lit(Reason.DUPLICATE.text)).otherwise(pl.lit(Reason.CONFLICT.text)),
            "first_offset",
        ),
    )
    columns = {name: verdicts[name].to_arrow() for name in ("reason", "message")}
    columns |= {name: repeats[name].combine_chunks() for name in ("provenance", "value")}
    return pa.RecordBatch.from_pydict(columns)


def _suspects(records: pa.RecordBatch, parsed: pa.RecordBatch, hashes: pl.Series) -> pa.Table:
    """The parser's rows that have one of the hashes, with their values."""
    wanted = _hashes(parsed).is_in(hashes.implode()).fill_null(value=False).to_arrow()
    return pa.table(
        {**dict(zip(parsed.schema.names, parsed.columns, strict=True)), "value": records["value"]}
    ).filter(wanted)


def _hashes(parsed: pa.RecordBatch) -> pl.Series:
    """Each row's hash; null for a refused record."""
    identity = pc.if_else(pc.is_null(parsed["reason"]), parsed["provenance"].field("identity"), None)
    return pl.Series(identity_hashes(identity))
