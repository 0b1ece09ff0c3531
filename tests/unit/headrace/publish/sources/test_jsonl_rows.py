"""A line of JSON Lines is a record as it stands; one that is no JSON object is refused with its place."""

import bz2
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from headrace.contract.model import Contract
from headrace.contract.source import JsonlSource
from headrace.errors import SourceError
from headrace.kafka.headers import unproven_signer
from headrace.publish.source_records import source_records
from headrace.publish.sources import text
from headrace.publish.sources.jsonl_rows import JsonlRows
from headrace.publish.sources.rows import check_source, count, source_rows
from testbed.parse_cases import contract


def rows_of(content: bytes, name: str = "t.jsonl", **options: Any) -> JsonlRows:
    rows = source_rows(io.BytesIO(content), JsonlSource(kind="jsonl", path=Path(name), **options))
    assert isinstance(rows, JsonlRows)
    return rows


def keyed(*key: str) -> Contract:
    event_time = {"field": "time", "format": "yyyy"}
    signals = [{"name": "v", "fields": ["v"]}]
    return contract(record={"event_time": event_time, "signals": signals, "key": key, "identity": ["time"]})


def records(content: bytes, *key: str, **options: Any) -> list[tuple[str | None, str]]:
    last = check_source(rows_of(content, **options), keyed(*key))
    sent = source_records(rows_of(content, **options), keyed(*key), unproven_signer("0" * 20), last)
    return [(key, value) for _, key, value, _ in sent]


LINES = [
    '{"time": "2024", "v": 1.50e400}',
    ' {"v":12345678901234567890123,"time":"20\\u00324"}\t',
    '{"time": "2024", "deep": {"a": [1, null, true]}}',
    '{"time": null}',
    "{}",
]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("block", [1, 9, text.BLOCK])
def test_a_line_is_a_record_as_it_stands(
    end: str, last: bool, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "BLOCK", block)
    content = (end.join(LINES) + (end if last else "")).encode()
    assert records(content) == [(None, line) for line in LINES]
    keys = [key for key, _ in records(content, "time")]
    assert keys == ["2024", "2024", "2024", None, None]
    both = [key for key, _ in records(content, "time", "v")]
    assert both[1:4] == ['["2024","12345678901234567890123"]', '["2024",null]', "[null,null]"]


@given(
    objects=st.lists(st.dictionaries(st.text(max_size=5), st.text() | st.floats() | st.none(), max_size=3)),
    block=st.sampled_from([1, 2, 50, text.BLOCK]),
    ascii_only=st.booleans(),
)
def test_what_python_writes_comes_back(objects: list[dict[str, Any]], block: int, ascii_only: bool) -> None:
    lines = [json.dumps(each, ensure_ascii=ascii_only) for each in objects]
    content = "".join(f"{line}\n" for line in lines).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "BLOCK", block)
        assert records(content) == [(None, line) for line in lines]


def test_blank_lines_are_refused_or_counted() -> None:
    content = b'{"time":"2024"}\n\n \n{"time":"2025"}\n\n'
    with pytest.raises(SourceError, match=r"t\.jsonl, line 2: the line is empty; remove it, or set source\."):
        count(rows_of(content))
    assert count(rows_of(content, blank_lines="skip")) == (2, 3)


REFUSED = {
    "a cut-off object": (b'{"v": 1', r"line 2, column 8: is no JSON object; correct the line"),
    "an array": (b"[1]", "line 2: is no JSON object"),
    "two objects": (b'{"v": 1}{"v": 2}', "line 2: is no JSON object"),
    "a carriage return between two": (b'{"v": 1}\r{"v": 2}', "line 2: is no JSON object"),
    "CSV": (b"AKIA0SECRET,1", "line 2, column 1: is no JSON object"),
    "half a character": (b'{"v": "\xc3"}', "line 2, byte 25: 0xc3 is no utf-8 text"),
    "half a surrogate pair": (b'{"v": "\\ud800"}', "line 2: is no JSON object"),
    "an endless line": (b'{"v": "' + b"x" * 3_000_000, "line 2: is longer than the 1,048,576 characters"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("behind", [b"", b'\n{"time": "2025"}\n'])
def test_a_line_that_is_no_object_is_named_and_not_told(name: str, behind: bytes) -> None:
    line, message = REFUSED[name]
    with pytest.raises(SourceError, match=rf"t\.jsonl, {message}") as refused:
        check_source(rows_of(b'{"time": "2024"}\n' + line + behind), keyed())
    assert "SECRET" not in str(refused.value)


COMPRESSED = {".gz": gzip.compress, ".bz2": bz2.compress, ".zst": zstandard.ZstdCompressor().compress}


@pytest.mark.parametrize("ending", COMPRESSED)
def test_a_compressed_file_is_read_and_a_broken_one_named(ending: str) -> None:
    content = b'{"time":"2024"}\n' * 20_000
    name, whole = f"t.jsonl{ending}", COMPRESSED[ending](content)
    assert count(rows_of(whole, name)) == (20_000, 0)
    assert count(rows_of(whole * 2, name)) == (40_000, 0)
    lent = io.BytesIO(whole)
    assert count(JsonlRows(lent, JsonlSource(kind="jsonl", path=Path(name)))) == (20_000, 0)
    assert not lent.closed
    for broken in (whole[:-9], whole[: len(whole) // 2], b"no such file", whole + b"more"):
        with pytest.raises(SourceError, match=rf"{name}: the \w+ file is broken or cut off: .*; put a whole"):
            count(rows_of(broken, name))


@pytest.mark.parametrize("ending", COMPRESSED)
def test_a_fault_of_the_bytes_below_is_not_taken_for_a_broken_file(ending: str) -> None:
    class Failing(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, _: Any) -> int:
            raise SourceError("of the bytes below")

    source = JsonlSource(kind="jsonl", path=Path(f"t.jsonl{ending}"))
    with pytest.raises(SourceError, match=r"^\[HR201\] of the bytes below$"):
        count(JsonlRows(io.BufferedReader(Failing()), source))
