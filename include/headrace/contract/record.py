"""What one record of a stream holds: its time, its signals, and how their texts are read."""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticKnownError

from headrace.contract.field_types import (
    DECIMAL,
    Bound,
    Cadence,
    ColumnName,
    FieldName,
    FieldNames,
    Marker,
    Number,
    TextPattern,
    TimeFields,
    TimeFormats,
    ValueType,
    Zone,
)
from headrace.contract.number_form import NumberForm
from headrace.contract.part import Part
from headrace.contract.record_form import RecordForm
from headrace.contract.time_format import spells_an_instant_in_many_ways


class EventTime(Part):
    """Where a record's time stands and how it is read."""

    from_: Literal["field", "kafka_timestamp"] = Field(
        "field",
        alias="from",
        description="`kafka_timestamp`: the record's own, without field and format",
    )
    field: TimeFields = Field(
        (),
        validate_default=True,
        description="required but for `kafka_timestamp`; of several, such as a date and a time, the texts "
        "are read with a blank between",
    )
    format: TimeFormats = Field(
        (),
        validate_default=True,
        description="required but for `kafka_timestamp`: `iso`; a number since 1970, as `epoch_s`, "
        "`epoch_ms`, `epoch_us` or `epoch_ns`; or [letters](#time-formats) as in "
        "`yyyy-MM-dd HH:mm:ss[.SSSSSS][XXX]`; of several the first that fits",
    )
    timezone: Zone = "UTC"
    doubled: Literal["by_order", "earlier", "later", "quarantine"] = Field(
        "by_order",
        description="of a local time that comes twice, when clocks go back: by the order of a source's rows, "
        "in which times go back too (`doubled_event_time` where it does not say; `earlier` in an external "
        "topic); always the earlier or the later one; or `doubled_event_time`",
    )
    every: Cadence | None = Field(
        None, description="the cadence as an ISO 8601 duration; expected counts come from it"
    )
    earliest: Bound = Field(
        date(2000, 1, 1),
        description="an earlier event time goes to quarantine; a duration counts back from the record's "
        "timestamp in Kafka",
    )
    latest: Bound = Field(
        timedelta(days=1),
        description="a later event time goes to quarantine; a duration counts from the record's timestamp "
        "in Kafka",
    )

    @field_validator("field", "format")
    @classmethod
    def _as_from_asks(cls, given: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        of_kafka = info.data.get("from_") == "kafka_timestamp"
        if of_kafka and given:
            raise ValueError("the time is the record's own timestamp in Kafka (from); leave this out")
        if not of_kafka and not given:
            raise PydanticKnownError("missing")
        if len(set(given)) < len(given):
            raise ValueError("something stands in it twice")
        return given

    @model_validator(mode="after")
    def _earliest_first(self) -> Self:
        earliest, latest = self.earliest, self.latest
        if isinstance(earliest, date) and isinstance(latest, date) and earliest > latest:
            raise ValueError("earliest is after latest")
        return self

    @property
    def spells_an_instant_in_many_ways(self) -> bool:
        """Whether two texts that differ can be the same instant."""
        return len(self.format) > 1 or any(map(spells_an_instant_in_many_ways, self.format))


Thousands = Literal[".", ",", " ", "'", "_"]


class Signal(Part):
    """One measured value: its name in the tables and the field names that it comes under.

    A field is the signal's that lists it in its `fields`, whatever other signals are called. A field that no
    signal lists and that is called like a signal is that signal's. All others keep their names. A record with
    two fields of one signal is refused (`repeated_field`); to keep both, let another signal list one of them.
    """

    name: FieldName
    fields: FieldNames
    type: ValueType = Field(
        "double",
        description="what a text must be: `integer` has 64 bits, `decimal(p, s)` p digits, s of them behind "
        "the point, both are exact; `array` and `struct` are JSON; `timestamp` is read by `format`",
    )
    minimum: Number | None = None
    maximum: Number | None = None
    pattern: TextPattern | None = Field(
        None, description="a regular expression (of Rust: without look-around) of the whole text of a string"
    )
    one_of: tuple[Marker, ...] = Field(
        (), description="the only values that are taken; a number by its value"
    )
    format: TimeFormats = Field((), description="of a timestamp, as in `event_time`; `iso` where not said")
    missing: tuple[Marker, ...] = Field((), description="besides the record's: what stands for no value")
    nan: Literal["missing"] | None = Field(None, description="as the record's, of this signal alone")
    decimal: Literal[".", ","] | None = Field(
        None, description="with `thousands` in place of the record's form of numbers"
    )
    thousands: Thousands | None = None
    column: ColumnName | None = Field(
        None,
        description="its column where `landing.columns` is `typed`; without it the name, with `_` for all "
        "but letters and digits. A signal that is renamed names its old one here: its history goes on in it",
    )
    required: bool = Field(False, description="a record without it goes to quarantine")
    circular: bool = Field(False, description="a direction in degrees: also averaged as a circular mean")

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("minimum is above maximum")
        bounds = [bound for bound in (self.minimum, self.maximum) if bound is not None]
        if not self.is_numeric and (self.circular or bounds):
            raise ValueError(f"type {self.type} has neither bounds nor a circular mean")
        if self.type == "integer" and any(not is_long(bound) for bound in (*bounds, *self.one_of)):
            raise ValueError("bounds and values of an integer are whole numbers of 64 bits")
        if self.digits and any(not is_decimal(bound) for bound in (*bounds, *self.one_of)):
            raise ValueError("bounds and values of a decimal have 38 digits at most")
        return self

    @model_validator(mode="after")
    def _of_its_type(self) -> Self:
        if not self.is_numeric and (self.decimal or self.thousands):
            raise ValueError(f"type {self.type} has no decimal sign and no thousands")
        _require_two_signs(self.decimal or ".", self.thousands)
        if self.pattern is not None and self.type != "string":
            raise ValueError(f"type {self.type} has no pattern; string has")
        if self.format and self.type != "timestamp":
            raise ValueError(f"type {self.type} has no format; timestamp has")
        if self.one_of and not (self.is_numeric or self.type == "string"):
            raise ValueError(f"type {self.type} has no one_of; strings and numbers have")
        if any(isinstance(value, str) == self.is_numeric for value in self.one_of):
            kind = "numbers, without quotes" if self.is_numeric else "texts; put numbers in quotes"
            raise ValueError(f"one_of of type {self.type} are {kind}")
        return self

    @property
    def typed_column(self) -> str:
        """Its column in `readings` where signals have columns of their own."""
        return self.column or re.sub(r"\W", "_", self.name)

    @property
    def is_numeric(self) -> bool:
        """Whether it has bounds, averages and a form of numbers."""
        return self.type in ("double", "integer") or self.digits is not None

    @property
    def digits(self) -> tuple[int, int] | None:
        """Of a decimal: all its digits, and those behind the point."""
        found = DECIMAL.fullmatch(self.type)
        return (int(found[1]), int(found[2])) if found else None


class Rule(Part):
    """What must hold between the values of a record."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    expression: Annotated[str, Field(min_length=1, max_length=4_000)] = Field(
        description="SQL about the signals by their names, `entity` and `signal_ts` of one record, such as "
        '`low <= high` or `"wind speed" < 3 OR power > 0`. A record of which it is false is refused; it is '
        "not where a value is missing and SQL therefore says null"
    )


class Record(RecordForm):
    """What one record holds."""

    identity: tuple[FieldName, ...] | None = Field(
        None, description="what makes two records the same one; without it a source's row is its content"
    )
    entity: FieldName | None = Field(None, description="the field that names the device")
    event_time: EventTime
    missing: tuple[Marker, ...] = Field(
        (), description="what stands for no value, in whatever field: texts, or numbers by their value"
    )
    nan: Literal["quarantine", "missing"] = Field(
        "quarantine", description="whether NaN is no number or no value"
    )
    decimal: Literal[".", ","] = Field(
        ".", description="what begins a fraction in the texts of all numbers; readings keep the text"
    )
    thousands: Thousands | None = Field(None, description="what stands between thousands, in threes")
    trim: bool = Field(False, description="blanks about the texts of fields are not theirs")
    signals: Annotated[tuple[Signal, ...], Field(min_length=1)]
    rules: tuple[Rule, ...] = Field((), description="what must hold between the values of a record")

    @model_validator(mode="after")
    def _each_field_is_filled(self) -> Self:
        unfilled = [] if self.filled is None else sorted(self.fields.difference(self.filled))
        if unfilled:
            raise ValueError(
                f"field {unfilled[0]!r}: a record of format {self.format} has only "
                f"{', '.join(self.filled or ())}"
            )
        return self

    @model_validator(mode="after")
    def _each_field_once(self) -> Self:
        if self.identity == ():
            raise ValueError("identity is empty; leave it out if records have none")
        _require_two_signs(self.decimal, self.thousands)
        names = [signal.name for signal in self.signals]
        fields = [field for signal in self.signals for field in signal.fields]
        reserved = {*self.event_time.field, self.entity} - {None}
        rules = [rule.name for rule in self.rules]
        for label, values in (("signal name", names), ("field", fields), ("rule", rules)):
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise ValueError(f"{label} {twice[0]!r} stands twice")
        clash = sorted(str(field) for field in reserved.intersection(fields))
        if clash:
            raise ValueError(f"field {clash[0]!r} is both a signal and the event time or entity")
        return self

    def number_form(self, signal: Signal | None = None) -> NumberForm:
        """How the signal's numbers are written; without one, those of all fields."""
        if signal and (signal.decimal or signal.thousands):
            return NumberForm(signal.decimal or ".", signal.thousands)
        return NumberForm(self.decimal, self.thousands)

    @property
    def fields(self) -> frozenset[str]:
        """Every field name that the contract knows."""
        own = {field for signal in self.signals for field in signal.fields}
        named = {*self.event_time.field, *self.published_key, *self.beside, *(self.identity or ())}
        return frozenset(own | named | ({self.entity} if self.entity else set()))


def is_long(value: float | str) -> bool:
    """Whether it is a whole number of 64 bits."""
    return not isinstance(value, str) and value == int(value) and -(2**63) <= value < 2**63


def is_decimal(value: float | str) -> bool:
    """Whether it is a number of at most 38 digits, in front of the point and behind it together."""
    return not isinstance(value, str) and sum(map(str.isdigit, f"{Decimal(str(value)):f}")) <= 38


def _require_two_signs(decimal: str, thousands: str | None) -> None:
    if decimal == thousands:
        raise ValueError(f"decimal and thousands are both {decimal!r}; one sign cannot be both")
