"""Texts to numbers, as JSON knows numbers."""

import polars as pl

# What parsers of other languages take and JSON does not (hexadecimal, `1d`, `NaN`, blanks around it) is no
# number here.
DECIMAL = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"


def number(text: pl.Expr) -> pl.Expr:
    """A decimal number as a double, infinite where it is too large for one; null for any other text."""
    return pl.when(text.str.contains(DECIMAL)).then(text.cast(pl.Float64, strict=False))
