"""A source's rows as the records that are published of them."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from headrace.contract.model import Contract
from headrace.kafka.headers import Header, identity_header, row_header
from headrace.publish.csv_source import CsvRows
from headrace.publish.row_identity import RowIdentities


class Record(NamedTuple):
    """One record to publish; `row` is its number in the source."""

    row: int
    key: str | None
    value: str
    headers: list[Header]


def source_records(
    rows: CsvRows, contract: Contract, shared: list[Header], last: int, first: int = 1
) -> Iterator[Record]:
    """The rows from `first` to `last`, each with the `shared` headers; values are the source's own strings.

    Where the contract declares no identity the rows before `first` are read as well: an identity counts them.
    """
    header = rows.header()
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    keys = [header.index(field) for field in contract.record.key]
    identities = None if contract.record.identity else RowIdentities(str(rows.source.path), last)
    for row in islice(rows.rows(), 0 if identities else first - 1, last):
        value = encode(dict(zip(header, row.values, strict=True)))
        headers = [*shared, row_header(row.number)]
        if identities:
            headers.append(identity_header(identities.of_next(value)))
        if row.number >= first:
            parts = [row.values[index] for index in keys]
            key = (parts[0] if len(parts) == 1 else encode(parts)) if parts else None
            yield Record(row.number, key, value, headers)
