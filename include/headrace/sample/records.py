"""A sample's records as they would come out of the topic; their offsets are the sample's rows, from 1."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pyarrow as pa

from headrace.contract.model import Contract
from headrace.contract.source import OwnSource
from headrace.errors import SourceError
from headrace.kafka.headers import PUBLICATION_DIGITS, Header, signer
from headrace.parse.parser import RECORDS
from headrace.publish.source_records import source_records
from headrace.publish.sources.rows import check_source, source_rows

ROWS = 10_000
"""Records that are parsed at a time."""

PUBLICATION = "0" * PUBLICATION_DIGITS
"""Whose rows a sample's are said to be."""

Sent = tuple[str | None, bytes, list[Header]]
"""Key, value and headers."""


def sample_records(contract: Contract, sample: Path) -> Iterator[pa.RecordBatch]:
    """Batches of `RECORDS`: of a CSV source what `publish` would send, of an external one a record a line.

    Raises:
        SourceError: the file cannot be read, or `publish` would refuse it.
    """
    source = contract.own_source
    if contract.record.registry:
        raise SourceError(
            f"{sample}: records of format {contract.record.format} are bytes by a registry's schema, and "
            "lines are not; land a few records of the topic instead"
        )
    sent = _lines(sample) if source is None else _rows(contract, source, sample)
    first = 1
    while some := list(islice(sent, ROWS)):
        yield _batch(some, first)
        first += len(some)


def _lines(sample: Path) -> Iterator[Sent]:
    try:
        with sample.open("rb") as lines:
            for line in lines:
                yield None, line.rstrip(b"\r\n"), []
    except OSError as failed:
        raise SourceError(f"{sample}: cannot be read: {failed.strerror}") from failed


def _rows(contract: Contract, source: OwnSource, sample: Path) -> Iterator[Sent]:
    rows = source_rows(sample, source.model_copy(update={"path": sample}))  # whose messages name the sample
    last = check_source(rows, contract)
    for _, key, value, headers in source_records(rows, contract, signer(PUBLICATION, b"of a sample"), last):
        yield key, value.encode(), headers


def _batch(sent: Sequence[Sent], first: int) -> pa.RecordBatch:
    keys, values, headers = zip(*sent, strict=True)
    columns: dict[str, Sequence[object]] = {
        "key": [key and key.encode() for key in keys],
        "value": values,
        "headers": headers,
        "partition": [0] * len(sent),
        "offset": range(first, first + len(sent)),
        "timestamp": [datetime.now(UTC)] * len(sent),
    }
    return pa.RecordBatch.from_pydict(columns, RECORDS)
