"""A contract out of a document of ODCS: what it says, and what it does not, by name."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter

from headrace.errors import ContractError
from headrace.odcs.document import Document, custom
from headrace.odcs.exporting import OPTIONS, REST, SIGNAL

TYPES = {
    "number": "double",
    "integer": "integer",
    "boolean": "boolean",
    "string": "string",
    "timestamp": "timestamp",
    "date": "timestamp",
    "time": "string",
    "array": "array",
    "vector": "array",
    "object": "struct",
    "map": "struct",
}
"""The standard's type -> a signal's."""

PHYSICAL = (
    (r"(?i)^(timestamp|datetime)", "timestamp"),
    (r"(?i)^date$", "date"),
    (r"(?i)^(tiny|small|big|medium)?int", "integer"),
    (r"(?i)^(double|float|real|number|numeric|decimal)", "number"),
    (r"(?i)^bool", "boolean"),
)
"""What a type of a database comes down to, where a document names no other."""

UNITS = {"s": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}
"""Units of a frequency, in seconds; a plural's s is taken off."""


@dataclass
class Imported:
    """The contract as its file has it, and what the document does not say or is not taken from it."""

    definition: dict[str, Any]
    missing: list[str] = field(default_factory=list)


def imported(document: Document, place: str) -> Imported:
    """The contract that a document describes; one that Headrace has exported is whole.

    Raises:
        ContractError: it describes several objects, or nothing but a time.
    """
    objects = document.get("schema") or []
    if len(objects) != 1:
        names = ", ".join(str(each.get("name")) for each in objects) or "none"
        raise ContractError(f"{place}: a stream is one object of schema; it has {names}: leave one in it")
    (of,) = objects
    rest = custom(document, REST)
    found = Imported({"stream": _stream_id(document)})
    said = found.definition
    description = document.get("description") or {}
    if purpose := description.get("purpose") or description.get("usage"):
        said["description"] = purpose
    if owner := _owner(document):
        said["owner"] = owner
    properties = of.get("properties") or []
    if rest is not None:
        _add_rest(said, rest, of, properties)
    else:
        _add_foreign(found, of, properties, place)
    event_time = said["record"]["event_time"]
    every = _frequency(document, found)
    if every is not None:
        event_time["every"] = TypeAdapter(timedelta).dump_python(every, mode="json")
    elif rest is None:
        found.missing.append("event_time.every: no slaProperties of a frequency: no expected counts")
    return found


def _add_rest(said: dict[str, Any], rest: dict[str, Any], of: Document, properties: list[Document]) -> None:
    """What an export has kept besides, and the signals as their properties say."""
    said |= {name: rest[name] for name in rest if name not in {"topic", "record"}}
    said["topic"] = {"name": of["physicalName"], **rest["topic"]}
    said["record"] = {**rest["record"]}
    said["record"]["event_time"] = {**rest["record"]["event_time"]}
    if keys := _keys(properties):
        said["record"]["identity"] = keys
    said["record"]["signals"] = [_own_signal(each) for each in properties if custom(each, SIGNAL) is not None]


def _own_signal(of: Document) -> dict[str, Any]:
    more = dict(custom(of, SIGNAL))
    options = of.get("logicalTypeOptions") or {}
    return {
        "name": of.get("businessName") or of["name"],
        "fields": [of["name"], *more.pop("fields", ())],
        "type": of.get("physicalType") or TYPES[of.get("logicalType", "number")],
        "required": bool(of.get("required")),
        **{name: options[name] for name in OPTIONS if name in options},
        **more,
    }


def _keys(properties: list[Document]) -> list[str]:
    keys = [each for each in properties if each.get("primaryKey")]
    return [each["name"] for each in sorted(keys, key=lambda each: each.get("primaryKeyPosition", -1))]


def _add_foreign(found: Imported, of: Document, properties: list[Document], place: str) -> None:
    """What another tool's document says."""
    said, missing = found.definition, found.missing
    times = [each for each in properties if _logical(each) == "timestamp"]
    times += [each for each in properties if _logical(each) == "date"]
    time = times[0] if times else None
    topic = of.get("physicalName") or of["name"]
    said["source"] = {"kind": "external"}
    missing.append("source: ODCS does not say where records come from: somebody else feeds the topic")
    said["topic"] = {"name": re.sub(r"[^a-zA-Z0-9._-]", "_", str(topic))[:249]}
    if of.get("physicalType") != "topic":
        missing.append(
            f"topic.name: {of.get('physicalType') or 'the object'} {topic!r} is no topic; its name is kept"
        )
    said["record"] = {"event_time": _event_time(time, missing)}
    if time and len(times) > 1:
        others = ", ".join(each["name"] for each in times[1:])
        missing.append(f"event_time.field: {time['name']}, the first time; others are signals: {others}")
    if keys := _keys(properties):
        said["record"]["identity"] = keys
    else:
        missing.append("record.identity: no property is a primaryKey: repeated records are not recognised")
    signals = [_signal(each, missing) for each in properties if each is not time]
    if not signals:
        raise ContractError(f"{place}: no property but a time is in it; a record needs a signal besides")
    said["record"]["signals"] = signals


def _event_time(time: Document | None, missing: list[str]) -> dict[str, Any]:
    if time is None:
        missing.append("event_time: no property is a timestamp or date: the record's own in Kafka is taken")
        return {"from": "kafka_timestamp"}
    options = time.get("logicalTypeOptions") or {}
    if "format" not in options:
        missing.append("event_time.format: no logicalTypeOptions.format: ISO 8601 is taken")
    if "defaultTimezone" not in options:
        missing.append("event_time.timezone: no logicalTypeOptions.defaultTimezone: UTC is taken")
    return {
        "field": time["name"],
        "format": options.get("format", "iso"),
        "timezone": options.get("defaultTimezone", "UTC"),
    }


def _signal(of: Document, missing: list[str]) -> dict[str, Any]:
    logical, options = _logical(of), of.get("logicalTypeOptions") or {}
    if logical is None:
        missing.append(f"signal {of['name']}: no logicalType: string is taken")
    kind = TYPES[logical or "string"]
    numeric = kind in {"double", "integer"}
    fitting = {"minimum": numeric, "maximum": numeric, "pattern": kind == "string"}
    taken = {name: options[name] for name in OPTIONS if name in options and fitting[name]}
    if kind == "timestamp" and "format" in options:
        taken["format"] = options["format"]
    known = {"format"} if logical in {"timestamp", "date"} else set()
    left = [f"logicalTypeOptions.{name}" for name in options if name not in taken.keys() | known]
    left += [name for name in ("quality", "unique") if of.get(name)]
    if left:
        missing.append(f"signal {of['name']}: not taken over: {', '.join(left)}")
    return {
        "name": of.get("businessName") or of["name"],
        "fields": [of["name"]],
        "type": kind,
        **({"required": True} if of.get("required") else {}),
        **taken,
    }


def _logical(of: Document) -> str | None:
    if of.get("logicalType"):
        return str(of["logicalType"])
    physical = str(of.get("physicalType") or "")
    return next((kind for pattern, kind in PHYSICAL if re.match(pattern, physical)), None)


def _frequency(document: Document, found: Imported) -> timedelta | None:
    every = None
    for each in document.get("slaProperties") or ():
        unit, value = str(each.get("unit") or "").lower(), each.get("value")
        seconds = UNITS.get(unit) or UNITS.get(unit.removesuffix("s"))
        if each["property"] != "frequency":
            found.missing.append(f"slaProperties {each['property']!r}: not taken over")
        elif seconds and isinstance(value, int | float) and not isinstance(value, bool):
            every = timedelta(seconds=seconds * value)
        else:
            found.missing.append(f"slaProperties frequency: {value!r} {unit!r} is no known span of time")
    return every


def _owner(document: Document) -> str | None:
    team = document.get("team")
    name = team.get("name") if isinstance(team, dict) else None
    return str(name) if name else None


def _stream_id(document: Document) -> str:
    """The id where it is a stream's, else the name, as a stream's."""
    for given in filter(None, (str(document["id"]), document.get("name"))):
        if re.fullmatch(r"[a-z][a-z0-9_]{0,62}", str(given)):
            return str(given)
    words = re.sub(r"[^a-z0-9]+", "_", str(document.get("name") or document["id"]).lower()).strip("_")
    return (words if re.match("[a-z]", words) else f"stream_{words}")[:63].rstrip("_")
