"""Bytes to the only field of a record that is a line of text."""

from headrace.contract.record_form import TEXT
from headrace.parse.json_fields import Fields


def line_of(value: bytes) -> Fields:
    """The whole text as the field `text`, line breaks among it.

    Raises:
        UnicodeError: it is no UTF-8.
    """
    return (TEXT,), [value.decode()]
