"""The rows of a file of JSON Lines: each line is a record as it stands, and must be one JSON object."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from json import JSONDecodeError
from json.encoder import encode_basestring
from pathlib import Path
from typing import IO, Self

from headrace.contract.model import Contract
from headrace.contract.source import JsonlSource
from headrace.errors import SourceError
from headrace.parse.json_fields import fields_of
from headrace.parse.record_formats import format_of
from headrace.publish.sources import text as reading
from headrace.publish.sources.table import Pair
from headrace.publish.sources.text import SourceText, too_long


@dataclass(frozen=True)
class Objects:
    """JSON objects that follow each other."""

    texts: list[str]

    def __len__(self) -> int:
        return len(self.texts)

    def behind(self, count: int) -> Self:
        """Those behind the first `count`."""
        return type(self)(self.texts[count:]) if count else self


@dataclass(frozen=True)
class Documents:
    """`chunks`: the objects, as they are read; `skipped`: blank lines, complete when all were read."""

    chunks: Iterator[Objects]
    skipped: Counter[str]

    def check(self, contract: Contract) -> None:
        """Nothing: each object has fields of its own, and landing says what one lacks."""

    def keyed_values(self, contract: Contract) -> Callable[[Objects], Iterator[Pair]]:
        """What makes of a chunk its records' keys and values: the objects' own texts."""
        names = contract.record.published_key
        if not names:
            return lambda objects: ((None, each) for each in objects.texts)
        read = format_of(contract)
        return lambda objects: ((_key(read.by_name(each.encode()), names), each) for each in objects.texts)


def _key(fields: dict[str, str | None], names: tuple[str, ...]) -> str | None:
    """The field's own text, a JSON array of several; none of a field that is null or not there."""
    values = [fields.get(name) for name in names]
    if len(values) == 1:
        return values[0]
    return f"[{','.join('null' if each is None else encode_basestring(each) for each in values)}]"


@dataclass(frozen=True)
class JsonlRows:
    """The rows of one file: what is read (a file, or its open bytes); `source` says how, and its name."""

    file: Path | IO[bytes]
    source: JsonlSource

    @property
    def folder(self) -> Path | None:
        """Where the file is."""
        return self.file.parent if isinstance(self.file, Path) else None

    def read(self) -> Documents:
        """The objects, as they are asked for.

        Raises:
            SourceError: the text cannot be read, or a line is no JSON object.
        """
        skipped: Counter[str] = Counter()
        return Documents(self._chunks(skipped), skipped)

    def _chunks(self, skipped: Counter[str]) -> Iterator[Objects]:
        source, before = self.source, 0
        for piece in SourceText(self.file, source.path, source.encoding, lone_returns=False).pieces():
            lines = piece.removesuffix("\n").split("\n")
            found = []
            for number, line in enumerate(lines, before + 1):
                text = line.removesuffix("\r")
                if source.blank_lines == "skip" and not text.strip():
                    skipped["blank"] += 1
                else:
                    self._require_object(number, text)
                    found.append(text)
            yield Objects(found)
            before += len(lines)

    def _require_object(self, number: int, text: str) -> None:
        if len(text) > reading.LONGEST:
            raise SourceError(too_long(self.source.path, number))
        place = f"{self.source.path}, line {number}"
        if not text.strip():
            raise SourceError(
                f"{place}: the line is empty; remove it, or set source.blank_lines: skip in the contract"
            )
        try:
            fields_of(text.encode())
        except ValueError as broken:
            where = f", column {broken.pos + 1}" if isinstance(broken, JSONDecodeError) else ""
            raise SourceError(f"{place}{where}: is no JSON object; correct the line or remove it") from None
