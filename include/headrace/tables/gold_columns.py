"""The gold tables of a contract, and the columns of the one with averages."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from headrace.contract.loader import load_signal_names
from headrace.contract.model import Contract
from headrace.contract.record import Signal
from headrace.errors import ContractError
from headrace.tables.names import AVERAGES, DAILY_COMPLETENESS, HOURLY_AVERAGE

# Delta permits these only with column mapping, and delta-rs 1.6 reads a mapped column as nulls, in silence.
REFUSED = str.maketrans(dict.fromkeys(" ,;{}()\n\t=", "_"))

HOUR = timedelta(hours=1)

SAID = {
    "mean": "average",
    "min": "least value",
    "max": "greatest value",
    "last": "newest value",
    "sum": "sum",
    "count": "number of values",
    "circular_mean": "circular mean",
}


class Aggregated(NamedTuple):
    """A column of averages: what is made of which signal."""

    column: str
    signal: Signal
    aggregate: str


def averages_table(contract: Contract) -> str:
    """The table that has the averages."""
    return HOURLY_AVERAGE if contract.analysis.every == HOUR else AVERAGES


def start_column(contract: Contract) -> str:
    """Its column with the instant at which an hour, or whatever `every` says, begins."""
    return "signal_hour" if contract.analysis.every == HOUR else "signal_start"


def gold_tables(contract: Contract) -> tuple[str, ...]:
    """The tables that `analyse` writes."""
    return (DAILY_COMPLETENESS, averages_table(contract), *contract.analysis.tables)


def gold_column(name: str) -> str:
    """The column of a signal of that (mapped) name: the name itself, with `_` for what Delta refuses."""
    return name.translate(REFUSED)


def numeric(contract: Contract) -> tuple[Signal, ...]:
    """The signals that have averages."""
    return tuple(signal for signal in contract.record.signals if signal.is_numeric)


def aggregated(contract: Contract) -> Iterator[Aggregated]:
    """The columns that are made of signals, in their order; the mean has the signal's name alone."""
    names = load_signal_names(contract)
    for signal in numeric(contract):
        column = gold_column(names.get(signal.name, signal.name))
        usual = ("mean", "circular_mean") if signal.circular else ("mean",)
        for aggregate in contract.analysis.aggregates.get(signal.name, usual):
            ending = {"mean": "", "circular_mean": "_circular"}.get(aggregate, f"_{aggregate}")
            yield Aggregated(f"{column}{ending}", signal, aggregate)


def column_comments(contract: Contract) -> dict[str, str]:
    """Every column of the averages with what it holds.

    Raises:
        ContractError: two signals would have the same column.
    """
    what = "hour" if contract.analysis.every == HOUR else "slot"
    pairs = [
        ("signal_date", f"day of the {what} in the contract's zone"),
        (start_column(contract), f"the instant at which the {what} begins"),
        ("entity", "the device, where the contract names a field for it"),
    ]
    pairs += [(each.column, _said(each)) for each in aggregated(contract)]
    pairs += [(each.name, f"band of the average of {each.signal}") for each in contract.analysis.indicator]
    pairs.append(("readings", f"readings of the {what}"))
    seen = [column.casefold() for column, _ in pairs]
    for column, _ in pairs:
        if seen.count(column.casefold()) > 1:
            raise ContractError(
                f"stream {contract.stream}: two columns of {averages_table(contract)} would be called "
                f"{column!r}; give one of the signals another name in the file that analysis.signal_names "
                "names"
            )
    return dict(pairs)


def _said(each: Aggregated) -> str:
    made = SAID.get(each.aggregate, f"{each.aggregate[1:]}th percentile")
    degrees = ", degrees in [0, 360)" if each.aggregate == "circular_mean" else ""
    return f"{made} of {each.signal.name}{degrees}"
