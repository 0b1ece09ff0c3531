"""Whether a writer's schema can make readings of a contract: fields that it lacks, types that are others."""

from headrace.contract.record import Record, Signal
from headrace.contract.value_path import Path, parse_path
from headrace.parse.avro_schema import Shape

TEXTS = frozenset({"string", "enum"})
WHOLE = frozenset({"int", "long"})
NUMBERS = WHOLE | {"float", "double", "decimal"}
TIMES = frozenset({"date"}) | {
    f"{local}timestamp-{unit}" for local in ("", "local-") for unit in ("millis", "micros", "nanos")
}

TAKEN = {
    "double": NUMBERS | TEXTS,
    "integer": WHOLE | {"decimal"} | TEXTS,
    "boolean": {"boolean"} | TEXTS,
    "timestamp": TIMES | WHOLE | TEXTS,
    "array": {"array"} | TEXTS,
    "struct": {"record", "map"} | TEXTS,
}
"""Kinds of values that a signal's type can be of; a string can be of all."""


def unfit(record: Record, shape: Shape) -> str | None:
    """What is wrong with the schema for the contract; None where it can make readings."""
    needed = [*record.event_time.field, *(record.identity or ()), *([record.entity] if record.entity else [])]
    of_signal = {each for signal in record.signals for each in signal.fields}
    elsewhere = {*record.headers, *record.key_fields}
    for name in needed:
        if name not in of_signal | elsewhere and _shape(record, shape, name) is None:
            return f"has no field {name}"
    for signal in record.signals:
        found = {name: _shape(record, shape, name) for name in (*signal.fields, signal.name)}
        there = {name: each for name, each in found.items() if each is not None}
        wanted = signal.required or not {*signal.fields}.isdisjoint(needed)
        if wanted and not there and elsewhere.isdisjoint(signal.fields):
            return f"has no field {' or '.join(signal.fields)}"
        for name, each in there.items():
            if not _takes(signal, each):
                return f"has {_said(each)} as field {name}, where the contract says {signal.type}"
    return None


def _shape(record: Record, shape: Shape, name: str) -> Shape | None:
    return shape.at(_path(record, name))


def _path(record: Record, name: str) -> Path:
    if name in record.paths:
        return parse_path(record.paths[name])
    return (*parse_path(record.unwrap), name) if record.unwrap else (name,)


def _takes(signal: Signal, shape: Shape) -> bool:
    taken = NUMBERS | TEXTS if signal.digits else TAKEN.get(signal.type)
    return taken is None or not taken.isdisjoint(shape.kinds) or shape.kinds == {"null"}


def _said(shape: Shape) -> str:
    return " or ".join(sorted(shape.kinds - {"null"}))
