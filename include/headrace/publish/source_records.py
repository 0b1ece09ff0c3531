"""A source's rows as the records that are published of them."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from headrace.contract.model import Contract
from headrace.kafka.headers import Header, publication_headers, row_header
from headrace.publish.csv_source import CsvRows


class Record(NamedTuple):
    """One record to publish; `row` is its number in the source."""

    row: int
    key: str | None
    value: str
    headers: list[Header]


def source_records(
    rows: CsvRows, contract: Contract, publication: str, sha256: str, first: int = 1
) -> Iterator[Record]:
    """The rows from `first` on as records; values are the source's own strings."""
    header = rows.header()
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    keys = [header.index(field) for field in contract.record.key]
    shared = publication_headers(publication, sha256)
    for row in islice(rows.rows(), first - 1, None):
        parts = [row.values[index] for index in keys]
        key = (parts[0] if len(parts) == 1 else encode(parts)) if parts else None
        headers = [*shared, row_header(row.number)]
        yield Record(row.number, key, encode(dict(zip(header, row.values, strict=True))), headers)
