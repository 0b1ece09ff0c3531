"""Bytes to the fields of one Avro record, by the schema that it names in a registry."""

from typing import Any

from headrace.contract.record import Record
from headrace.parse.avro_schema import AvroSchema, SchemaUnreadable
from headrace.parse.json_fields import Fields
from headrace.parse.nested_fields import NestedFields
from headrace.parse.reasons import Reason
from headrace.parse.refusal import Refusal, Refused
from headrace.parse.schema_fit import unfit
from headrace.parse.schemas import HEAD, MAGIC, Schemas


class AvroFields:
    """Reads values of the wire format: a zero, four bytes of the schema's id, the record."""

    def __init__(self, record: Record, schemas: Schemas, deleted: Reason) -> None:
        self._record, self._schemas = record, schemas
        self._ready: dict[int, AvroSchema | Refusal] = {}
        self._fields = NestedFields(self._value, record.unwrap, record.paths, deleted)
        own = record.registry.schema_id if record.registry else None
        self._id: tuple[str, ...] = (own,) if own else ()

    def __call__(self, value: bytes) -> Fields:
        """Names and texts of the record's fields, and the schema's id behind them.

        Raises:
            Refused: the schema is unknown, unreadable, or does not fit the contract; as `NestedFields`.
            UnicodeError, ValueError: a text is no UTF-8, or the bytes are no record of the schema.
        """
        names, texts = self._fields(value)
        return (*names, *self._id), [*texts, *(str(_id(value)) for _ in self._id)]

    def _value(self, value: bytes) -> Any:
        if len(value) < HEAD or not value.startswith(MAGIC):
            raise ValueError("no magic byte")
        schema = self._schema(_id(value))
        if isinstance(schema, Refusal):
            raise Refused(schema)
        return schema.value(value[HEAD:])

    def _schema(self, number: int) -> AvroSchema | Refusal:
        ready = self._ready.get(number)
        if ready is None:
            ready = self._ready[number] = self._made_ready(number)
        return ready

    def _made_ready(self, number: int) -> AvroSchema | Refusal:
        written = self._schemas.known.get(number)
        if written is None:
            return Refusal.of(Reason.UNKNOWN_SCHEMA, f"schema {number}")
        if written.kind != "AVRO":
            return Refusal.of(Reason.UNFIT_SCHEMA, f"schema {number} is of {written.kind}, not of AVRO")
        try:
            schema = AvroSchema(written.text, written.references)
        except SchemaUnreadable as unreadable:
            return Refusal.of(Reason.UNFIT_SCHEMA, f"schema {number} {unreadable}")
        wrong = unfit(self._record, schema.shape)
        return Refusal.of(Reason.UNFIT_SCHEMA, f"schema {number} {wrong}") if wrong else schema


def _id(value: bytes) -> int:
    return int.from_bytes(value[1:HEAD], "big")
