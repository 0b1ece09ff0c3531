"""Rules across the values of a record: SQL expressions, vectorised by polars, which knows no files in them.

A rule says something of one record alone: what counts, sorts or adds up records would depend on where a batch
ends. Neither may it fail on a value, as a strict cast does: one record would stop a stream.
"""

import json
import warnings
from collections.abc import Iterator
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from headrace.contract.record import Record, Rule, Signal
from headrace.errors import ContractError
from headrace.parse.checks import Texts
from headrace.parse.reasons import Reason
from headrace.parse.signal_checks import value_of

OF_MANY_RECORDS = {
    *("Agg", "Over", "=Len", "Explode", "Filter", "Sort", "SortBy", "Gather", "Slice", "Rolling"),
    *("Quantile", "Correlation", "Range", "Window", "AnonymousFunction"),
}
"""What polars calls the parts of an expression that look at more than one record."""

FAILS_ON_VALUES = {"=Strict", "Strptime"}
"""Parts that raise where a value does not fit."""

CLOCK = pl.Datetime("us")
"""Times are what the clock in the contract's zone showed, so that they compare with `TIMESTAMP '...'`."""

LEAVES = {"Column", "String"}
"""Parts whose text is the contract's own."""


class Rules:
    """A contract's rules, ready to judge batches."""

    def __init__(self, record: Record, texts: Texts | None = None) -> None:
        """Raise ContractError where a rule does not parse, or is none of one record by its signals' names.

        `texts`: columns of the frame that will be judged; without them the rules are only checked.
        """
        types = self._types = _types(record)
        self._rules = [(rule, _expression(rule, at, types)) for at, rule in enumerate(record.rules)]
        self._named = dict.fromkeys(name for _, rule in self._rules for name in rule.meta.root_names())
        signals = {signal.name: signal for signal in record.signals}
        self._zone = record.event_time.timezone
        self.found = {
            _column(at): value_of(signals[name], record, texts.signal(name))
            for at, name in enumerate(self._named)
            if texts and name in signals
        }
        """What a frame is asked for besides."""

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._rules)

    def judge(self, found: pl.DataFrame) -> tuple[pa.StringArray, pa.StringArray]:
        """Reason and message of the first rule that each record breaks; null where it breaks none."""
        values = found.select(self._value(at, name).alias(name) for at, name in enumerate(self._named))
        said = [f"{Reason.RULE_BROKEN.text}; {rule.name}: {rule.expression}" for rule, _ in self._rules]
        broken = (
            pl.when(~values.select(rule).to_series()).then(pl.lit(text))
            for text, (_, rule) in zip(said, self._rules, strict=True)
        )
        messages = pl.select(pl.coalesce([*broken, pl.lit(None, pl.String)])).to_series().to_arrow()
        reasons = pc.if_else(messages.is_valid(), Reason.RULE_BROKEN.value, None)
        return reasons, messages.cast(pa.string())

    def _value(self, at: int, name: str) -> pl.Expr:
        value = pl.col(_column(at) if _column(at) in self.found else name)
        if self._types[name] != CLOCK:
            return value
        return value.dt.convert_time_zone(self._zone).dt.replace_time_zone(None)


def _column(at: int) -> str:
    return f"rule {at}"


def _types(record: Record) -> dict[str, pl.DataType]:
    """What a rule may name, and of which type it is."""
    own: dict[str, pl.DataType] = {"entity": pl.String(), "signal_ts": CLOCK}
    return own | {signal.name: _type(signal) for signal in record.signals}


def _type(signal: Signal) -> pl.DataType:
    if signal.digits:
        return pl.Decimal(*signal.digits)
    kinds: dict[str, pl.DataType] = {
        "double": pl.Float64(),
        "integer": pl.Int64(),
        "boolean": pl.Boolean(),
        "timestamp": CLOCK,
    }
    return kinds.get(signal.type, pl.String())


def _expression(rule: Rule, at: int, types: dict[str, pl.DataType]) -> pl.Expr:
    place = f"field record.rules.{at}.expression: {rule.expression!r} of rule {rule.name!r}"
    try:
        made = pl.sql_expr(rule.expression)
        parts = set(_parts(_tree(made)))
        unknown = [name for name in made.meta.root_names() if name not in types]
        if "Selector" in parts or unknown:
            named = unknown[0] if unknown else "a pattern"
            raise ContractError(
                f"{place}: names {named!r}, which is none of {', '.join(map(repr, types))}; "
                "names with blanks stand in double quotes, texts in single ones"
            )
        if not made.meta.root_names():
            raise ContractError(f"{place}: names no signal, so that it says the same of every record")
        if parts & OF_MANY_RECORDS:
            raise ContractError(f"{place}: looks at other records too; a rule is of one record alone")
        if parts & FAILS_ON_VALUES:
            raise ContractError(
                f"{place}: would fail on a value that cannot be converted; say TRY_CAST, which makes it null"
            )
        kind = pl.DataFrame(schema=types).select(made).dtypes[0]
    except pl.exceptions.PolarsError as broken:
        raise ContractError(f"{place}: {str(broken).splitlines()[0]}") from broken
    if kind != pl.Boolean:
        raise ContractError(f"{place}: is {kind}; a rule is a condition, such as low <= high")
    return made


def _tree(expression: pl.Expr) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the form may change with polars' version, which is pinned
        return json.loads(expression.meta.serialize(format="json"))


def _parts(tree: Any) -> Iterator[str]:
    """The names of all parts of an expression, without the contract's own names and texts."""
    if isinstance(tree, dict):
        for name, inner in tree.items():
            yield name
            if name not in LEAVES:
                yield from _parts(inner)
    elif isinstance(tree, list):
        for each in tree:
            yield from _parts(each)
    elif isinstance(tree, str):
        yield f"={tree}"
