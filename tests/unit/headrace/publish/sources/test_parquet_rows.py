"""A Parquet file in its own order, each value as the text that stands for it; what has none is refused."""

import io
import json
import math
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.contract.model import Contract
from headrace.contract.source import ParquetSource
from headrace.errors import SourceError
from headrace.kafka.headers import unproven_signer
from headrace.publish.source_records import source_records
from headrace.publish.sources import parquet_rows, text
from headrace.publish.sources.rows import SourceRows, check_source, count, source_rows
from testbed.parse_cases import contract


def keyed(*key: str) -> Contract:
    event_time = {"field": "time", "format": "yyyy"}
    signals = [{"name": "v", "fields": ["v"]}]
    return contract(record={"event_time": event_time, "signals": signals, "key": key})


def written(table: pa.Table, **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def rows_of(content: bytes | IO[bytes], **options: Any) -> SourceRows:
    source = ParquetSource(kind="parquet", path=Path("t.parquet"), **options)
    return source_rows(io.BytesIO(content) if isinstance(content, bytes) else content, source)


def records(content: bytes, *key: str, first: int = 1, **options: Any) -> list[tuple[str | None, Any]]:
    last = check_source(rows_of(content, **options), keyed(*key))
    sent = source_records(rows_of(content, **options), keyed(*key), unproven_signer("0" * 20), last, first)
    return [(key, json.loads(value)) for _, key, value, _ in sent]


NOON = datetime(2024, 3, 1, 12, 0, 0, 120, tzinfo=UTC)

TEXTS: list[tuple[pa.DataType, Any, str]] = [
    (pa.int64(), 2**63 - 1, "9223372036854775807"),
    (pa.uint64(), 2**64 - 1, "18446744073709551615"),
    (pa.int8(), -5, "-5"),
    (pa.float64(), 0.1, "0.1"),
    (pa.float64(), 1 / 3, "0.3333333333333333"),
    (pa.float32(), 0.1, "0.1"),
    (pa.float64(), math.nan, "NaN"),
    (pa.float64(), -math.inf, "-Infinity"),
    (pa.float32(), math.inf, "Infinity"),
    (pa.decimal128(12, 3), Decimal("1200.250"), "1200.250"),
    (pa.bool_(), True, "true"),
    (pa.string(), 'ä "quoted" \0\n😀', 'ä "quoted" \0\n😀'),
    (pa.large_string(), "", ""),
    (pa.dictionary(pa.int32(), pa.string()), "on", "on"),
    (pa.date32(), date(2024, 3, 1), "2024-03-01"),
    (pa.time64("us"), time(12, 0, 0, 120), "12:00:00.000120"),
    (pa.timestamp("us"), NOON.replace(tzinfo=None), "2024-03-01T12:00:00.000120"),
    (pa.timestamp("ms"), NOON.replace(tzinfo=None, microsecond=0), "2024-03-01T12:00:00.000"),
    (pa.timestamp("ns", "Europe/Berlin"), NOON, "2024-03-01T12:00:00.000120000Z"),
]


@pytest.mark.parametrize(("kind", "value", "said"), TEXTS)
def test_a_value_is_the_text_that_stands_for_it(kind: pa.DataType, value: Any, said: str) -> None:
    table = pa.table({"time": ["2024", "2025"], "v": pa.array([value, None], kind)})
    assert records(written(table), "v") == [
        (said, {"time": "2024", "v": said}),
        (None, {"time": "2025", "v": None}),
    ]
    assert records(written(table), "time", "v")[1][0] == '["2025",null]'


@given(values=st.lists(st.floats() | st.none(), max_size=20), narrow=st.booleans())
def test_a_number_is_read_as_the_same_number(values: list[float | None], narrow: bool) -> None:
    kind = pa.float32() if narrow else pa.float64()
    column = pa.array(values, pa.float64()).cast(kind)
    content = written(pa.table({"time": pa.array(["2024"] * len(values), pa.string()), "v": column}))
    texts = [value["v"] for _, value in records(content)]
    back = pa.array([None if each is None else float(each) for each in texts], pa.float64()).cast(kind)
    assert [str(each) for each in back.to_pylist()] == [str(each) for each in column.to_pylist()]


@pytest.mark.parametrize("size", [7, 1_000])
def test_rows_are_numbered_in_the_files_order(
    size: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(parquet_rows, "ROWS", 10)
    file = tmp_path / "t.parquet"
    with duckdb.connect() as sql:
        sql.sql(
            "SELECT (2000 + i)::VARCHAR AS time, i / 8 AS v, 'x' AS w FROM range(95) AS t(i)"
        ).write_parquet(str(file), row_group_size=size)
        expected = sql.read_parquet(str(file)).fetchall()
    found = records(file.read_bytes())
    assert [(value["time"], float(value["v"]), value["w"]) for _, value in found] == expected
    assert records(file.read_bytes(), first=34) == found[33:]
    assert count(rows_of(file.read_bytes())) == (95, 0)


def test_bytes_that_come_one_after_the_other_are_read_as_well() -> None:
    class Passing(io.RawIOBase):
        def __init__(self, content: bytes) -> None:
            self.rest = io.BytesIO(content)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            return self.rest.readinto(buffer)

    content = written(pa.table({"time": ["2024"] * 3, "v": [1, 2, 3]}))
    assert count(rows_of(io.BufferedReader(Passing(content)))) == (3, 0)


NESTED = pa.table({"time": ["2024"], "v": [1], "w": [[1, 2]]})
TWICE = pa.Table.from_arrays([pa.array(["2024"]), pa.array([1]), pa.array([2])], ["time", "v", "v"])
LONG = pa.table({"time": ["2024"] * 3, "v": [1, 2, 3], "w": ["", "x" * (text.LONGEST + 1), ""]})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"AKIA0SECRET", r"t\.parquet: is no Parquet file, or a broken one; put a sound one in its place"),
        (b"", "is no Parquet file, or a broken one"),
        (written(NESTED)[:-9], "is no Parquet file, or a broken one"),
        (written(NESTED), r"column 'w': is of type list<.*>, of which no value has a text of its own"),
        (written(NESTED.append_column("b", pa.array([b"x"]))), "column 'w': is of type"),
        (written(TWICE), "column 'v': stands there twice"),
        (written(LONG), r"row 2: is longer than the 1,048,576 characters that a row may have"),
        (written(pa.table({"a": [1]})), r"t\.parquet, schema: is no header: none of the contract's fields"),
        (written(pa.table({"time": ["2024"]})), r"schema, signal 'v': the column is missing"),
    ],
)
def test_what_cannot_be_read_for_certain_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message) as refused:
        check_source(rows_of(content), keyed())
    assert "SECRET" not in str(refused.value)


def test_text_that_is_no_utf8_is_refused() -> None:
    wrong = pa.array([b"a", b"\xff"]).view(pa.string())
    with pytest.raises(SourceError, match="a broken one"):
        check_source(rows_of(written(pa.table({"time": wrong, "v": [1, 2]}))), keyed())


def test_columns_that_are_left_out_are_not_read() -> None:
    assert records(written(NESTED), columns=["v", "time"]) == [(None, {"v": "1", "time": "2024"})]
    with pytest.raises(SourceError, match=r"column 'x': is not there; correct source\.columns"):
        check_source(rows_of(written(NESTED), columns=["time", "v", "x"]), keyed())


def test_row_groups_that_would_not_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_rows, "LARGEST_GROUP", 1_000)
    content = written(pa.table({"time": ["2024"] * 1_000, "v": range(1_000)}))
    with pytest.raises(SourceError, match=r"its row group 1 has .*; write it with smaller row groups"):
        count(rows_of(content))
