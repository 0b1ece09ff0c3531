"""Rows under the names of columns, as the records that are published of them: JSON objects of texts."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring
from operator import itemgetter
from typing import Any, Generic, Protocol, Self, TypeVar

from headrace.contract.model import Contract
from headrace.publish.sources.columns import check_header, column_names

Pair = tuple[str | None, str]
"""A record's key and value."""

UNESCAPED = bytes({*range(0x20, 0x100)} - {*b'"\\'})
"""The bytes that stand for themselves in a JSON text."""


class TableChunk(Protocol):
    """Rows that follow each other."""

    def __len__(self) -> int: ...

    def behind(self, count: int) -> Self:
        """The rows behind the first `count`."""

    def values(self) -> Iterator[list[Any]]:
        """Each row's fields: texts, and None for what has no value."""

    def is_plain(self) -> bool:
        """Whether a JSON text can hold every field as it is: nothing is to be escaped."""

    def encode(self, value: Any) -> str:
        """A field as JSON."""


C = TypeVar("C", bound=TableChunk)


@dataclass(frozen=True)
class Table(Generic[C]):
    """`header`: the columns' names as they stand at `place`; `chunks`: the rows behind it, as they are read.

    `skipped`: lines that are no rows, by why; complete when all chunks were read.
    """

    header: list[str]
    place: str
    chunks: Iterator[C]
    skipped: Counter[str]

    def check(self, contract: Contract) -> None:
        """Whether it has the columns that the contract needs; raises as `check_header`."""
        check_header(self.header, contract, self.place)

    def keyed_values(self, contract: Contract) -> Callable[[C], Iterator[Pair]]:
        """What makes of a chunk its records' keys and values; values are the fields' own texts."""
        names = column_names(self.header, contract)
        key = _key([names.index(field) for field in contract.record.published_key])
        as_they_are, escaped = _object(names, '"'), _object(names, "")

        def pairs(chunk: C) -> Iterator[Pair]:
            plain = chunk.is_plain()
            pieces = as_they_are if plain else escaped
            encode = chunk.encode
            for values in chunk.values():
                pieces[1::2] = values if plain else map(encode, values)
                yield key(values), "".join(pieces)

        return pairs


def is_plain(text: str, but: str = "") -> bool:
    """Whether a JSON text can hold the text as it is, whatever of `but` stands in it."""
    return not text.encode().translate(None, UNESCAPED + but.encode())


def _object(names: Sequence[str], quote: str) -> list[str]:
    """The pieces of a JSON object, with an empty one for each value; `quote`: what stands around a value.

    Put together they are, to the byte, `json.dumps` of the row as a dictionary, compact and not in ASCII.
    """
    pieces = ["{"]
    for name in names:
        pieces[-1] += f"{encode_basestring(name)}:{quote}"
        pieces += ["", f"{quote},"]
    return [*pieces[:-1], f"{quote}}}"]


def _key(columns: Sequence[int]) -> Callable[[Sequence[str | None]], str | None]:
    """What makes a row's key: the field's own text, a JSON array of several, none of none."""
    if not columns:
        return lambda _: None
    if len(columns) == 1:
        return itemgetter(*columns)
    return lambda values: f"[{','.join(_json(values[each]) for each in columns)}]"


def _json(value: str | None) -> str:
    return "null" if value is None else encode_basestring(value)
