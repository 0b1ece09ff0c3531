"""A source's CSV files as Spark reads them, and the records that its executors make of their rows.

The rows' numbers, keys, values and headers are made by the core's own functions, so that a record is the same
byte by byte whoever publishes it. A file with its row's number is never split: `multiLine` sees to that.
"""

import codecs
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.types import StringType, StructField, StructType

from headrace.contract.model import Contract
from headrace.contract.publish import JAVA_CHARSETS
from headrace.contract.source import CsvSource
from headrace.crash_points import crash_point
from headrace.kafka.headers import signer, unproven_signer
from headrace.publish.publications import Publication
from headrace.publish.source_records import Record, source_records
from headrace.publish.sources.compression import KINDS
from headrace.publish.sources.csv_rows import Rows
from headrace.publish.sources.rows import SourceRows, source_rows
from headrace.publish.sources.table import Table

FILE = "file of the row"
"""The column that holds the name of a row's file, which is the publication's."""

RECORDS = "key STRING, value STRING, headers ARRAY<STRUCT<key: STRING, value: BINARY>>"

DIGESTS = "file STRING, rows BIGINT, digest STRING"

RECORDS_AT_ONCE = 5_000
"""Records of a batch that is handed back to Spark."""

_SCHEMA = pa.schema(
    {
        "key": pa.string(),
        "value": pa.string(),
        "headers": pa.list_(pa.struct({"key": pa.string(), "value": pa.binary()})),
    }
)


@dataclass(frozen=True)
class SparkRows:
    """The rows of one file, as Spark hands them over."""

    source: CsvSource
    header: list[str]
    chunks: Iterator[Rows]
    folder: Path | None = None

    def read(self) -> Table[Rows]:
        """The rows as a table of the core's."""
        return Table(self.header, str(self.source.path), self.chunks, Counter())


@dataclass(frozen=True)
class SourceFile:
    """One publication's file: how it is read, and what makes records of its rows."""

    publication: Publication
    contract: Contract
    key: bytes
    header: tuple[str, ...]

    @classmethod
    def of(cls, publication: Publication, contract: Contract, key: bytes, copy: Path) -> "SourceFile":
        """Of the publication's copy in the spool, whose header is read."""
        content = source_rows(copy, _source(publication, contract)).read()
        assert isinstance(content, Table)  # noqa: S101  # of a CSV source
        return cls(publication, contract, key, tuple(content.header))

    @property
    def source(self) -> CsvSource:
        """How it is read."""
        return _source(self.publication, self.contract)

    @property
    def name(self) -> str:
        """What it is called for Spark, which tells by the ending how it is compressed."""
        ending = Path(self.publication.source).suffix
        packed = ending if ending in KINDS else ""
        return f"{self.publication.publication}.csv{packed}"

    def records(self, rows: SourceRows) -> Iterator[Record]:
        """The records of all its rows; one row more than it has shows itself as one more record."""
        of = self.publication
        sign = signer(of.publication, self.key) if of.proven else unproven_signer(of.publication)
        return source_records(rows, self.contract, sign, last=of.rows + 1)

    def records_of(self, parts: Iterable[pa.RecordBatch]) -> Iterator[Record]:
        """The same of its rows as Spark hands them over."""
        return self.records(SparkRows(self.source, [*self.header], map(_rows, parts)))


def _source(publication: Publication, contract: Contract) -> CsvSource:
    assert contract.own_source  # noqa: S101  # what has none is not published
    source = publication.read_as(contract.own_source)
    assert isinstance(source, CsvSource)  # noqa: S101  # Spark publishes no other
    return source


def _rows(part: pa.RecordBatch) -> Rows:
    """Spark has a null for a field without a text, and an empty text for empty quotes: to us they are one."""
    columns = [pc.fill_null(column, "").to_pylist() for column in part.columns]
    return Rows([0] * len(part), [*map(list, zip(*columns, strict=True))])


def read_options(file: SourceFile) -> dict[str, str]:
    """Spark's options for files that are read as that one."""
    source = file.source
    return {
        "header": str(source.names is None).lower(),
        "sep": source.delimiter,
        "quote": source.quote or "",
        "escape": source.escape or source.quote or "",
        "encoding": JAVA_CHARSETS[codecs.lookup(source.encoding).name],
        "multiLine": "true",
        "mode": "FAILFAST",
    }


def schema(file: SourceFile) -> StructType:
    """Its columns, all texts: by their names, or by number where Spark would take two names for one."""
    names = [*file.header]
    if len({name.casefold() for name in (*names, FILE)}) <= len(names):
        names = [f"c{number}" for number in range(len(names))]
    return StructType([StructField(name, StringType()) for name in names])


class Records:
    """Makes the records to publish, on the executors."""

    def __init__(self, files: Iterable[SourceFile]) -> None:
        self._files = {file.name: file for file in files}

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The records of whole files, whose rows follow each other, in their order."""
        for name, parts in _by_file(batches):
            records = self._files[name].records_of(parts)
            while some := [*islice(records, RECORDS_AT_ONCE)]:
                crash_point("publish_by_spark.inside")
                yield _batch(some)


def _batch(records: list[Record]) -> pa.RecordBatch:
    _, keys, values, headers = zip(*records, strict=True)
    held = [[{"key": name, "value": value} for name, value in of_one] for of_one in headers]
    columns = zip((keys, values, held), _SCHEMA.types, strict=True)
    return pa.RecordBatch.from_arrays([pa.array(each, kind) for each, kind in columns], schema=_SCHEMA)


class Digests:
    """Makes of each file what tells whether Spark reads in it what the worker's reader does."""

    def __init__(self, files: Iterable[SourceFile]) -> None:
        self._files = {file.name: file for file in files}

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """A row a file."""
        for name, parts in _by_file(batches):
            rows, digest = digest_of(self._files[name].records_of(parts))
            yield pa.RecordBatch.from_pydict({"file": [name], "rows": [rows], "digest": [digest]})


def digest_of(records: Iterable[Record]) -> tuple[int, str]:
    """How many records there are, and a hash of all that they hold."""
    count, state = 0, blake2b(digest_size=16)
    for record in records:
        state.update(repr(record).encode())
        count += 1
    return count, state.hexdigest()


def _by_file(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[str, Iterator[pa.RecordBatch]]]:
    """Parts of batches by the file that their rows are of: one file's follow each other."""
    for name, parts in groupby(_parts(batches), key=itemgetter(0)):
        yield name, (part for _, part in parts)


def _parts(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
    for batch in batches:
        names = pc.run_end_encode(batch[FILE])
        at = 0
        columns = batch.drop_columns([FILE])
        for name, end in zip(names.values.to_pylist(), names.run_ends.to_pylist(), strict=True):
            yield name, columns.slice(at, end - at)
            at = end
