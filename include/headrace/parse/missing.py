"""Texts that stand for no value, such as `NA`, `-` and -9999."""

from collections.abc import Sequence

import polars as pl
import pyarrow as pa

from headrace.contract.number_form import NumberForm
from headrace.numeric import number

NAN = "(?i)^[+-]?nan$"


class Missing:
    """What a contract says stands for no value: texts to the letter, numbers by their value, NaN."""

    def __init__(self, markers: Sequence[float | str], form: NumberForm, *, nan: bool) -> None:
        text = pl.col("text")
        texts = [marker for marker in markers if isinstance(marker, str)]
        numbers = [float(marker) for marker in markers if not isinstance(marker, str)]
        self._ways = [
            *([text.is_in(texts)] if texts else []),
            *([number(text, form).is_in(numbers)] if numbers else []),
            *([text.str.contains(NAN)] if nan else []),
        ]

    def __bool__(self) -> bool:
        """Whether anything does."""
        return bool(self._ways)

    def among(self, texts: pa.StringArray) -> pa.BooleanArray:
        """Which of the texts do."""
        found = pl.any_horizontal(self._ways).fill_null(value=False)
        return pl.DataFrame({"text": pl.Series(texts)}).select(found).to_series().to_arrow()
