"""The fields of a record that stand beside its value: in its key and in its headers."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from headrace.contract.record import Record
from headrace.contract.record_form import Key
from headrace.contract.value_path import parse_path
from headrace.parse.json_fields import Fields, json_value, text_of
from headrace.parse.nested_fields import paths_in
from headrace.parse.reasons import Reason
from headrace.parse.record_formats import Read
from headrace.parse.refusal import Refusal, Refused

LONGEST_HEADER = 65_536
"""Bytes of a header that is a field."""

NUMBERS = {"int32": 4, "int64": 8}
"""Bytes of the numbers that a key can be."""


def with_fields_beside(
    record: Record, read: Iterable[Read], keys: pa.Array, headers: pa.Array
) -> Iterable[Read]:
    """The records' fields and, behind those of the value, what the contract takes from keys and headers."""
    if isinstance(record.key, Key):
        read = map(_joined, read, _of_keys(record.key, keys))
    if record.headers:
        read = map(_joined, read, _of_headers(record.headers, headers))
    return read


def _joined(first: Read, second: Read) -> Read:
    if isinstance(first[0], Refusal):
        return first
    return second if isinstance(second[0], Refusal) else (first[0] + second[0], first[1] + second[1])


def _of_keys(key: Key, keys: pa.Array) -> Iterator[Read]:
    of_key = _key_reader(key)
    refused = Refusal.of(Reason.BAD_KEY, f"format {key.format}")
    for value in keys.to_pylist():
        try:
            yield ((), []) if value is None else of_key(value)
        except Refused as known:
            yield known.refusal, []
        except ValueError:
            yield refused, []


def _key_reader(key: Key) -> Callable[[bytes], Fields]:
    if key.format == "json":
        return partial(_of_json, key.field, {name: parse_path(path) for name, path in key.paths.items()})
    names = key.fields
    if key.format == "text":
        return lambda value: (names, [value.decode()])
    return lambda value: (names, [_number(value, NUMBERS[key.format])])


def _of_json(field: str | None, paths: dict[str, tuple[str | int, ...]], value: bytes) -> Fields:
    whole = json_value(value)
    found = [*([(field, text_of(whole))] if field else []), *paths_in(whole, paths)]
    return tuple(name for name, _ in found), [text for _, text in found]


def _number(value: bytes, size: int) -> str:
    if len(value) != size:
        raise ValueError("another number of bytes")
    return str(int.from_bytes(value, "big", signed=True))


def _of_headers(fields: dict[str, str], headers: pa.ListArray) -> Iterator[Read]:
    columns = [last_header(headers, name).to_pylist() for name in fields.values()]
    names = tuple(fields)
    for values in zip(*columns, strict=True):
        yield _of_each_header(names, values)


def _of_each_header(names: tuple[str, ...], values: tuple[bytes | None, ...]) -> Read:
    found = [(name, value) for name, value in zip(names, values, strict=True) if value is not None]
    texts: list[str | None] = []
    for name, value in found:
        try:
            texts.append(_header_text(value))
        except ValueError:
            return Refusal.of(Reason.BAD_HEADER, f"field {name}"), []
    return tuple(name for name, _ in found), texts


def _header_text(value: bytes) -> str:
    if len(value) > LONGEST_HEADER:
        raise ValueError("too long")
    return value.decode()


def last_header(headers: pa.ListArray, name: str) -> pa.BinaryArray:
    """Each record's last header of the name, as Kafka's own `lastHeader`; null where it has none."""
    entries, record_of = headers.flatten(), pc.list_parent_indices(headers)
    named = pc.indices_nonzero(pc.equal(entries.field("key"), name))
    back = named[::-1]
    last = pc.index_in(pa.arange(0, len(headers)), value_set=record_of.take(back))
    return entries.field("value").take(back.take(last))
