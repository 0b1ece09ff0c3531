"""Which function reads a record's bytes, by the contract's format."""

from collections.abc import Callable

from headrace.contract.record import Record
from headrace.parse.json_fields import Fields, fields_of
from headrace.parse.text_fields import line_of

Reader = Callable[[bytes], Fields]
"""Bytes to names and texts of fields; UnicodeError for no UTF-8, ValueError for no record of the format."""


def reader_of(record: Record) -> Reader:
    """The reader of a stream's records."""
    return line_of if record.format == "text" else fields_of
