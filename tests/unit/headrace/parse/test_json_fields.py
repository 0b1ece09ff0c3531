"""The texts of a JSON object's fields, exactly as they were written."""

import json
import sys
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.parse.json_fields import DEEPEST, ESCAPES, LONGEST_NAME, fields_of
from testbed.fuzzed import Pairs, parsed

VALUES = {
    "1.50e1": "1.50e1",
    "-0": "-0",
    "1E+2": "1E+2",
    "NaN": "NaN",
    "true": "true",
    "null": None,
    '""': "",
    r'"\/"': "/",
    "{}": "{}",
    "[]": "[]",
    "[ ]": "[]",
    '{ "b" : [1.50, "2", {"c": null}], "a":"x"}': '{"b":[1.50,"2",{"c":null}],"a":"x"}',
    '{"b": 1, "b": 2}': '{"b":1,"b":2}',
    "[true, false, null, NaN, -Infinity, -0, 1e400]": "[true,false,null,NaN,-Infinity,-0,1e400]",
    '["1", 1]': '["1",1]',
    r'["\/\u00e9\u2028"]': '["/é\u2028"]',
    r'["\u0000\u001f\"\\\b\t\n\f\r\u007f"]': r'["\u0000\u001F\"\\\b\t\n\f\r' + '\x7f"]',
    '{"😀": ["é😀"]}': r'{"\uD83D\uDE00":["é\uD83D\uDE00"]}',
    "[[],{},[{}]]": "[[],{},[{}]]",
}
"""JSON values with the texts that Spark 4.2 made of them on 2026-11-25, its own marks of numbers removed."""


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_its_text(value: str) -> None:
    assert fields_of(f'{{"a": {value}}}'.encode()) == (("a",), [VALUES[value]])


def test_fields_keep_their_order_and_stand_as_often_as_they_do() -> None:
    assert fields_of(b' {"b": 1, "a": 2, "b": "3"}\r\n') == (("b", "a", "b"), ["1", "2", "3"])
    assert fields_of(b"{}") == ((), [])


@pytest.mark.parametrize(
    "text", ['{"a": +INF}', '{"a": -INF}', '{"a": +1}', '{"a": 1}\f', "\ufeff{}", '{"a": 0x1}']
)
def test_what_only_some_readers_take_is_no_object(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expecting|behind"):
        fields_of(text.encode())


@pytest.mark.parametrize(
    "text", [r'{"a": "\ud800"', r'["\udc00"]', r"\ud800", r'{"\uD800": 1}', r'{"a": "\ud83d\ude00\ude00"}']
)
def test_half_a_pair_is_no_text_whatever_it_stands_in(text: str) -> None:
    with pytest.raises(UnicodeError):
        fields_of(text.encode())


def _deep(levels: int, kind: str = "[]") -> bytes:
    """An object of so many levels."""
    left, right = ("[", "]") if kind == "[]" else ('{"a":', "}")
    return ('{"o":' + left * (levels - 1) + "1" + right * (levels - 1) + "}").encode()


@pytest.mark.parametrize("kind", ["[]", "{}"])
def test_999_levels_are_read_and_1000_are_not(kind: str) -> None:
    assert len(fields_of(_deep(DEEPEST, kind))[1][0] or "") >= 2 * (DEEPEST - 1)
    with pytest.raises(ValueError, match="deep"):
        fields_of(_deep(DEEPEST + 1, kind))
    with pytest.raises(ValueError, match="deep"):
        fields_of(_deep(100_000, kind))


LIMIT = sys.getrecursionlimit()


def test_how_deep_the_caller_stands_does_not_matter() -> None:

    def deeper(levels: int) -> Any:
        return deeper(levels - 1) if levels else fields_of(_deep(DEEPEST))

    assert deeper(LIMIT // 2)[0] == ("o",)
    thread = threading.Thread(target=fields_of, args=[_deep(DEEPEST)])
    thread.start()
    thread.join()
    assert sys.getrecursionlimit() == LIMIT


@pytest.mark.parametrize("value", ['{{"{0}": 1}}', '{{"a": {{"{0}": 1}}}}', '{{"a": [{{"{0}": 1}}]}}'])
def test_a_name_of_over_50000_characters_is_refused_wherever_it_stands(value: str) -> None:
    fields_of(value.format("ü" * LONGEST_NAME).encode())
    with pytest.raises(ValueError, match="name"):
        fields_of(value.format("ü" * (LONGEST_NAME + 1)).encode())


_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8"))
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None, database=None)
@given(
    value=st.dictionaries(st.text(st.characters(codec="utf-8")), _values, max_size=5),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 1]),
)
def test_a_nested_value_means_what_was_written(
    value: dict[str, Any], ascii_only: bool, indent: int | None
) -> None:
    try:
        encoded = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    except UnicodeEncodeError:
        return  # half a pair in a nested name
    try:
        names, texts = fields_of(encoded)
    except UnicodeError:
        return
    expected = parsed(encoded.decode())
    assert names == tuple(name for name, _ in expected)
    for text, (_, meant) in zip(texts, expected, strict=True):
        if isinstance(meant, Pairs | list):
            assert parsed(text or "") == meant
            assert not set(text or "") & {"\n", "\r"}
        else:
            assert text == {None: None, True: "true", False: "false"}.get(meant, meant)


def test_escapes_are_those_that_json_demands() -> None:
    assert {json.loads(f'"{escape}"') for escape in ESCAPES.values()} == ESCAPES.keys()
