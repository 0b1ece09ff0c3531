"""A CSV source by its contract: what cannot be read for certain is refused with its place.

A value that is no number is no fault of the source: landing puts such a record into quarantine.
"""

import stat
from pathlib import Path

from headrace.contract.model import Contract, CsvSource
from headrace.errors import SourceError, SourceMissing
from headrace.parse.naming import Naming, Place
from headrace.publish.csv_rows import CsvRows
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


def check_source(rows: CsvRows, contract: Contract) -> int:
    """Read the whole file once and count its data rows, so that nothing is published of a broken file.

    Raises:
        SourceError: the message names file, line and field.
    """
    header, chunks = rows.read()
    check_header(header, contract, f"{rows.source.path}, line 1")
    return sum(map(len, chunks))


def count_rows(file: Path, source: CsvSource) -> int:
    """How many data rows the spooled file holds; raises as `CsvRows.read`."""
    return count(CsvRows(file, source))


def count(rows: CsvRows) -> int:
    """How many data rows there are; raises as `CsvRows.read`."""
    _, chunks = rows.read()
    return sum(map(len, chunks))


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
    return list(dict.fromkeys([*record.event_time.field, *record.key, *(record.identity or ()), *entity]))
