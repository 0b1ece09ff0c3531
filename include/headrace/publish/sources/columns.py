"""The names of a source's columns: what the contract asks of them, and names for those that have none.

A value that is no number is no fault of the source: landing puts such a record into quarantine.
"""

from collections import Counter
from collections.abc import Sequence

from headrace.contract.model import Contract
from headrace.errors import SourceError
from headrace.parse.naming import Naming, Place

MOST = 10_000
"""Columns that a source may have."""


def column_names(header: Sequence[str], contract: Contract) -> list[str]:
    """A name of its own for each column.

    One without a name is called after its number (`column_4`), one whose name was there before has a number
    put behind it (`note_2`); never as another column or as a field that the contract knows.
    """
    taken = {*header, *contract.record.fields, *(signal.name for signal in contract.record.signals)}
    seen: set[str] = set()
    times: Counter[str] = Counter()
    names = []
    for number, name in enumerate(header, start=1):
        stem = own = name if name.strip() else f"column_{number}"
        while own in seen or (own != name and own in taken):
            times[stem] += 1
            own = f"{stem}_{times[stem] + 1}"
        seen.add(own)
        names.append(own)
    return names


def check_header(header: Sequence[str], contract: Contract, place: str) -> None:
    """Whether every field that the contract needs is one column, and one only.

    Raises:
        SourceError: a column is missing, stands twice, or is unknown where unknown fields are refused.
    """
    if len(header) > MOST:
        raise SourceError(f"{place}: has {len(header):,} columns; a source may have {MOST:,}: split it")
    _check_is_header(header, contract, place)
    known = {*contract.record.fields, *(signal.name for signal in contract.record.signals)}
    for column, times in Counter(header).items():
        if times > 1 and column in known:
            raise SourceError(f"{place}, field {column!r}: the column stands twice in the header; keep one")
    names = column_names(header, contract)
    _check_signals({*names}, contract, place)
    _check_names(names, contract, place)
    for field in _needed(contract):
        if field not in header:
            raise SourceError(
                f"{place}, field {field!r}: the column is missing; the contract needs it (record.key, "
                "identity, entity or event_time)"
            )
    unknown = [column for column in names if column not in contract.record.fields]
    if unknown and contract.landing.unknown_fields == "quarantine":
        raise SourceError(
            f"{place}, field {unknown[0]!r}: the contract does not know this column and refuses unknown "
            "fields (landing.unknown_fields); remove the column, declare it, or set unknown_fields: keep"
        )


def _check_is_header(header: Sequence[str], contract: Contract, place: str) -> None:
    """Whether the contract's fields stand in it at all; if not, nothing of it is told: it may be any file."""
    if header[0].startswith("\ufeff"):
        raise SourceError(
            f"{place}: begins with a byte-order mark; set source.encoding: utf-8-sig in the contract, or "
            "utf-16, utf-32"
        )
    if contract.record.fields.isdisjoint(header):
        trimmed = not contract.record.fields.isdisjoint(map(str.strip, header))
        way = (
            "white space stands around its names: set source.trim: true in the contract"
            if trimmed
            else "add a header, or correct record and source (delimiter, preamble, names) in the contract"
        )
        raise SourceError(f"{place}: is no header: none of the contract's fields is in it; {way}")


def _check_signals(header: set[str], contract: Contract, place: str) -> None:
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


def _check_names(header: Sequence[str], contract: Contract, place: str) -> None:
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
    return list(
        dict.fromkeys([*record.event_time.field, *record.published_key, *(record.identity or ()), *entity])
    )
