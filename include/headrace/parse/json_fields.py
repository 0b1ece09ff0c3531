"""Bytes to the fields of one JSON object, each value as the very text that the source wrote.

The standard library's reader does it, because it alone hands out each number as its text and each field as
often as it stands there. Its hooks give four types that cannot be mistaken for each other: `str` is a text,
`Number` a number, `tuple` an object (of pairs), `list` an array.
"""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

DEEPEST = 999
"""Levels of objects and arrays, the record's own among them."""

LONGEST_NAME = 50_000
"""Characters."""

ESCAPES = {chr(code): f"\\u{code:04X}" for code in range(0x20)} | {
    '"': r"\"",
    "\\": r"\\",
    "\b": r"\b",
    "\t": r"\t",
    "\n": r"\n",
    "\f": r"\f",
    "\r": r"\r",
}
"""What a JSON text must escape, as Jackson, and so Spark, writes it: tables hold texts that Spark wrote."""

# A \u escape of half a surrogate pair: UTF-8 has no form of it.
HALF_PAIR = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)
_OTHER_ESCAPE = re.compile(r"\\[^u]")
_QUOTED_OTHERWISE = re.compile(r'["\\\x00-\x1f\U00010000-\U0010ffff]')
_BLANK = " \t\n\r"


class Number(str):
    """A number as its text; `NaN` and `Infinity` among them, for whoever asks for a number to refuse."""

    __slots__ = ()


_read = json.JSONDecoder(
    object_pairs_hook=tuple, parse_int=Number, parse_float=Number, parse_constant=Number
).raw_decode

Fields = tuple[tuple[str, ...], list[str | None]]


def fields_of(value: bytes) -> Fields:
    """Names and texts of the object's fields, in their order, repeated ones repeated.

    A text is unquoted, a number, `true` and `false` are as written, null is None, an object or array is its
    compact JSON.

    Raises:
        UnicodeError: it is no UTF-8, or escapes what UTF-8 cannot hold.
        ValueError: it is not one JSON object, or one too deep or with a name too long.
    """
    return fields_in(json_value(value), len(value))


def fields_in(pairs: Any, size: int) -> Fields:
    """The same of what was read from `size` bytes; ValueError where it is no object, or as `text_of`."""
    if type(pairs) is not tuple:
        raise ValueError("no object")
    if not pairs:
        return (), []
    names, values = zip(*pairs, strict=True)
    if size > LONGEST_NAME and max(map(len, names)) > LONGEST_NAME:
        raise ValueError("a name is too long")
    return names, [each if each is None or isinstance(each, str) else _nested(each) for each in values]


def json_value(value: bytes) -> Any:
    """The JSON value that the bytes are: None, a bool, or one of the four types; raises as `fields_of`."""
    text = value.decode()
    if "\\u" in text and _has_half_pair(text):
        raise UnicodeError("half of a surrogate pair")
    return _whole(text.strip(_BLANK))


def text_of(value: Any) -> str | None:
    """A value as a field's text; ValueError where it is too deep or has a name that is too long."""
    return value if value is None or isinstance(value, str) else _nested(value)


def _has_half_pair(text: str) -> bool:
    if "\\ud" not in text and "\\uD" not in text:
        return False  # an escaped name such as \u00b0 is common, and the search below costs 2 µs
    # Other escapes out of the way first: in \\ud800 the u is escaped by nothing.
    return HALF_PAIR.search(_OTHER_ESCAPE.sub("  ", text)) is not None


def _whole(text: str) -> Any:
    """The JSON value that the text is; ValueError where it is none, or something stands behind it."""
    try:
        value, end = _read(text)
    except RecursionError:
        value, end = _read_deep(text)
    if end != len(text):
        raise ValueError("something stands behind the value")
    return value


def _read_deep(text: str) -> tuple[Any, int]:
    """Read with room for every permitted level, however deep the caller stands himself.

    Python 3.11 counts the levels of the reader among its own calls, of which it permits 1,000.
    """
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 2 * DEEPEST)
    try:
        return _read(text)
    except RecursionError as deep:
        raise ValueError("nested too deep") from deep
    finally:
        sys.setrecursionlimit(limit)


def _nested(value: Any) -> str:
    """A value as compact JSON; a stack instead of calls, which a deep value would exhaust."""
    if isinstance(value, bool):
        return _scalar(value)
    written: list[str] = []
    levels = [_pieces(value)]
    while levels:
        piece = next(levels[-1], None)
        if piece is None:
            levels.pop()
        elif isinstance(piece, str):
            written.append(piece)
        elif len(levels) + 1 == DEEPEST:
            raise ValueError("nested too deep")
        else:
            levels.append(_pieces(piece))
    return "".join(written)


def _pieces(container: Any) -> Iterator[Any]:
    """What a container is written as; containers in it as they are."""
    between = ""
    if isinstance(container, tuple):
        yield "{"
        for name, member in container:
            if len(name) > LONGEST_NAME:
                raise ValueError("a name is too long")
            yield f"{between}{_quoted(name)}:"
            yield member if isinstance(member, tuple | list) else _scalar(member)
            between = ","
        yield "}"
    else:
        yield "["
        for member in container:
            yield between
            yield member if isinstance(member, tuple | list) else _scalar(member)
            between = ","
        yield "]"


def _scalar(value: str | bool | None) -> str:
    if isinstance(value, Number):
        return value
    if isinstance(value, str):
        return _quoted(value)
    return {None: "null", True: "true", False: "false"}[value]


def _quoted(text: str) -> str:
    return f'"{_QUOTED_OTHERWISE.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    """As Jackson wrote it in values that are landed: beyond 16 bits as two escaped halves."""
    character = found[0]
    if character in ESCAPES:
        return ESCAPES[character]
    high, low = divmod(ord(character) - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04X}\\u{0xDC00 + low:04X}"
