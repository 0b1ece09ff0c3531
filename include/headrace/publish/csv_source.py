"""Reading a CSV source by its contract, strictly: what cannot be read for certain is refused with its place.

A value that is no number is no fault of the source: landing puts such a record into quarantine.
"""

import csv
import gzip
import io
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from headrace.contract.model import Contract, CsvSource
from headrace.errors import SourceError, SourceMissing
from headrace.parse.naming import Naming, Place
from headrace.settings import Settings


def find_source(settings: Settings, source: CsvSource) -> Path:
    """The source's file, with symbolic links resolved.

    Raises:
        SourceMissing: it is not there.
        SourceError: it is no plain file, or lies in HEADRACE_HOME or outside HEADRACE_SOURCE_ROOTS.
    """
    try:
        file = source.file.resolve(strict=True)
        kind = file.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as absent:
        raise SourceMissing(
            f"{source.path}: no such file; put it there, or correct source.path in the contract"
        ) from absent
    except (OSError, RuntimeError) as failed:
        raise SourceError(f"{source.path}: cannot be read: {failed}") from failed
    home, roots = settings.home_path.resolve(), settings.source_root_paths
    if file.is_relative_to(home):
        raise SourceError(
            f"{source.path}: leads to {file}, which is in HEADRACE_HOME ({home}), whose files, secrets among "
            "them, are never sources; move the file out of it, to a folder that HEADRACE_SOURCE_ROOTS names"
        )
    if not any(map(file.is_relative_to, roots)):
        raise SourceError(
            f"{source.path}: leads to {file}, outside the folders that sources may be read from "
            f"({', '.join(map(str, roots))}); move the file there, or add its folder to HEADRACE_SOURCE_ROOTS"
        )
    if not stat.S_ISREG(kind):
        raise SourceError(f"{source.path}: is no plain file; a source is one CSV file")
    return file


@dataclass(frozen=True)
class Row:
    """One data row: its number from 1, the line on which it begins, its fields as they stand in the file."""

    number: int
    line: int
    values: list[str]


@dataclass(frozen=True)
class CsvRows:
    """The rows of one CSV file: `file` is what is read (the spooled copy), `source` how, and its name."""

    file: Path
    source: CsvSource

    def header(self) -> list[str]:
        """The names in the first line; raises as `rows`."""
        _, names = next(self._records(), (1, []))
        if not names:
            raise SourceError(f"{self.source.path}, line 1: is empty; a source begins with its header")
        return names

    def rows(self) -> Iterator[Row]:
        """Every data row in order.

        Raises:
            SourceError: the text cannot be read as CSV, or a row has not as many fields as the header.
        """
        records = self._records()
        _, header = next(records, (1, []))
        width = len(header)
        for number, (line, values) in enumerate(records, start=1):
            if len(values) != width:
                raise SourceError(self._misfit(line, header, values))
            yield Row(number, line, values)

    def _misfit(self, line: int, header: list[str], values: list[str]) -> str:
        place = f"{self.source.path}, line {line}"
        if not values:
            return f"{place}: the line is empty; remove it"
        wanted = f"the row has {len(values)} fields, the header {len(header)}"
        if len(values) < len(header):
            return f"{place}, field {header[len(values)]}: is missing: {wanted}"
        return (
            f"{place}, field {len(header) + 1}: {wanted}; is a field with {self.source.delimiter!r} unquoted?"
        )

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Each record, the header among them, with the line on which it begins."""
        try:
            with (
                self._open() as raw,
                io.TextIOWrapper(raw, encoding=self.source.encoding, errors="strict", newline="") as text,
            ):
                reader = csv.reader(self._lines(text), delimiter=self.source.delimiter, strict=True)
                yield from self._placed(reader)
        except UnicodeDecodeError as broken:
            raise SourceError(self._undecodable()) from broken
        except (EOFError, gzip.BadGzipFile, zlib.error) as broken:
            raise SourceError(f"{self.source.path}: the gzip file is broken or cut off: {broken}") from broken
        except OSError as failed:
            raise SourceError(f"{self.source.path}: cannot be read: {failed.strerror}") from failed

    def _placed(self, reader: Any) -> Iterator[tuple[int, list[str]]]:
        line = 1
        try:
            for values in reader:
                yield line, values
                line = reader.line_num + 1
        except csv.Error as broken:
            reason = "a quote is never closed" if "unexpected end" in str(broken) else str(broken)
            raise SourceError(f"{self.source.path}, line {line}: no valid CSV: {reason}") from broken

    def _lines(self, text: io.TextIOWrapper) -> Iterator[str]:
        for number, line in enumerate(text, start=1):
            if "\0" in line:
                raise SourceError(
                    f"{self.source.path}, line {number}: holds a NUL character; is it a text file in "
                    f"{self.source.encoding}?"
                )
            yield line

    def _open(self) -> IO[bytes]:
        # gzip is known by the name: the spooled copy has none, and bytes could look like gzip by chance
        if self.source.path.suffix == ".gz":
            return cast(IO[bytes], gzip.open(self.file, "rb"))
        return self.file.open("rb")

    def _undecodable(self) -> str:
        """Where the bytes are wrong: the text layer decodes blocks and knows no lines."""
        encoding = self.source.encoding.removesuffix("-sig")
        before = 0
        with self._open() as raw:
            for number, line in enumerate(raw, start=1):
                try:
                    line.decode(encoding)
                except UnicodeDecodeError as broken:
                    byte = line[broken.start]
                    return (
                        f"{self.source.path}, line {number}, byte {before + broken.start + 1}: 0x{byte:02x} "
                        f"is no {encoding} text; correct source.encoding in the contract or the file"
                    )
                before += len(line)
        return f"{self.source.path}: ends within a character; was it cut off?"


def check_source(rows: CsvRows, contract: Contract) -> int:
    """Read the whole file once and count its data rows, so that nothing is published of a broken file.

    Raises:
        SourceError: the message names file, line and field.
    """
    check_header(rows.header(), contract, f"{rows.source.path}, line 1")
    return count(rows)


def count(rows: CsvRows) -> int:
    """How many data rows there are; raises as `CsvRows.rows`."""
    return sum(1 for _ in rows.rows())


def count_rows(file: Path, source: CsvSource) -> int:
    """How many data rows the spooled file holds; raises as `CsvRows.rows`."""
    return count(CsvRows(file, source))


def check_header(header: list[str], contract: Contract, place: str) -> None:
    """Whether every field that the contract needs is one column, and one only.

    Raises:
        SourceError: a column is missing, stands twice, or is unknown where unknown fields are refused.
    """
    for column in header:
        if header.count(column) > 1:
            raise SourceError(f"{place}, field {column!r}: the column stands twice in the header; keep one")
    if header[0].startswith("\ufeff"):
        raise SourceError(
            f"{place}: begins with a byte-order mark; set source.encoding: utf-8-sig in the contract"
        )
    if not contract.record.fields.intersection(header):
        raise SourceError(
            f"{place}: is no header: it begins with {header[0]!r}, and none of the contract's fields is in "
            "it; add a header, or correct record and source.delimiter in the contract"
        )
    _check_signals(header, contract, place)
    _check_names(header, contract, place)
    for field in _needed(contract):
        if field not in header:
            raise SourceError(
                f"{place}, field {field!r}: the column is missing; the contract needs it (record.key, "
                "identity, entity or event_time)"
            )
    unknown = [column for column in header if column not in contract.record.fields]
    if unknown and contract.landing.unknown_fields == "quarantine":
        raise SourceError(
            f"{place}, field {unknown[0]!r}: the contract does not know this column and refuses unknown "
            "fields (landing.unknown_fields); remove the column, declare it, or set unknown_fields: keep"
        )


def _check_signals(header: list[str], contract: Contract, place: str) -> None:
    for signal in contract.record.signals:
        columns = [field for field in signal.fields if field in header]
        if not columns:
            raise SourceError(
                f"{place}, signal {signal.name!r}: the column is missing: none of {list(signal.fields)} is "
                "in the header; add its name to the signal's fields in the contract"
            )
        if len(columns) > 1:
            raise SourceError(
                f"{place}, field {columns[1]!r}: is signal {signal.name!r}, as is column {columns[0]!r}; "
                "keep one"
            )


def _check_names(header: list[str], contract: Contract, place: str) -> None:
    """Refuse a column that no signal lists and that is called like one which has a column of its own."""
    naming = Naming(contract)
    columns: dict[Place, str] = {}
    for column in header:
        first = columns.setdefault(naming.place(column), column)
        if first != column:
            name = naming.place(column).name
            raise SourceError(
                f"{place}, field {name!r}: columns {first!r} and {column!r} would both be signal {name!r}; "
                f"let a signal of another name list {name!r} in its fields, or remove the column"
            )


def _needed(contract: Contract) -> list[str]:
    record = contract.record
    entity = [record.entity] if record.entity else []
    return list(dict.fromkeys([record.event_time.field, *record.key, *(record.identity or ()), *entity]))
