"""The records of a source's rows: key, value and header; begun in the middle they are the same."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.contract.source import CsvSource
from headrace.kafka.headers import unproven_signer
from headrace.publish.source_records import Record, source_records
from headrace.publish.sources import text
from headrace.publish.sources.csv_rows import CsvRows
from testbed.parse_cases import contract
from testbed.published import T1

PUBLICATION = "0123456789abcdef0123"


def records(
    file: Path, first: int = 1, last: int = 5, source: dict[str, str] | None = None, **record: Any
) -> list[Record]:
    event_time = {"field": "time", "format": "yyyy"}
    signals = [{"name": "v", "fields": ["v"]}]
    whole = contract(record={"event_time": event_time, "signals": signals} | record)
    rows = CsvRows(file, CsvSource(kind="csv", path=file, **source or {}))
    return list(source_records(rows, whole, unproven_signer(PUBLICATION), last, first))


def header(record: Record) -> bytes:
    ((name, value),) = record[3]
    assert name == "headrace"
    assert isinstance(value, bytes)
    return value


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "in.csv"
    file.write_text("time,v\n2001,1\n2002,ä\n2001,1\n2003,\n2001,1\n", encoding="utf-8")
    return file


def test_values_are_the_sources_own_texts(file: Path) -> None:
    sent = records(file, identity=["time"], key=["time"])
    assert sent[1][:3] == (2, "2002", '{"time":"2002","v":"ä"}')
    assert header(sent[1]) == b"1:0123456789abcdef0123:2"
    assert [value for _, _, value, _ in sent][3] == '{"time":"2003","v":""}'
    assert records(file, key=["time", "v"])[0][1] == '["2001","1"]'
    assert {key for _, key, _, _ in records(file)} == {None}


def test_a_row_says_what_makes_it_itself_where_the_contract_does_not(file: Path) -> None:
    headers = [header(each).split(b":") for each in records(file)]
    assert len({own for *_, own in headers}) == 5
    assert {len(own) for *_, own in headers} == {32}
    assert {header(each).count(b":") for each in records(file, identity=["time"])} == {2}


@pytest.mark.parametrize("identity", [None, ["time"]])
@pytest.mark.parametrize("first", [1, 2, 3, 5, 6])
@pytest.mark.parametrize("block", [1, 20, text.BLOCK])
def test_a_publication_that_is_resumed_goes_on_as_if_it_had_not_stopped(
    file: Path, first: int, identity: list[str] | None, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "BLOCK", block)
    assert records(file, first, identity=identity) == records(file, identity=identity)[first - 1 :]


@pytest.mark.parametrize("identity", [None, ["time"]])
@pytest.mark.parametrize("first", [4, 5, 6])
def test_new_rows_of_a_source_in_a_file_of_their_own_are_the_rows_that_they_were(
    file: Path, tmp_path: Path, first: int, identity: list[str] | None
) -> None:
    """Also the third of three that are equal: those before it stand in other files."""
    whole = records(file, identity=identity)
    header, *lines = file.read_text("utf-8").splitlines(keepends=True)
    parts = []
    for number, own in enumerate([lines[:2], lines[2:3], lines[3:]]):
        parts.append(tmp_path / f"{number}.csv")
        parts[-1].write_text("".join([header, *own]), "utf-8")
    source = CsvSource(kind="csv", path=file)
    event_time = {"field": "time", "format": "yyyy"}
    signals = [{"name": "v", "fields": ["v"]}]
    own_contract = contract(record={"event_time": event_time, "signals": signals, "identity": identity})
    *earlier, rows = (CsvRows(part, source) for part in parts)
    sent = source_records(
        rows, own_contract, unproven_signer(PUBLICATION), 5, first, begins=4, earlier=earlier
    )
    assert list(sent) == whole[first - 1 :]


def test_rows_behind_the_last_are_not_published(file: Path) -> None:
    assert [row for row, *_ in records(file, last=3)] == [1, 2, 3]


def by_python(content: str, key: list[str], delimiter: str = ",") -> list[tuple[int, str, str]]:
    """Rows, keys and values as they were made row by row, and as they stand in topics."""
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    reader = csv.DictReader(StringIO(content, newline=""), strict=True, delimiter=delimiter)
    found = []
    for number, row in enumerate(reader, start=1):
        parts = [row[name] for name in key]
        found.append((number, parts[0] if len(parts) == 1 else encode(parts), encode(row)))
    return found


def test_every_record_of_the_wind_turbine_file_is_what_python_writes() -> None:
    sent = records(T1, last=50_530, key=["Date/Time"], identity=["Date/Time"])
    assert [each[:3] for each in sent] == by_python(T1.read_text("utf-8-sig"), ["Date/Time"])


SPECIAL = st.text(st.sampled_from('"\\/\b\f\n\r\t\x01\x1f\x7f\x80\u2028%s{}😀,'), max_size=6)
CELL = SPECIAL | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(
    table=st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=5),
    keys=st.integers(1, 2),
    way=st.tuples(st.sampled_from(",\t%\\"), st.booleans()),
    block=st.sampled_from([1, 40, text.BLOCK]),
)
def test_whatever_the_fields_hold_a_record_is_what_python_writes(
    tmp_path_factory: pytest.TempPathFactory,
    table: list[list[str]],
    keys: int,
    way: tuple[str, bool],
    block: int,
) -> None:
    delimiter, quoted = way
    names = [f"{number}{name}" for number, name in enumerate(table[0])]
    content = written([names, *table[1:]], delimiter, quoted)
    file = tmp_path_factory.mktemp("records") / "in.csv"
    file.write_text(content, "utf-8", newline="")
    key = next(csv.reader(StringIO(content, newline=""), delimiter=delimiter))[:keys]
    source = {"encoding": "utf-8", "delimiter": delimiter}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "BLOCK", block)
        sent = records(file, source=source, key=key, identity=["time"])
    assert [each[:3] for each in sent] == by_python(content, key, delimiter)


def written(table: list[list[str]], delimiter: str, quoted: bool) -> str:
    """The table as a CSV; without quotes it lacks what they are needed for."""
    if quoted:
        writing = StringIO()
        csv.writer(writing, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(table)
        return writing.getvalue()
    without = str.maketrans(dict.fromkeys(f'"\r\n{delimiter}'))
    return "".join(f"{delimiter.join(cell.translate(without) for cell in row)}\n" for row in table)
