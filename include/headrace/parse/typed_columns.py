"""The signals of a batch as columns of their types, where the contract asks for them."""

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from headrace.contract.model import Contract
from headrace.parse.checks import Texts
from headrace.parse.field_table import FieldTable
from headrace.parse.naming import Place
from headrace.parse.signal_checks import value_of

TEXTS = ("string", "array", "struct")
"""The types whose value is the text itself."""


class TypedColumns:
    """A contract's signals, each with the column that it has in `readings`."""

    def __init__(self, contract: Contract, texts: Texts) -> None:
        record = contract.record
        self.signals = frozenset(signal.name for signal in record.signals)
        self._signals = record.signals
        self.found = {
            _column(at): value_of(signal, record, texts.signal(signal.name))
            for at, signal in enumerate(record.signals)
            if signal.type not in TEXTS
        }
        """What a frame is asked for besides."""

    def of(self, found: pl.DataFrame, fields: FieldTable, refused: pa.BooleanArray) -> pa.StructArray:
        """The columns of a batch; null for the refused. A text is the source's own, also an empty one."""
        values = {
            signal.typed_column: found[_column(at)].to_arrow()
            if _column(at) in self.found
            else fields.column(Place(signal.name))
            for at, signal in enumerate(self._signals)
        }
        known = [pc.if_else(refused, None, each) for each in values.values()]
        return pa.StructArray.from_arrays(known, names=list(values))


def _column(at: int) -> str:
    return f"value {at}"
