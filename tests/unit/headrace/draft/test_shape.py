"""Delimiter, lines before the header, header and row of units, by what the lines hold."""

import pytest

from headrace.draft.shape import Shape, find_shape, guess_delimiter
from headrace.errors import SourceError


def shape_of(text: str) -> Shape:
    return find_shape(text, guess_delimiter(text).value, "sample.csv")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_gives_every_line_the_same_number_of_fields(delimiter: str) -> None:
    rows = [["at", "Wind Speed (m/s)", "v"], *(["2024-01-01 00:00", f"{n}", "a b"] for n in range(9))]
    text = "\n".join(delimiter.join(row) for row in rows)
    guess = guess_delimiter(text)
    assert (guess.value, guess.sure) == (delimiter, True)


def test_decimal_commas_are_no_delimiter() -> None:
    text = "Zeit;P;Q\n" + "01.02.2024 00:00;1,5;2,5\n" * 20
    assert guess_delimiter(text).value == ";"


def test_of_two_that_part_all_lines_alike_it_asks() -> None:
    guess = guess_delimiter("a,b;c,d\n1,2;3,4\n5,6;7,8\n")
    assert not guess.sure
    assert {guess.value, *guess.others} == {",", ";"}


def test_a_column_alone_needs_no_delimiter() -> None:
    assert guess_delimiter("at\n2024-01-01\n2024-01-02\n").sure


@pytest.mark.parametrize(
    ("text", "preamble", "header", "names", "units"),
    [
        ("at,v\n2024-01-01,1\n", 0, True, ("at", "v"), ()),
        (
            "Station: Ems\nSerial;7\nat;U;I\n;V;A\n2024-01-01;1,5;2\n2024-01-02;1;2\n",
            2,
            True,
            ("at", "U", "I"),
            ("", "V", "A"),
        ),
        ("# logger\n\nat,v\n2024-01-01,1\n2024-01-02,1\n", 2, True, ("at", "v"), ()),
        ("2024-01-01,1\n2024-01-02,1\n", 0, False, ("column_1", "column_2"), ()),
        ('at,"a\nb"\n2024-01-01,1\n', 0, True, ("at", "a\nb"), ()),
    ],
)
def test_where_the_rows_begin(
    text: str, preamble: int, header: bool, names: tuple[str, ...], units: tuple[str, ...]
) -> None:
    shape = shape_of(text)
    assert (shape.preamble, shape.header, shape.names, shape.units) == (preamble, header, names, units)


@pytest.mark.parametrize("header", ["at;v", "at;v;"])
def test_a_delimiter_behind_every_row_is_no_column(header: str) -> None:
    shape = shape_of(f"{header}\n" + "2024-01-01;1;\n" * 5)
    assert (shape.names, shape.trailing) == (("at", "v"), True)


def test_a_text_without_rows_is_refused() -> None:
    with pytest.raises(SourceError, match=r"sample\.csv: no rows are found"):
        find_shape("\n\n", ",", "sample.csv")
