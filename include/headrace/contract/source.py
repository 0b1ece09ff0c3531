"""Where a stream's records come from: a file, the rows of a query, or somebody else's producer."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from headrace.contract.field_types import Character, Encoding, FieldName, FieldNames
from headrace.contract.part import Part, sha256_of
from headrace.settings import PROJECT


class FileSource(Part):
    """A file whose rows become records."""

    path: Path = Field(
        description="a file; or a folder or pattern (`in/*.csv.gz`), whose files are published as they come; "
        "relative paths start at the checkout; inside HEADRACE_SOURCE_ROOTS"
    )
    settle: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=1))] = Field(
        timedelta(seconds=10),
        description="a folder's file that was written to since is left for the next run",
    )

    @property
    def file(self) -> Path:
        """Absolute path of the file."""
        return self.path if self.path.is_absolute() else PROJECT / self.path


class CsvSource(FileSource):
    """A CSV file; each of its rows becomes one record, whose values are the file's own texts.

    A file whose name ends in `.gz`, `.bz2` or `.zst` is decompressed. A row has at most 1,048,576 characters,
    a field 131,072, the header 10,000 columns. A column without a name is called `column_<number>`, and one
    whose name stands twice, though the contract does not need it, `<name>_2`.
    """

    kind: Literal["csv"]
    encoding: Encoding = Field("utf-8-sig", description="any that Python knows and that makes texts")
    delimiter: Character = ","
    quote: Character | None = Field('"', description="what a field may stand in; null: quotes mean nothing")
    escape: Character | None = Field(None, description="takes from the character behind it its meaning")
    preamble: Annotated[int, Field(ge=0, le=10_000)] = Field(0, description="lines before the header")
    names: FieldNames | None = Field(None, description="the columns' names, where the file has no header")
    units: Annotated[int, Field(ge=0, le=1_000)] = Field(
        0, description="rows behind the header that are none, such as a row of units"
    )
    comment: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="a line that begins so, where a row could begin, is none"
    )
    blank_lines: Literal["refuse", "skip"] = "refuse"
    trailing_delimiter: bool = Field(False, description="a delimiter stands behind each row's last field")
    trim: bool = Field(False, description="white space around names and values is no part of them")

    @model_validator(mode="after")
    def _unmistakable(self) -> Self:
        marks = [mark for mark in (self.delimiter, self.quote, self.escape) if mark]
        twice = next((mark for mark in marks if marks.count(mark) > 1), None)
        if twice:
            raise ValueError(f"{twice!r} is more than one of delimiter, quote and escape")
        if self.trim and self.delimiter == " ":
            raise ValueError("the delimiter is a blank, so blanks cannot be trimmed; leave one of them out")
        if self.names and len({*self.names}) < len(self.names):
            raise ValueError("names: a name stands twice")
        if self.comment and ("\n" in self.comment or "\r" in self.comment):
            raise ValueError("comment: must be the beginning of a line")
        return self


class JsonlSource(FileSource):
    """A file of JSON objects, one a line (JSON Lines, NDJSON); each line becomes one record, as it stands.

    A file whose name ends in `.gz`, `.bz2` or `.zst` is decompressed. A line has at most 1,048,576
    characters.
    """

    kind: Literal["jsonl"]
    encoding: Encoding = Field("utf-8-sig", description="any that Python knows and that makes texts")
    blank_lines: Literal["refuse", "skip"] = "refuse"


class ParquetSource(FileSource):
    """A Parquet file; each of its rows becomes one record, each value the text that stands for it alone.

    Numbers are their shortest text, instants ISO 8601 (`2024-05-01T10:00:00.000000`, with a `Z` if the column
    has a zone). Columns of lists, structs and bytes have no such texts and are refused unless `columns`
    leaves them out. A row has at most 1,048,576 characters.
    """

    kind: Literal["parquet"]
    columns: FieldNames | None = Field(None, description="those that are read; all if none are named")


OwnSource = CsvSource | JsonlSource | ParquetSource
"""A source that `publish` publishes."""


class SqlSource(Part):
    """The rows of a query; each becomes one record, and a run publishes those behind the last one's cursor.

    The cursor is a column whose values differ and grow in the order in which rows become visible: a row that
    is committed behind one with a greater value is not seen. Values are the texts that a Parquet file's would
    be. Another query, connection or cursor begins anew.
    """

    kind: Literal["sql"]
    connection: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,200}$")] = Field(
        description="the Airflow connection of the database"
    )
    query: Annotated[str, Field(min_length=1)] = Field(description="a SELECT without ORDER BY")
    cursor: FieldName

    @property
    def rows(self) -> JsonlSource:
        """What is new of it, as it is kept in the spool."""
        digest = sha256_of([self.connection, self.query, self.cursor])[:12]
        return JsonlSource(kind="jsonl", path=Path(f"sql:{self.connection}:{digest}"))


class ExternalSource(Part):
    """Somebody else feeds the topic; the stream has no `publish`."""

    kind: Literal["external"]
