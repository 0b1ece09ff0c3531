"""What the fuzz tests share: records with random faults, and Python's own strict reading of a record."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

PIECES = [
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"-",
    b"0",
    b"e",
    b"NaN",
    b"\\ud83d",
    "\uffff".encode(),
]


@st.composite
def mutated(draw: st.DrawFn, real: Sequence[str]) -> bytes:
    """A real record with a few of its bytes replaced, removed, doubled or moved."""
    value = bytearray(draw(st.sampled_from(real)).encode())
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(value)))
        length = draw(st.integers(0, 3))
        piece = draw(
            st.one_of(st.binary(max_size=3), st.sampled_from(PIECES), st.just(bytes(value[at : at + 20])))
        )
        value[at : at + length] = piece
    return bytes(value)


NO_NUMBERS = ["1d", "2f", "0x1p3", "0x1", "NaN", "inf", "Infinity", "1_0", "１", "\t3", " 1", "4 "]
"""What Java, Python or a person would take for a number, and JSON does not."""

ODD: list[object] = [
    *("", "1e400", "-0", "+1", ".5", "5.", "1e-400", "99999"),
    *(None, True, 0, -1.5, 1e300, [], {"a": [1, "1"]}),
    *("31 02 2018 00:00", "01 01 1999 00:00", "01 01 9999 00:00", "27 03 2016 03:30", "01 01 0000 00:00"),
    *("1 1 2018 0:0", "01 01 +12018 00:00", "01 01 +999999 00:00"),
    *("2018-01-01T00:10Z", "2018-01-01T24:00+03:00", "1514764800", 1514764800000, "1.5147648e9", "9" * 30),
    *("NA", "-", -9999, "-9999.0", "nan", "1.200,5", "0,5", "12.34", " 7 ", "1,5e1", "[1", "{}", "{"),
]


@st.composite
def altered(draw: st.DrawFn, real: Sequence[str]) -> bytes:
    """A real record, still JSON, in which one or two fields are changed, absent, repeated or new."""
    pairs = parsed(draw(st.sampled_from(real)))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(pairs) - 1))
        name, value = pairs[at]
        text = str(value)
        cut = draw(st.integers(0, len(text)))
        other = st.one_of(
            st.sampled_from(ODD),
            st.sampled_from(NO_NUMBERS),
            st.text(st.characters(codec="utf-8"), max_size=5),
            st.floats(allow_nan=True).map(repr),
            st.just(text[:cut] + draw(st.sampled_from("0123456789 -.e:")) + text[cut + 1 :]),
        )
        pairs[at : at + min(1, draw(st.integers(0, 3)))] = [
            (draw(st.sampled_from([name, name, "new", "power"])), draw(other))
        ]
    if draw(st.integers(0, 9)) == 0:
        del pairs[draw(st.integers(0, len(pairs) - 1))]
    encode = json.JSONEncoder(ensure_ascii=draw(st.booleans())).encode
    return ("{" + ",".join(f"{encode(name)}:{encode(value)}" for name, value in pairs) + "}").encode()


class Number(str):
    """A number as its text."""

    __slots__ = ()


class Pairs(list[tuple[str, Any]]):
    """The fields of an object in their order, repeated ones repeated."""


def strictly(value: bytes) -> Pairs | None:
    """Python's reading of one JSON object as pairs, numbers as their texts; None where it is none.

    A text that no UTF-8 can hold (half a surrogate pair, escaped) makes it none as well.
    """
    try:
        read = parsed(value.decode("utf-8"))
        json.dumps(read, ensure_ascii=False).encode()
    except (UnicodeError, ValueError):
        return None
    return read if isinstance(read, Pairs) else None


def parsed(text: str) -> Any:
    """Python's reading of any JSON, numbers as their texts."""
    return json.loads(
        text, object_pairs_hook=Pairs, parse_float=Number, parse_int=Number, parse_constant=Number
    )
