"""What a contract says of a CSV file: lines that are no rows, marks, encodings, names, and the limits."""

import csv
import encodings.aliases
import gzip
import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from headrace.contract.model import Contract
from headrace.contract.source import CsvSource
from headrace.errors import SourceError
from headrace.kafka.headers import unproven_signer
from headrace.publish.source_records import source_records
from headrace.publish.sources import text
from headrace.publish.sources.columns import column_names
from headrace.publish.sources.csv_rows import CsvRows
from headrace.publish.sources.rows import check_source, count
from testbed.parse_cases import contract

PUBLICATION = "0" * 20


def csv_of(content: bytes | str, name: str = "t.csv", **options: Any) -> CsvRows:
    raw = content.encode() if isinstance(content, str) else content
    return CsvRows(io.BytesIO(raw), CsvSource(kind="csv", path=Path(name), **options))


def table(rows: CsvRows) -> list[list[str]]:
    found = rows.read()
    return [found.header, *(values for chunk in found.chunks for values in chunk.values())]


def of(*signals: str, **more: Any) -> Contract:
    """A contract that asks for the time and these signals."""
    return contract(
        record={
            "event_time": {"field": "time", "format": "yyyy"},
            "signals": [{"name": name, "fields": [name]} for name in signals],
        },
        **more,
    )


def values(content: str, whole: Contract, **options: Any) -> list[str]:
    last = check_source(csv_of(content, **options), whole)
    return [
        value
        for _, _, value, _ in source_records(
            csv_of(content, **options), whole, unproven_signer(PUBLICATION), last
        )
    ]


LOGGER = """\
# made by a logger 4.1
# site: "field 7
time;U;I
;V;A
2024-05-01 10:00:00;4.10;0.0

2024-05-01 10:01:00;4.11;0.1
# power cut
2024-05-01 10:02:00;4.12;0.2
"""


@pytest.mark.parametrize(
    "options",
    [
        {"preamble": 2, "comment": "#"},
        {"comment": "#"},
        {"comment": "# ", "preamble": 1},
        {"preamble": 3, "comment": "#", "names": ["time", "U", "I"]},
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("block", [1, 7, text.BLOCK])
def test_lines_that_are_no_rows_are_left_out_and_counted(
    options: dict[str, Any], end: str, quoted: bool, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "BLOCK", block)
    content = LOGGER.replace(";4.1", ';"4.1').replace(";0.", '";0.') if quoted else LOGGER
    content = content.replace("\n", end)
    options = {"delimiter": ";", "units": 1, "blank_lines": "skip"} | options
    by_pandas = pd.read_csv(
        io.StringIO(LOGGER), sep=";", skiprows=[0, 1, 3], comment="#", dtype=str, keep_default_na=False
    )
    found = csv_of(content, **options)
    assert table(found) == [[*by_pandas.columns], *by_pandas.to_numpy().tolist()]
    lines = len(LOGGER.splitlines())
    assert count(csv_of(content, **options)) == (3, lines - (3 if "names" in options else 4))
    wrong = content + f"2024-05-01 10:03:00;1{end}"
    with pytest.raises(SourceError, match=rf"t\.csv, line {lines + 1}, field I: is missing"):
        table(csv_of(wrong, **options))


def test_what_is_left_out_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    options = {"delimiter": ";", "preamble": 2, "units": 1, "blank_lines": "skip", "comment": "#"}
    assert check_source(csv_of(LOGGER, **options), of("U", "I")) == 3
    assert "are lines: 2 before the header, 1 blank, 1 of comments, 1 of units" in caplog.text


def test_a_comment_is_one_only_where_a_row_could_begin() -> None:
    content = 'a,b\n1,"x\n# no comment\n\ny"\n#2,"3\n4,#5\n'
    assert table(csv_of(content, comment="#", blank_lines="skip")) == [
        ["a", "b"],
        ["1", "x\n# no comment\n\ny"],
        ["4", "#5"],
    ]


TEXT = st.text(st.sampled_from('ab;,"\r\n\\# \té'), max_size=40)


@given(
    rest=TEXT,
    block=st.sampled_from([1, 2, 3, 7, text.BLOCK]),
    marks=st.sampled_from([('"', None), (None, None), ('"', "\\"), (None, "\\"), ("'", None)]),
    between=st.tuples(st.sampled_from([None, "#", "a"]), st.booleans()),
    preamble=st.integers(0, 2),
)
def test_any_text_is_read_as_python_reads_the_lines_that_are_left(
    rest: str,
    block: int,
    marks: tuple[str | None, str | None],
    between: tuple[str | None, bool],
    preamble: int,
) -> None:
    (quote, escape), (comment, skips) = marks, between
    before = ['one "\n', "two,\\\n"][:preamble]
    content = "".join([*before, "x,y\n", rest])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "BLOCK", block)
        try:
            found = table(
                csv_of(
                    content,
                    encoding="utf-8",
                    quote=quote,
                    escape=escape,
                    comment=comment,
                    blank_lines="skip" if skips else "refuse",
                    preamble=preamble,
                )
            )
        except SourceError:
            found = []
    assert found == by_python(f"x,y\n{rest}", quote, escape, comment, skips)


def by_python(
    content: str, quote: str | None, escape: str | None, comment: str | None, skips: bool
) -> list[list[str]]:
    """The rows, read one at a time from the lines that are left; none if one cannot be read."""
    lines = list(io.StringIO(content, newline=""))
    rows: list[list[str]] = []
    while lines:
        first = lines[0].rstrip("\r\n")
        if (comment and first.startswith(comment)) or (skips and not first.strip() and "," not in first):
            del lines[0]
            continue
        reader = csv.reader(
            iter(lines),
            quotechar=quote,
            escapechar=escape,
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
            strict=True,
        )
        try:
            rows.append(next(reader))
        except csv.Error:
            return []
        del lines[: reader.line_num]
    return rows if all(len(row) == 2 for row in rows) else []


HEADER_TOO = "time;Ev;P;\n2023;1;400;\n2024;1;401;\n"
ROWS_ONLY = HEADER_TOO.replace("P;\n", "P\n")


@pytest.mark.parametrize("content", [HEADER_TOO, ROWS_ONLY, HEADER_TOO.replace("400", '"400"')])
def test_a_delimiter_behind_each_row_is_no_column(content: str) -> None:
    options = {"delimiter": ";", "trailing_delimiter": True}
    assert values(content, of("P"), **options) == [
        '{"time":"2023","Ev":"1","P":"400"}',
        '{"time":"2024","Ev":"1","P":"401"}',
    ]
    with pytest.raises(SourceError, match=r"line 4: something stands behind the last delimiter"):
        table(csv_of(content + "2025;1;402;x\n", **options))
    with pytest.raises(SourceError, match=r"line 4: the row has 3 fields, the header 3, and one more"):
        table(csv_of(content + "2025;1;402\n", **options))


def test_a_delimiter_behind_each_row_is_guessed_at_in_the_message() -> None:
    with pytest.raises(SourceError, match=r"line 2, field 4: .*set source\.trailing_delimiter: true in the"):
        table(csv_of(ROWS_ONLY, delimiter=";"))


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("time,v,,", "time v column_3 column_4"),
        ("time,v,note,note", "time v note note_2"),
        ("time,v,note,note,note_2,note", "time v note note_3 note_2 note_4"),
        ("time,v,column_4,,", "time v column_4 column_4_2 column_5"),
        ("time,v, ,note", "time v column_3 note"),
        (",time,v", "column_1 time v"),
    ],
)
def test_columns_that_nobody_asked_for_need_no_names(header: str, names: str) -> None:
    assert column_names(header.split(","), of("v")) == names.split()
    row = ",".join(str(number) for number in range(header.count(",") + 1))
    (value,) = values(f"{header}\n{row}\n", of("v"))
    assert [name.strip('"') for name in value.strip("{}").replace(",", ":").split(":")[::2]] == names.split()


def test_a_name_that_is_made_is_none_that_the_contract_knows() -> None:
    assert column_names(["time", "v", "v2", "v2"], of("v", "v2_2")) == ["time", "v", "v2", "v2_3"]
    with pytest.raises(SourceError, match=r"line 1, field 'v': the column stands twice"):
        check_source(csv_of("time,v,v\n"), of("v"))


def test_white_space_around_names_and_values_is_trimmed_where_the_contract_says_so() -> None:
    content = ' time , v\n2024 ,\t1\n 2025,"2 "\n2026, "3, 4" \n'.replace('4" ', '4"')
    assert table(csv_of(content, trim=True)) == [
        ["time", "v"],
        ["2024", "1"],
        ["2025", "2"],
        ["2026", "3, 4"],
    ]
    with pytest.raises(SourceError, match=r"is no header: .* set source\.trim: true in the contract"):
        check_source(csv_of(content), of("v"))


def test_nothing_is_told_of_a_file_that_is_no_csv_of_the_stream() -> None:
    secret = "AKIA0SECRET"
    for content in (f"{secret}\n", f"[default]\nkey = {secret}\n", f'"{secret}\n', f"a\0{secret}\n" * 9):
        with pytest.raises(SourceError) as refused:
            check_source(csv_of(content), of("v"))
        assert secret not in str(refused.value)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "delimiter is the quote": ({"delimiter": '"'}, "'\"' is more than one of delimiter, quote and escape"),
    "delimiter is a line's end": ({"delimiter": "\n"}, "not one character other than a line's end"),
    "two characters": ({"delimiter": "||"}, "not one character"),
    "no encoding": ({"encoding": "utf-9"}, "'utf-9' is no encoding of files that Python knows"),
    "no encoding of texts": ({"encoding": "base64"}, "'base64' is no encoding of files"),
    "an encoding of names": ({"encoding": "idna"}, "'idna' is no encoding of files"),
    "a blank is trimmed away": ({"delimiter": " ", "trim": True}, "the delimiter is a blank"),
    "a name twice": ({"names": ["a", "a"]}, "a name stands twice"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_options_that_cannot_be_meant_are_refused_by_the_contract(name: str) -> None:
    options, message = REFUSED[name]
    with pytest.raises(ValidationError, match=message):
        csv_of("", **options)


def known_encodings() -> Iterator[str]:
    for name in sorted({*encodings.aliases.aliases.values()}):
        try:
            CsvSource(kind="csv", path=Path("t.csv"), encoding=name)
        except ValidationError:
            continue
        yield name


@pytest.mark.parametrize("name", [*known_encodings()])
@pytest.mark.parametrize("block", [3, text.BLOCK])
def test_any_encoding_that_python_knows_is_read(
    name: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "BLOCK", block)
    written = "".join(each for each in "time,v\n1,aäжあ\n2,b\n" if each.encode(name, "ignore"))
    rows = table(csv_of(written.encode(name), encoding=name))
    assert rows == list(csv.reader(io.StringIO(written)))


def test_many_encodings_are_known() -> None:
    assert {"utf_8", "utf_16", "cp1254", "shift_jis", "gb18030", "cp037"} < {*known_encodings()}


def test_a_wrong_byte_is_named_with_its_line_in_wide_encodings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "BLOCK", 5)
    before = "time,v\n1,\u0a0a\n2,".encode("utf-16-le")  # whose bytes look like line feeds
    with pytest.raises(SourceError, match=rf"line 3, byte {len(before) + 1}: 0x00 is no utf-16-le text"):
        table(csv_of(before + b"\x00\xdc" + "\n".encode("utf-16-le"), encoding="utf-16-le"))


def test_a_line_that_never_ends_is_not_held() -> None:
    zipped = gzip.compress(b"time,v\n" + b"x" * 150_000_000, 1)
    assert len(zipped) < 1_000_000
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match=r"t\.csv\.gz, line 2: is longer than the 1,048,576 characters"):
            table(csv_of(zipped, "t.csv.gz"))
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "row", ['1,"' + ("x" * 1_000 + "\n") * 2_000, '1,"' + '","'.join(["x" * 100_000] * 12)]
)
def test_a_row_that_never_ends_is_named_with_its_first_line(row: str) -> None:
    with pytest.raises(SourceError, match=r"line 3: (is longer than the|no valid CSV: field larger than)"):
        table(csv_of(f'time,v\n1,"2"\n{row}'))


def test_a_header_has_so_many_columns_and_no_more() -> None:
    many = ["time", "v", *(f"c{number}" for number in range(9_998))]
    assert check_source(csv_of(",".join(many) + "\n"), of("v")) == 0
    with pytest.raises(SourceError, match=r"line 1: has 10,001 columns; a source may have 10,000"):
        check_source(csv_of(",".join([*many, "more"]) + "\n"), of("v"))
