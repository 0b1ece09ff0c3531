"""What Delta keeps of each file, so that readers pass over those that cannot hold what they look for."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from headrace.tables.typed_columns import EXACT_DIGITS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_MS, LAST_MS = -62_135_596_800_000, 253_402_300_799_999
"""The years 1 to 9999 in milliseconds: what a text in the log can say; Kafka's timestamps may lie beyond."""

SHOWN = 32
"""Characters of a text that its bounds have, as Spark's."""

LAST_CHARACTER = "\U0010ffff"


def statistics(rows: pa.Table) -> str:
    """Rows, nulls, and the bounds of numbers, days, instants and the columns' own texts, as JSON.

    Structs field by field, but texts in them have no bounds: nobody looks for a range of identities. Of a
    column delta-rs 1.6 takes a missing bound for `>= null`, so that who asks for a text finds no row at all.
    """
    low: dict[str, Any] = {}
    high: dict[str, Any] = {}
    nulls: dict[str, Any] = {}
    for name in rows.column_names:
        _describe(name, rows[name], low, high, nulls)
        if pa.types.is_string(rows[name].type) and nulls[name] < rows.num_rows:
            low[name], high[name] = _text_bounds(rows[name])
    counted = {"numRecords": rows.num_rows, "minValues": low, "maxValues": high, "nullCount": nulls}
    return json.dumps(counted, separators=(",", ":"), ensure_ascii=False)


def _describe(
    name: str, column: pa.ChunkedArray, low: dict[str, Any], high: dict[str, Any], nulls: dict[str, Any]
) -> None:
    """Put what is known of the column under its name."""
    if pa.types.is_struct(column.type):
        inner: tuple[dict[str, Any], ...] = ({}, {}, {})
        for index, field in enumerate(column.type):
            _describe(field.name, pc.struct_field(column, [index]), *inner)
        for whole, part in zip((low, high, nulls), inner, strict=True):
            if part:
                whole[name] = part
    elif not pa.types.is_nested(column.type):
        nulls[name] = column.null_count
        least, most = _bounds(column)
        if least is not None:
            low[name] = least
        if most is not None:
            high[name] = most


def _bounds(column: pa.ChunkedArray) -> tuple[Any, Any]:
    """The column's bounds as the log writes them; None for what has none there."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        bounds = pc.min_max(column.cast(pa.int64())).as_py()
        # In the log instants have milliseconds. Spark cuts both bounds off, and its readers add one to the
        # upper; rounded up, the upper bound is right for a reader too that adds nothing.
        least, most = bounds["min"], bounds["max"]
        return _instant(least and least // 1000), _instant(most and -(-most // 1000))
    exact = pa.types.is_decimal(kind) and kind.precision <= EXACT_DIGITS
    if not (exact or pa.types.is_integer(kind) or pa.types.is_date(kind) or pa.types.is_floating(kind)):
        return None, None
    bounds = pc.min_max(column).as_py()
    return _plain(bounds["min"]), _plain(bounds["max"])


def _text_bounds(column: pa.ChunkedArray) -> tuple[str, str]:
    """Texts that no text of the column is before or behind, not much longer than Spark's own bounds."""
    bounds = pc.min_max(column).as_py()
    least, most = bounds["min"], bounds["max"]
    end = SHOWN
    while most[end : end + 1] == LAST_CHARACTER:
        end += 1
    return least[:SHOWN], most if len(most) <= end else most[:end] + LAST_CHARACTER


def _plain(value: float | date | Decimal | None) -> float | str | None:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value


def _instant(milliseconds: int | None) -> str | None:
    if milliseconds is None or not FIRST_MS <= milliseconds <= LAST_MS:
        return None
    instant = EPOCH + timedelta(milliseconds=milliseconds)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
