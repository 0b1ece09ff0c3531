"""What a contract asks of a signal's text: that it is of its type, within its bounds, one of its values."""

from collections.abc import Iterator
from decimal import Decimal

import polars as pl

from headrace.contract.number_form import NumberForm
from headrace.contract.record import Record, Signal
from headrace.contract.time_format import ISO
from headrace.numeric import number, plain, reads
from headrace.parse.check import Check
from headrace.parse.event_time import EventTime
from headrace.parse.reasons import Reason
from headrace.zones import INSTANT


def signal_checks(signal: Signal, record: Record, given: pl.Expr) -> Iterator[Check]:
    """The checks of one signal, in order; `given`: its text, null where there is none."""
    place = f"signal {signal.name}"
    if signal.is_numeric:
        yield from _of_number(signal, _number(signal, record.number_form(signal), given), given)
    elif signal.type != "string":
        wrong = f"{place}, {signal.type}"
        yield Check(
            Reason.WRONG_TYPE, wrong, given.is_not_null() & ~_is_of_its_type(signal, record, given), given
        )
    else:
        if signal.pattern is not None:
            fits = reads(given, signal.pattern)
            yield Check(Reason.NOT_ALLOWED, f"{place}, pattern {signal.pattern}", ~fits, given)
        if signal.one_of:
            yield Check(Reason.NOT_ALLOWED, f"{place}, {_listed(signal)}", ~given.is_in(signal.one_of), given)


def value_of(signal: Signal, record: Record, given: pl.Expr) -> pl.Expr:
    """What a signal's text stands for, in the signal's type; null where it is none of the type."""
    if signal.is_numeric:
        return _number(signal, record.number_form(signal), given)
    if signal.type == "boolean":
        return given.str.to_lowercase() == "true"
    return _instants(signal, record, given) if signal.type == "timestamp" else given


def _instants(signal: Signal, record: Record, given: pl.Expr) -> pl.Expr:
    times = EventTime(signal.format or (ISO,), record.event_time.timezone)
    return given.map_batches(times.instants, return_dtype=INSTANT)


def _number(signal: Signal, form: NumberForm, given: pl.Expr) -> pl.Expr:
    """The number that the text is, exactly but for doubles; null where it is none of the type."""
    if signal.type == "double":
        found = number(given, form)
        return pl.when(found.is_finite()).then(found)
    text = plain(given, form)
    if signal.digits is None:
        whole = reads(given, f"[+-]?{form.whole}")
        return pl.when(whole).then(text.cast(pl.Int64, strict=False))
    digits, fraction = signal.digits
    fits = reads(text, f"[+-]?0*[0-9]{{0,{digits - fraction}}}(?:[.][0-9]{{0,{fraction}}}0*)?")
    decimal = text.cast(pl.Decimal(digits, fraction), strict=False)
    return pl.when(reads(given, form.fixed) & fits).then(decimal)


def _of_number(signal: Signal, value: pl.Expr, given: pl.Expr) -> Iterator[Check]:
    place = f"signal {signal.name}"
    none = given.is_not_null() & value.is_null()
    if signal.type == "double":
        yield Check(Reason.NOT_A_NUMBER, place, none, given)
    else:
        yield Check(Reason.WRONG_TYPE, f"{place}, {signal.type}", none, given)
    if signal.minimum is not None:
        below = f"{place}, minimum {_shown(signal, signal.minimum)}"
        yield Check(Reason.OUT_OF_RANGE, below, value < _literal(signal, signal.minimum), given)
    if signal.maximum is not None:
        above = f"{place}, maximum {_shown(signal, signal.maximum)}"
        yield Check(Reason.OUT_OF_RANGE, above, value > _literal(signal, signal.maximum), given)
    if signal.one_of:
        taken = [value == _literal(signal, each) for each in signal.one_of]
        yield Check(Reason.NOT_ALLOWED, f"{place}, {_listed(signal)}", ~pl.any_horizontal(taken), given)


def _literal(signal: Signal, value: float | str) -> pl.Expr:
    """The value in the type in which it is compared exactly."""
    if signal.type == "double":
        return pl.lit(float(value))
    if signal.type == "integer":
        return pl.lit(int(value), pl.Int64)
    return pl.lit(Decimal(f"{Decimal(str(value)):f}"))


def _shown(signal: Signal, value: float) -> str:
    return f"{value:g}" if signal.type == "double" else str(value)


def _listed(signal: Signal) -> str:
    return f"one of {', '.join(map(str, signal.one_of))}"


def _is_of_its_type(signal: Signal, record: Record, given: pl.Expr) -> pl.Expr:
    if signal.type == "boolean":
        return reads(given, "(?i:true|false)")
    if signal.type == "timestamp":
        return _instants(signal, record, given).is_not_null()
    begins = given.str.starts_with("[" if signal.type == "array" else "{")
    return begins & given.str.json_path_match("$").is_not_null()
