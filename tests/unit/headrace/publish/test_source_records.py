"""The records of a source's rows: key, value and headers; begun in the middle they are the same."""

from pathlib import Path
from typing import Any

import pytest

from headrace.contract.model import CsvSource
from headrace.publish.csv_source import CsvRows
from headrace.publish.source_records import Record, source_records
from testbed.parse_cases import contract

SHARED: list[Any] = [("headrace-publication", b"p")]


def records(file: Path, first: int = 1, last: int = 5, **record: Any) -> list[Record]:
    event_time = {"field": "time", "format": "yyyy"}
    signals = [{"name": "v", "fields": ["v"]}]
    whole = contract(record={"event_time": event_time, "signals": signals} | record)
    rows = CsvRows(file, CsvSource(kind="csv", path=file))
    return list(source_records(rows, whole, SHARED, last, first))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "in.csv"
    file.write_text("time,v\n2001,1\n2002,ä\n2001,1\n2003,\n2001,1\n", encoding="utf-8")
    return file


def test_values_are_the_sources_own_texts(file: Path) -> None:
    sent = records(file, identity=["time"], key=["time"])
    assert sent[1] == Record(2, "2002", '{"time":"2002","v":"ä"}', [*SHARED, ("headrace-row", b"2")])
    assert [each.value for each in sent][3] == '{"time":"2003","v":""}'
    assert records(file, key=["time", "v"])[0].key == '["2001","1"]'
    assert {each.key for each in records(file)} == {None}


def test_a_row_says_what_makes_it_itself_where_the_contract_does_not(file: Path) -> None:
    headers = [dict(each.headers) for each in records(file)]
    assert len({each["headrace-identity"] for each in headers}) == 5
    assert all("headrace-identity" not in dict(each.headers) for each in records(file, identity=["time"]))


@pytest.mark.parametrize("identity", [None, ["time"]])
@pytest.mark.parametrize("first", [1, 2, 3, 5, 6])
def test_a_publication_that_is_resumed_goes_on_as_if_it_had_not_stopped(
    file: Path, first: int, identity: list[str] | None
) -> None:
    assert records(file, first, identity=identity) == records(file, identity=identity)[first - 1 :]


def test_rows_behind_the_last_are_not_published(file: Path) -> None:
    assert [each.row for each in records(file, last=3)] == [1, 2, 3]
