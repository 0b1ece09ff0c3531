"""The kinds of values that a contract's fields have, each with its check and the message for a wrong one."""

import codecs
import re
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter
from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError, WithJsonSchema
from pydantic_core import SchemaError

from headrace.contract.time_format import EPOCHS, time_format

FIRST_DAY, LAST_DAY = date(1678, 1, 1), date(2261, 12, 31)
"""The whole years of a timestamp in nanoseconds: what pandas, NumPy and most readers can hold."""

LONGEST = timedelta(days=36_525)
"""A hundred years."""

VALUE_TYPES = ("double", "integer", "boolean", "string", "timestamp", "array", "struct")
"""The types of signals that need no digits beside their name."""

DECIMAL = re.compile(r"decimal\(([0-9]{1,2}), ?([0-9]{1,2})\)")

_DATE: TypeAdapter[date] = TypeAdapter(date)
_DURATION: TypeAdapter[timedelta] = TypeAdapter(timedelta)


def _limit(value: object) -> object:
    """Read `1%` as 0.01 and 20 as twenty; another number is refused, because 0.5 could mean either."""
    if isinstance(value, str) and value.strip().endswith("%"):
        try:
            share = Decimal(value.strip()[:-1]) / 100
        except InvalidOperation:
            share = Decimal(-1)
        if 0 <= share <= 1:
            return float(share)  # as floats, 0.7 / 100 is less than 7 / 1000
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(
        f"{value!r} is neither a share nor a count; write for example 1%, or 20 for so many records"
    )


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise ValueError(
            f"{value!r} is not a zone of the IANA database, such as Europe/Istanbul"
        ) from unknown
    return value


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0) or timedelta(days=1) % value:
        raise ValueError("must divide a day evenly, for example PT10M")
    return value


def _bound(value: object) -> object:
    """A day, or how far from its record a time may lie; a bare number would be either."""
    if isinstance(value, str):
        kind = _DURATION if value.startswith("P") else _DATE
        try:
            value = kind.validate_python(value)
        except ValidationError:
            value = None
    if isinstance(value, timedelta) and timedelta(0) <= value <= LONGEST:
        return value
    if isinstance(value, date) and not isinstance(value, datetime) and FIRST_DAY <= value <= LAST_DAY:
        return value
    raise ValueError(
        f"must be a day from {FIRST_DAY} to {LAST_DAY}, or a duration of at most a hundred years, "
        "for example 2000-01-01 or P1D"
    )


def _config_text(value: object) -> object:
    """YAML reads -1 and true as a number and a boolean; the broker wants text."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _time_format(value: str) -> str:
    time_format(value)
    return value


def _units_by_their_digits(formats: tuple[str, ...]) -> tuple[str, ...]:
    """Each unit reads numbers of more digits than the one before it; no other order tells them apart."""
    units = [list(EPOCHS).index(each) for each in formats if each in EPOCHS]
    if units != sorted(units):
        order = ", ".join(EPOCHS)
        raise ValueError(f"numbers are told apart by their digits: put them in the order {order}")
    return formats


def _listed(value: object) -> object:
    """One text is a list of one."""
    return (value,) if isinstance(value, str) else value


def _one_or_more(described: dict[str, object]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [described, {"type": "array", "items": described, "minItems": 1}]})


def _value_type(value: str) -> str:
    decimal = DECIMAL.fullmatch(value)
    if value in VALUE_TYPES or (decimal and 0 <= int(decimal[2]) <= int(decimal[1]) in range(1, 39)):
        return value
    raise ValueError(
        f"must be {', '.join(VALUE_TYPES)} or decimal(digits, digits of the fraction), for example "
        "decimal(12, 2), with 38 digits at most"
    )


def _finite(value: object) -> object:
    """Refuse what no double can hold."""
    try:
        finite = not isinstance(value, int | float) or isfinite(value)
    except OverflowError:
        finite = False
    if not finite:
        raise ValueError("is no finite number; say `nan: missing` of NaN, and put texts in quotes")
    return value


def _marker(value: object) -> object:
    _finite(value)
    if value is None or isinstance(value, bool) or value == "":
        raise ValueError("must be a text or a number; put the words null, true, yes and no in quotes")
    return value


def _text_pattern(value: str) -> str:
    """Pydantic and polars have one engine of regular expressions, whose time is linear."""
    try:
        TypeAdapter(Annotated[str, Field(pattern=f"^(?:{value})$")])
    except SchemaError as broken:
        why = str(broken).rpartition("error: ")[2]
        raise ValueError(f"{value!r} is no regular expression: {why}") from None
    return value


NOT_OF_FILES = {
    "idna",
    "punycode",
    "raw-unicode-escape",
    "raw_unicode_escape",
    "undefined",
    "unicode-escape",
    "unicode_escape",
    "utf-7",
}
"""Encodings of Python's that are for names and programs; some make texts that no other can hold."""


def _encoding(value: str) -> str:
    try:
        known = codecs.lookup(value).name not in NOT_OF_FILES
        bytes(4).decode(value)  # refused where it makes no text, as base64
    except UnicodeError:
        pass  # such bytes are no text in it, but there are others
    except LookupError:
        known = False
    if not known:
        raise ValueError(f"{value!r} is no encoding of files that Python knows, such as utf-8-sig or cp1252")
    return value


def _one_character(value: str) -> str:
    if len(value) != 1 or value in "\r\n\0":
        raise ValueError(f"{value!r} is not one character other than a line's end")
    return value


PRESETS = ("@once", "@continuous", "@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")


def _cron(value: str) -> str:
    if value not in PRESETS and not (len(value.split()) == 5 and croniter.is_valid(value)):
        raise ValueError(
            f"{value!r} is neither a cron expression of five fields nor one of {', '.join(PRESETS)}"
        )
    return value


StreamId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
FieldName = Annotated[str, Field(min_length=1, max_length=255)]
ColumnName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,254}$")]
ConfigText = Annotated[
    str, BeforeValidator(_config_text), WithJsonSchema({"type": ["string", "number", "boolean"]})
]
FieldNames = Annotated[tuple[FieldName, ...], Field(min_length=1)]
Limit = Annotated[
    float | int,
    BeforeValidator(_limit),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^\d+(\.\d+)?\s*%$", "examples": ["1%"]},
                {"type": "integer", "minimum": 0},
            ]
        }
    ),
]
"""A share of something, as a float, or a count."""
TimeFields = Annotated[tuple[FieldName, ...], BeforeValidator(_listed), _one_or_more({"type": "string"})]
TimeFormats = Annotated[
    tuple[Annotated[str, AfterValidator(_time_format)], ...],
    BeforeValidator(_listed),
    AfterValidator(_units_by_their_digits),
    _one_or_more({"type": "string"}),
]
Zone = Annotated[str, AfterValidator(_zone)]
ValueType = Annotated[
    str,
    AfterValidator(_value_type),
    WithJsonSchema(
        {"anyOf": [{"enum": list(VALUE_TYPES)}, {"type": "string", "pattern": f"^{DECIMAL.pattern}$"}]}
    ),
]
Number = Annotated[int | float, BeforeValidator(_finite), WithJsonSchema({"type": "number"})]
Marker = Annotated[int | float | str, BeforeValidator(_marker)]
TextPattern = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_text_pattern)]
Cadence = Annotated[timedelta, AfterValidator(_positive)]
Bound = Annotated[date | timedelta, BeforeValidator(_bound)]
Schedule = Annotated[str, AfterValidator(_cron)]
Encoding = Annotated[
    str, AfterValidator(_encoding), Field(examples=["utf-8-sig", "utf-8", "cp1252", "iso-8859-9", "utf-16"])
]
Character = Annotated[str, AfterValidator(_one_character)]
