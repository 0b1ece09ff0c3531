"""Rows are what Python's own reader makes of the file, whichever way they are read, wherever a block ends."""

import csv
import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.contract.source import CsvSource
from headrace.errors import SourceError
from headrace.publish.sources import csv_rows, text
from headrace.publish.sources.csv_rows import CsvRows, Lines, Rows
from headrace.publish.sources.rows import count
from headrace.publish.sources.text import SourceText
from headrace.settings import PROJECT

T1 = PROJECT / "include/data/wind_turbine/T1.csv"

BLOCKS = st.sampled_from([1, 2, 3, 7, 50, text.BLOCK])


def csv_of(content: bytes, name: str = "t.csv", **source: str) -> CsvRows:
    return CsvRows(
        io.BytesIO(content), CsvSource(kind="csv", path=Path(name), **{"encoding": "utf-8"} | source)
    )


def table(rows: CsvRows) -> list[list[str]]:
    found = rows.read()
    return [found.header, *(values for chunk in found.chunks for values in chunk.values())]


@pytest.fixture
def in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "BLOCK", 4)


def test_the_wind_turbine_file_is_read_by_lines() -> None:
    found = CsvRows(T1, CsvSource(kind="csv", path=T1)).read()
    assert (found.header[0], len(found.header)) == ("Date/Time", 5)
    (first, *_) = read = list(found.chunks)
    assert {type(chunk) for chunk in read} == {Lines}
    assert sum(map(len, read)) == 50_530
    assert next(first.values()) == [
        "01 01 2018 00:00",
        "380.047790527343",
        "5.31133604049682",
        "416.328907824861",
        "259.994903564453",
    ]


@pytest.mark.usefixtures("in_blocks")
def test_a_misfit_is_named_with_the_line_on_which_its_row_begins() -> None:
    before = b'a,b\r\n1,"two\r\nlines"\r\n3,4\r\n'
    with pytest.raises(SourceError, match=r"t\.csv, line 5, field b: is missing: the row has 1 fields"):
        table(csv_of(before + b"5\r\n"))
    with pytest.raises(SourceError, match=r"line 6: the line is empty"):
        table(csv_of(before + b"5,6\r\n\r\n"))
    with pytest.raises(SourceError, match=r"line 5, field 3: the row has 3 fields"):
        table(csv_of(before + b'"5",6,7\r\n'))


@pytest.mark.usefixtures("in_blocks")
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_quoted_field_is_read_over_blocks_and_lines_behind_it_are_lines_again(end: str) -> None:
    content = end.join(["a,b", '1,"x"', f'2,"long{end}longer{end}""longest"', "3,y", "4,z", ""])
    rows = csv_of(content.encode())
    assert table(rows)[1:] == [["1", "x"], ["2", f'long{end}longer{end}"longest'], ["3", "y"], ["4", "z"]]
    kinds = [type(chunk) for chunk in csv_of(content.encode()).read().chunks if len(chunk)]
    assert kinds == ([Rows] * len(kinds) if end == "\r" else [Rows, Rows, Lines, Lines])


@pytest.mark.usefixtures("in_blocks")
def test_a_nul_character_is_named_with_its_line() -> None:
    with pytest.raises(SourceError, match=r"line 5: holds a NUL character"):
        table(csv_of(b'a,b\n1,2\n3,"long\nlonger\nlong\0est"\n'))


def test_rows_of_a_reader_come_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "ROWS", 2)
    chunks = csv_of(b'a\n"1"\n2\n3\n4\n').read().chunks
    assert [len(chunk) for chunk in chunks if len(chunk)] == [1, 2, 1]


TEXT = st.text(st.sampled_from('ab;,"\r\n\0é😀 \u2028\x0b\x85'), max_size=30)


@given(rest=TEXT, block=BLOCKS, delimiter=st.sampled_from(",;\t |é"), width=st.integers(1, 2))
def test_any_text_is_read_as_python_reads_it(rest: str, block: int, delimiter: str, width: int) -> None:
    content = f"{delimiter.join('xy'[:width])}\n{rest}".encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "BLOCK", block)
        try:
            found = table(csv_of(content, delimiter=delimiter))
        except SourceError:
            found = []
    assert found == by_python(content, delimiter, width)


def by_python(content: bytes, delimiter: str, width: int) -> list[list[str]]:
    """The rows, or none if one is no valid CSV, holds a NUL character or has another width."""
    lines = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")
    try:
        rows = list(csv.reader(_without_nul(lines), delimiter=delimiter, strict=True))
    except (csv.Error, ValueError):
        return []
    return rows if all(len(row) == width for row in rows) else []


def _without_nul(lines: io.TextIOWrapper) -> Iterator[str]:
    for line in lines:
        if "\0" in line:
            raise ValueError(line)
        yield line


@given(
    lines=st.lists(st.sampled_from(["", "é", "ab,\U0001f600", "x"]), max_size=6),
    bad=st.sampled_from([b"\xff", b"\xc3", b"\xf0\x9f"]),
    block=BLOCKS,
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_bytes_that_are_no_text_are_named_with_their_place(
    lines: list[str], bad: bytes, block: int, mark: bytes
) -> None:
    before = mark + "\n".join(lines).encode()
    content = before + bad + b"\nrest\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "BLOCK", block)
        said = f"line {before.count(10) + 1}, byte {len(before) + 1}: 0x{bad[0]:02x} is no utf-8 text"
        with pytest.raises(SourceError, match=said):
            list(SourceText(io.BytesIO(content), Path("t.csv"), "utf-8-sig").pieces())


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


# Unless it quotes all, Python's own writer leaves a carriage return bare where lines end in a line feed.
DIALECTS: list[tuple[str, Literal[0, 1]]] = [
    ("\r\n", csv.QUOTE_MINIMAL),
    ("\r\n", csv.QUOTE_ALL),
    ("\n", csv.QUOTE_ALL),
]


@given(data=st.data(), dialect=st.sampled_from(DIALECTS), compressed=st.booleans(), block=BLOCKS)
def test_what_python_writes_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    dialect: tuple[str, Literal[0, 1]],
    compressed: bool,
    block: int,
) -> None:
    width = data.draw(st.integers(1, 4))
    written = data.draw(st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=6))
    writing = io.StringIO()
    ending, quoting = dialect
    csv.writer(writing, lineterminator=ending, quoting=quoting).writerows(written)
    content = writing.getvalue().encode()
    file = tmp_path_factory.mktemp("csv") / ("t.csv.gz" if compressed else "t.csv")
    file.write_bytes(gzip.compress(content, 1) if compressed else content)
    source = CsvSource(kind="csv", path=file, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "BLOCK", block)
        assert table(CsvRows(file, source)) == written
        assert count(CsvRows(file, source)) == (len(written) - 1, 0)
