"""How a record's value is read, by the contract's format."""

from collections.abc import Callable
from dataclasses import dataclass

from headrace.contract.model import Contract
from headrace.contract.record import Record
from headrace.parse.csv_fields import CsvLine
from headrace.parse.json_fields import Fields, fields_of, json_value
from headrace.parse.nested_fields import NestedFields
from headrace.parse.reasons import Reason
from headrace.parse.refusal import Refusal, Refused
from headrace.parse.schemas import Schemas
from headrace.parse.text_fields import line_of

Read = tuple[tuple[str, ...] | Refusal, list[str | None]]
"""Names and texts of a record's fields; no text and the refusal where it has none."""


@dataclass(frozen=True)
class RecordFormat:
    """Bytes to names and texts of fields.

    `read`: raises UnicodeError for no UTF-8, Refused for what it says itself, ValueError for no record of
    the format; `refusal`: the reason of that. `tombstone`: the reason of a record without a value.
    """

    read: Callable[[bytes], Fields]
    refusal: Reason
    tombstone: Reason = Reason.EMPTY

    def __call__(self, value: bytes | Refusal | None) -> Read:
        """The fields of a value, of whatever bytes; a refusal stays one."""
        if not value:
            return Refusal.of(self.tombstone if value is None else Reason.EMPTY), []
        if isinstance(value, Refusal):
            return value, []
        try:
            return self.read(value)
        except UnicodeError:
            return Refusal.of(Reason.NOT_UTF8), []
        except Refused as refused:
            return refused.refusal, []
        except ValueError:
            return Refusal.of(self.refusal), []

    def by_name(self, value: bytes) -> dict[str, str | None]:
        """Field -> text, of a repeated one the last; empty where the value is refused."""
        names, texts = self(value)
        return {} if isinstance(names, Refusal) else dict(zip(names, texts, strict=True))


def format_of(contract: Contract, schemas: Schemas | None = None) -> RecordFormat:
    """The format of a stream's records; `schemas`: those that they name, of a format that has such."""
    record = contract.record
    skipped = contract.landing.tombstones == "skip_counted"
    tombstone = Reason.TOMBSTONE if skipped else Reason.EMPTY
    if record.format == "csv":
        return RecordFormat(CsvLine(record.columns, record.delimiter), Reason.NOT_A_ROW, tombstone)
    if record.format == "text":
        return RecordFormat(line_of, Reason.NOT_UTF8, tombstone)
    if record.format == "avro":
        from headrace.parse.avro_fields import AvroFields  # noqa: PLC0415  # 20 ms that no other format needs

        return RecordFormat(AvroFields(record, schemas or Schemas(), tombstone), Reason.NOT_AVRO, tombstone)
    return RecordFormat(_json_reader(record, tombstone), Reason.NOT_AN_OBJECT, tombstone)


def _json_reader(record: Record, deleted: Reason) -> Callable[[bytes], Fields]:
    if record.unwrap or record.paths:
        return NestedFields(json_value, record.unwrap, record.paths, deleted)
    return fields_of
