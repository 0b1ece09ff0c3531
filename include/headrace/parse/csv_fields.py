"""Bytes to the fields of one line of CSV, in the contract's columns."""

import csv
from collections.abc import Sequence

from headrace.parse.json_fields import Fields


class CsvLine:
    """Reads lines of the same columns."""

    def __init__(self, columns: Sequence[str], delimiter: str) -> None:
        self._columns = tuple(columns)
        self._delimiter = delimiter

    def __call__(self, value: bytes) -> Fields:
        """The columns and their texts, without quotes.

        Raises:
            UnicodeError: it is no UTF-8.
            ValueError: it is not one line, no valid CSV, or has another number of columns.
        """
        text = value.decode()
        try:
            [values] = csv.reader([text], delimiter=self._delimiter, strict=True)
        except csv.Error as broken:
            raise ValueError(str(broken)) from broken
        if len(values) != len(self._columns):
            raise ValueError("another number of columns")
        return self._columns, [*values]
