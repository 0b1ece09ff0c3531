"""An Avro writer's schema, made ready: what its values are as `json_fields` has them, and of what kind.

fastavro reads the bytes, without what schemas say besides of their meaning (logical types): it would make
Python's own dates and decimals of them, which do not have all of their values. The texts are made here.
"""

import io
import json
import struct
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any

from fastavro import parse_schema, schemaless_reader
from fastavro.schema import SchemaParseException, UnknownType

from headrace.contract.value_path import Path
from headrace.parse.json_fields import Number

Convert = Callable[[Any], Any]
"""What fastavro reads to a value as `json_fields` has them."""

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # of local times too

READ_AS = {
    "null": type(None),
    "boolean": bool,
    **dict.fromkeys(("int", "long"), int),
    **dict.fromkeys(("float", "double"), float),
    **dict.fromkeys(("bytes", "fixed"), bytes),
    **dict.fromkeys(("string", "enum"), str),
    "array": list,
    **dict.fromkeys(("map", "record", "error"), dict),
}

BROKEN = (EOFError, IndexError, KeyError, TypeError, OverflowError, AssertionError, struct.error)
"""What fastavro raises, besides ValueError, for bytes that are not of the schema."""


class SchemaUnreadable(ValueError):
    """A schema, or something in it, that records are not read by."""


@dataclass(frozen=True)
class Shape:
    """What a schema says of a value.

    `kinds`: Avro's names of types, or of logical ones; several of a union. `size`: bytes that it has at the
    least.
    """

    kinds: frozenset[str]
    convert: Convert
    read_as: type | None
    size: int = 1
    members: Mapping[str, "Shape"] = field(default_factory=dict)
    element: "Shape | None" = None

    def at(self, path: Path) -> "Shape | None":
        """What is at that path; None where there is nothing."""
        shape: Shape | None = self
        for step in path:
            if shape is None:
                return None
            shape = (
                shape.element if isinstance(step, int) or "map" in shape.kinds else shape.members.get(step)
            )
        return shape


class AvroSchema:
    """Reads records that were written by one schema."""

    def __init__(self, text: str, references: tuple[str, ...] = ()) -> None:
        """Raise SchemaUnreadable; `references`: the schemas that it needs, each after those that it needs."""
        try:
            *_, whole = _parsed([*references, text], lambda schema: schema)
            *_, self._plain = _parsed([*references, text], _without_logical_types)
            self.shape = _Shapes(dict(whole["__named_schemas"]) if isinstance(whole, dict) else {}).of(whole)
        except (SchemaParseException, UnknownType, json.JSONDecodeError, RecursionError, *BROKEN) as broken:
            raise SchemaUnreadable(f"is no Avro schema: {str(broken)[:200]}") from broken
        if self.shape.read_as is not dict:
            raise SchemaUnreadable("is not of a record")

    def value(self, written: bytes) -> Any:
        """The record's value; ValueError where the bytes are not one record of the schema."""
        stream = io.BytesIO(written)
        try:
            read = schemaless_reader(stream, self._plain, None)
        except BROKEN as broken:
            raise ValueError("not of its schema") from broken
        if stream.tell() != len(written):
            raise ValueError("something stands behind the record")
        return self.shape.convert(read)


def _parsed(texts: list[str], changed: Callable[[Any], Any]) -> list[Any]:
    named: dict[str, Any] = {}
    return [parse_schema(changed(json.loads(text)), named) for text in texts]


def _without_logical_types(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_logical_types(each) for each in schema]
    if isinstance(schema, dict):
        return {
            key: value if key in {"default", "doc", "aliases"} else _without_logical_types(value)
            for key, value in schema.items()
            if key != "logicalType"
        }
    return schema


class _Shapes:
    """The shapes of a schema's parts; each named one is made once."""

    def __init__(self, named: dict[str, Any]) -> None:
        self._named, self._made = named, dict[str, Shape | None]()

    def of(self, schema: Any) -> Shape:
        if isinstance(schema, list):
            return _union([self.of(each) for each in schema])
        kind = schema if isinstance(schema, str) else schema["type"]
        if isinstance(kind, list | dict):
            return self.of(kind)
        if kind not in READ_AS:
            return self._of_name(kind)
        if kind in {"record", "error"}:
            return self._record(schema)
        if kind in {"array", "map"}:
            return self._of_many(kind, self.of(schema["items" if kind == "array" else "values"]))
        return _scalar(kind, schema if isinstance(schema, dict) else {})

    def _of_name(self, name: str) -> Shape:
        if name not in self._made:
            self._made[name] = None
            self._made[name] = self.of(self._named[name])
        made = self._made[name]
        if made is None:
            raise SchemaUnreadable(f"holds itself ({name}); such records are not read")
        return made

    def _record(self, schema: Any) -> Shape:
        name = schema["name"]
        if self._made.setdefault(name, None) is not None:
            return self._of_name(name)
        members = {each["name"]: self.of(each["type"]) for each in schema["fields"]}
        converts = [(each, shape.convert) for each, shape in members.items()]

        def convert(read: Any) -> Any:
            return tuple([(each, make(read[each])) for each, make in converts])

        size = sum(shape.size for shape in members.values())
        self._made[name] = made = Shape(frozenset({"record"}), convert, dict, size, members)
        return made

    def _of_many(self, kind: str, element: Shape) -> Shape:
        make = element.convert
        if kind == "map":
            return Shape(
                frozenset({kind}),
                lambda read: tuple([(name, make(each)) for name, each in read.items()]),
                dict,
                element=element,
            )
        if not element.size:  # a few bytes would stand for any number of them
            raise SchemaUnreadable("has an array of what takes no bytes")
        return Shape(frozenset({kind}), lambda read: [make(each) for each in read], list, element=element)


def _union(branches: list[Shape]) -> Shape:
    converts: dict[type | None, Convert] = {}
    for branch in branches:
        if converts.setdefault(branch.read_as, branch.convert) is not branch.convert:
            kinds = " and ".join(sorted(kind for each in branches for kind in each.kinds))
            raise SchemaUnreadable(f"has a union of {kinds}, which cannot be told apart")
    of_all = frozenset(kind for branch in branches for kind in branch.kinds)
    with_parts = next((each for each in branches if each.members or each.element), None)
    if len(converts) == 2 and type(None) in converts:
        [make] = [each for kind, each in converts.items() if kind is not type(None)]
        convert: Convert = lambda read: None if read is None else make(read)  # noqa: E731  # as its like below
    else:
        convert = lambda read: converts[type(read)](read)  # noqa: E731  # a def would need a second name
    members, element = (with_parts.members, with_parts.element) if with_parts else ({}, None)
    return Shape(of_all, convert, None, 1, members, element)


def _scalar(kind: str, schema: Mapping[str, Any]) -> Shape:
    logical = schema.get("logicalType", "")
    size = {"null": 0, "fixed": schema.get("size", 0), "float": 4, "double": 8}.get(kind, 1)
    if logical == "decimal" and kind in {"bytes", "fixed"}:
        scale = int(schema.get("scale", 0))
        return Shape(frozenset({logical}), lambda read: _decimal(read, scale), bytes, size)
    if (kind, logical) in INSTANTS:
        return Shape(frozenset({logical}), INSTANTS[kind, logical], int, size)
    return Shape(frozenset({kind}), PLAIN[kind], READ_AS[kind], size)


NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
"""As JSON's readers have them."""


def _same(read: Any) -> Any:
    return read


def _double(read: float) -> Number:
    text = repr(read)
    return Number(text if isfinite(read) else NOT_FINITE[text])


def _float(read: float) -> Number:
    """The shortest text that is this number of 32 bits."""
    for digits in (6, 7, 8):
        text = f"{read:.{digits}g}"
        try:
            if struct.unpack("<f", struct.pack("<f", float(text)))[0] == read:
                return _double(float(text))
        except OverflowError:  # rounded up beyond the largest
            continue
    return _double(float(f"{read:.9g}"))


def _bytes(read: bytes) -> str:
    return b64encode(read).decode()


def _decimal(read: bytes, scale: int) -> Number:
    return Number(f"{Decimal(int.from_bytes(read, 'big', signed=True)).scaleb(-scale):f}")


def _date(read: int) -> str:
    try:
        return (date(1970, 1, 1) + timedelta(days=read)).isoformat()
    except OverflowError:  # beyond the years of calendars: the number, which is no time of any format
        return Number(read)


def _time(digits: int) -> Convert:
    def convert(read: int) -> str:
        seconds, part = divmod(read, 10**digits)
        if not 0 <= seconds < 86_400:
            return Number(read)
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{part:0{digits}}"

    return convert


def _instant(digits: int, zone: str) -> Convert:
    def convert(read: int) -> str:
        seconds, part = divmod(read, 10**digits)
        try:
            whole = (EPOCH + timedelta(seconds=seconds)).isoformat()
        except OverflowError:
            return Number(read)
        return f"{whole}.{part:0{digits}}{zone}"

    return convert


PLAIN: dict[str, Convert] = {
    **dict.fromkeys(("null", "boolean", "string", "enum"), _same),
    **dict.fromkeys(("int", "long"), Number),
    "float": _float,
    "double": _double,
    **dict.fromkeys(("bytes", "fixed"), _bytes),
}
INSTANTS: dict[tuple[str, str], Convert] = {
    ("int", "date"): _date,
    ("int", "time-millis"): _time(3),
    ("long", "time-micros"): _time(6),
    **{
        ("long", f"timestamp-{unit}s"): _instant(digits, "Z") for unit, digits in (("milli", 3), ("micro", 6))
    },
    ("long", "timestamp-nanos"): _instant(9, "Z"),
    **{
        ("long", f"local-timestamp-{unit}s"): _instant(digits, "")
        for unit, digits in (("milli", 3), ("micro", 6), ("nano", 9))
    },
}
