"""Numbers that count from 1970 to instants, exactly; what lies beyond microseconds is cut off."""

import polars as pl

from headrace.contract.time_format import Epoch
from headrace.zones import INSTANT

MICROSECONDS = 6
"""Digits of a second's fraction that an instant has."""

SECONDS = 12
"""Digits of whole seconds that are read: more would not fit beside microseconds."""

# Java writes a double of such a size so: 1.731508712229E12.
EXPONENT = r"^[+-]?[0-9]+(?:\.[0-9]*)?[eE][+-]?[0-9]+$"


class EpochTime:
    """Reads columns of numbers in one unit."""

    def __init__(self, epoch: Epoch) -> None:
        self._instant = _microseconds(pl.col("text"), epoch.digits).cast(INSTANT)

    def instants(self, texts: pl.Series) -> pl.Series:
        """The instants; null where a text is no number, or one beyond all years."""
        return texts.rename("text").to_frame().select(self._instant).to_series()


def _microseconds(text: pl.Expr, digits: int) -> pl.Expr:
    most = min(SECONDS + digits, 19)  # of an Int64
    plain = text.str.extract_groups(rf"^([+-]?)([0-9]{{1,{most}}})(?:\.([0-9]*))?$").struct
    whole = plain.field("2").cast(pl.Int64, strict=False)
    shift = MICROSECONDS - digits
    if shift > 0:
        fraction = plain.field("3").fill_null("").str.pad_end(shift, "0").str.head(shift)
        size = whole * 10**shift + fraction.cast(pl.Int64, strict=False)
    else:
        size = whole // 10**-shift
    exact = pl.when(plain.field("1") == "-").then(-size).otherwise(size)
    about = pl.when(text.str.contains(EXPONENT)).then(text.cast(pl.Float64, strict=False))
    return pl.coalesce(exact, (about * 10.0**shift).round().cast(pl.Int64, strict=False))
