"""The column names of `hourly_average`."""

from headrace.contract.loader import load_signal_names
from headrace.contract.model import Contract
from headrace.contract.record import Signal
from headrace.errors import ContractError

# Delta permits these only with column mapping, and delta-rs 1.6 reads a mapped column as nulls, in silence.
REFUSED = str.maketrans(dict.fromkeys(" ,;{}()\n\t=", "_"))


def gold_column(name: str) -> str:
    """The column of a signal of that (mapped) name: the name itself, with `_` for what Delta refuses."""
    return name.translate(REFUSED)


def circular_column(name: str) -> str:
    """The column of its circular mean."""
    return f"{gold_column(name)}_circular"


def numeric(contract: Contract) -> tuple[Signal, ...]:
    """The signals that have averages."""
    return tuple(signal for signal in contract.record.signals if signal.is_numeric)


def column_comments(contract: Contract) -> dict[str, str]:
    """Every column of `hourly_average` with what it holds.

    Raises:
        ContractError: two signals would have the same column.
    """
    names = load_signal_names(contract)
    indicator = contract.analysis.indicator
    pairs = [
        ("signal_date", "day of the hour in the contract's zone"),
        ("signal_hour", "the instant at which the hour begins"),
        ("entity", "the device, where the contract names a field for it"),
    ]
    for signal in numeric(contract):
        name = names.get(signal.name, signal.name)
        pairs.append((gold_column(name), f"average of {signal.name}"))
        if signal.circular:
            pairs.append((circular_column(name), f"circular mean of {signal.name}, degrees in [0, 360)"))
    if indicator:
        pairs.append((indicator.name, f"band of the average of {indicator.signal}"))
    pairs.append(("readings", "readings of the hour"))
    seen = [column.casefold() for column, _ in pairs]
    for column, _ in pairs:
        if seen.count(column.casefold()) > 1:
            raise ContractError(
                f"stream {contract.stream}: two columns of hourly_average would be called {column!r}; give "
                "one of the signals another name in the file that analysis.signal_names names"
            )
    return dict(pairs)
