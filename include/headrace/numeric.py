"""Texts to numbers, as JSON knows numbers, or in the form that a contract says."""

import polars as pl

from headrace.contract.number_form import PLAIN, NumberForm


def number(text: pl.Expr, form: NumberForm = PLAIN) -> pl.Expr:
    """A decimal number as a double, infinite where it is too large for one; null for any other text."""
    return pl.when(reads(text, form.number)).then(plain(text, form).cast(pl.Float64, strict=False))


def reads(text: pl.Expr, pattern: str) -> pl.Expr:
    """Whether the whole text is of the pattern."""
    return text.str.contains(f"^(?:{pattern})$")


def plain(text: pl.Expr, form: NumberForm) -> pl.Expr:
    """A number's text as JSON would write it."""
    if form.separator:
        text = text.str.replace_all(form.separator, "")
    if form.decimal != ".":
        text = text.str.replace(form.decimal, ".", literal=True)
    return text
