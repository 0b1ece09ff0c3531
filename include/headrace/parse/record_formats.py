"""How a record's bytes are read, by the contract's format."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from headrace.contract.model import Contract
from headrace.contract.record import Record
from headrace.parse.csv_fields import CsvLine
from headrace.parse.json_fields import Fields, fields_of
from headrace.parse.reasons import Reason
from headrace.parse.text_fields import line_of


@dataclass(frozen=True)
class RecordFormat:
    """Bytes to names and texts of fields.

    `read`: raises UnicodeError for no UTF-8, ValueError for no record of the format; `refusal`: its reason.
    `tombstone`: the reason of a record without a value.
    """

    read: Callable[[bytes], Fields]
    refusal: Reason
    tombstone: Reason = Reason.EMPTY


JSON = RecordFormat(fields_of, Reason.NOT_AN_OBJECT)


def format_of(contract: Contract) -> RecordFormat:
    """The format of a stream's records."""
    skipped = contract.landing.tombstones == "skip_counted"
    return replace(_format_of(contract.record), tombstone=Reason.TOMBSTONE if skipped else Reason.EMPTY)


def _format_of(record: Record) -> RecordFormat:
    if record.format == "csv":
        return RecordFormat(CsvLine(record.columns, record.delimiter), Reason.NOT_A_ROW)
    return RecordFormat(line_of, Reason.NOT_UTF8) if record.format == "text" else JSON
