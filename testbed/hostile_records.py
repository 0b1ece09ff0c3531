"""Records that break pipelines, each with what must become of it: worked out by hand from docs/reference."""

from collections.abc import Sequence
from dataclasses import dataclass

from headrace.parse.reasons import Reason

SPEED = "rotor.speed `max` \"rpm\" 'it'"
"""A signal whose name holds what SQL, Spark and Python quote with."""

DEFINITION = {
    "stream": "hostile",
    "source": {"kind": "external"},
    "topic": {"name": "hostile", "config": {"max.message.bytes": 4_000_000}},
    "record": {
        "identity": ["id"],
        "entity": "mill",
        "event_time": {
            "field": "time",
            "format": "yyyy-MM-dd HH:mm",
            "timezone": "Europe/Istanbul",
            "every": "PT10M",
            "earliest": "1678-01-01",
            "latest": "2261-12-31",
        },
        "signals": [
            {"name": "power", "fields": ["power", "leistung"], "minimum": 0, "maximum": 100},
            {"name": SPEED, "fields": ["speed", SPEED]},
            {"name": "direction", "fields": ["direction"], "circular": True},
            {"name": "note", "fields": ["note"], "type": "string"},
        ],
    },
    "landing": {"quarantine_limit": "100%"},
    "analysis": {"indicator": {"name": "band", "signal": SPEED, "bands": {"Low": 10, "High": None}}},
    "report": {
        "curve": {"x": SPEED, "y": "power", "reference": "direction"},
        "rose": {"direction": "direction", "speed": SPEED},
    },
}

Signals = dict[str, str | None]


@dataclass(frozen=True)
class Case:
    """A record and what must become of it: the signals of its reading, or the reason why it is none."""

    value: bytes | None
    becomes: Signals | Reason
    key: bytes | None = b"k"
    headers: Sequence[tuple[str, bytes | None]] = ()


SCRIPT = "<script>alert(1)</script>"
HTML = f"</td></table>{SCRIPT}<img src=x onerror=alert(1)>"
CONTROL = "\0\b\x1b[31m\x7f\u0085\u200b\u2028\u202e\ufeff\uffff"

EARLY = "2017-12-31 23:50"
"""What has this time, or is earlier, is among the first rows that the page shows."""

_ids = iter(range(1_000))


def _reading(fields: str, signals: Signals, time: str = "2018-01-01 00:10", **more: object) -> Case:
    """A record whose fields are good or must not matter."""
    at = f"i{next(_ids)}"
    value = f'{{"id": "{at}", "mill": "m", "time": "{time}", {fields}}}'
    return Case(value.encode(), {"id": at, **signals}, **more)  # type: ignore[arg-type]


def _refused(fields: str, reason: Reason) -> Case:
    value = f'{{"id": "i{next(_ids)}", "mill": "m", "time": "2018-01-01 00:10", {fields}}}'
    return Case(value.encode(), reason)


def _at(time: str, reason: Reason) -> Case:
    return Case(f'{{"id": "i{next(_ids)}", "mill": "m", "time": {time}, "power": 1}}'.encode(), reason)


def _escaped(text: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in text)


CASES: dict[str, Case] = {
    # nothing, or no text
    "empty value": Case(b"", Reason.EMPTY),
    "tombstone": Case(None, Reason.EMPTY),
    "tombstone without a key": Case(None, Reason.EMPTY, key=None),
    "invalid UTF-8": Case(b'{"id": "\xff\xfe"}', Reason.NOT_UTF8),
    "random bytes": Case(bytes(range(128, 256)), Reason.NOT_UTF8),
    "lone surrogate, escaped": _refused(r'"note": "\ud83d"', Reason.NOT_UTF8),
    "lone surrogate, as bytes": Case(b'{"id": "\xed\xb0\x80"}', Reason.NOT_UTF8),
    # no object
    "list": Case(b'[{"id": "a"}]', Reason.NOT_AN_OBJECT),
    "NULs": Case(b"\0" * 10, Reason.NOT_AN_OBJECT),
    "HTML": Case(HTML.encode(), Reason.NOT_AN_OBJECT),
    "1,000 levels": _refused(f'"note": {"[" * 1000}{"]" * 1000}', Reason.NOT_AN_OBJECT),
    "bare control characters": _refused('"note": "\x01\t"', Reason.NOT_AN_OBJECT),
    "a field's name of 60 KB": _refused(f'"{"n" * 60_000}": 1', Reason.NOT_AN_OBJECT),
    "900 KB of one bracket": Case(b"[" * 900_000, Reason.NOT_AN_OBJECT),
    "full-width braces": Case("｛＂id＂：１｝".encode(), Reason.NOT_AN_OBJECT),
    # fields
    "repeated key": _refused('"note": "a", "note": "a"', Reason.REPEATED_FIELD),
    "under two of its names": _refused('"power": 1, "leistung": 1', Reason.REPEATED_FIELD),
    "no identity": Case(b'{"mill": "m", "time": "2018-01-01 00:00"}', Reason.MISSING_FIELD),
    "no time": Case(b'{"id": "a", "mill": "m"}', Reason.MISSING_FIELD),
    "no entity": Case(b'{"id": "a", "time": "2018-01-01 00:00"}', Reason.MISSING_FIELD),
    "an entity of null": Case(b'{"id": "a", "mill": null, "time": "2018-01-01 00:00"}', Reason.MISSING_FIELD),
    "no signal": Case(b'{"id": "none", "mill": "m", "time": "2018-01-01 00:20"}', {"id": "none"}),
    # times
    "31 February": _at('"2018-02-31 00:00"', Reason.BAD_EVENT_TIME),
    "29 February 1900": _at('"1900-02-29 00:00"', Reason.BAD_EVENT_TIME),
    "month 13": _at('"2018-13-01 00:00"', Reason.BAD_EVENT_TIME),
    "24:00": _at('"2018-01-01 24:00"', Reason.BAD_EVENT_TIME),
    "another date format": _at('"01.02.2018 00:00"', Reason.BAD_EVENT_TIME),
    "ISO 8601": _at('"2018-01-01T00:00:00Z"', Reason.BAD_EVENT_TIME),
    "a number for a time": _at("1514764800", Reason.BAD_EVENT_TIME),
    "an object for a time": _at('{"now": true}', Reason.BAD_EVENT_TIME),
    "full-width digits in a time": _at('"２０１８-01-01 00:00"', Reason.BAD_EVENT_TIME),
    "year 0": _at('"0000-01-01 00:00"', Reason.EARLY_EVENT_TIME),
    "year 1": _at('"0001-01-01 00:00"', Reason.EARLY_EVENT_TIME),
    "year 9999": _at('"9999-12-31 23:59"', Reason.LATE_EVENT_TIME),
    "year 12018": _at('"+12018-01-01 00:00"', Reason.LATE_EVENT_TIME),
    "the last minute": Case(
        b'{"id": "last", "mill": "m", "time": "2261-12-31 23:59", "power": 9}', {"id": "last", "power": "9"}
    ),
    "the first minute": Case(
        b'{"id": "first", "mill": "m", "time": "1678-01-01 00:00", "power": 9}', {"id": "first", "power": "9"}
    ),
    # numbers
    "NaN": _refused('"power": NaN', Reason.NOT_A_NUMBER),
    "Infinity": _refused('"power": Infinity', Reason.NOT_A_NUMBER),
    "-Infinity as text": _refused('"power": "-Infinity"', Reason.NOT_A_NUMBER),
    "1e400": _refused('"speed": 1e400', Reason.NOT_A_NUMBER),
    "full-width digits": _refused('"power": "１２"', Reason.NOT_A_NUMBER),
    "Arabic digits": _refused('"power": "١٢"', Reason.NOT_A_NUMBER),
    "a decimal comma": _refused('"power": "1,5"', Reason.NOT_A_NUMBER),
    "the mark of our own reader": _refused('"power": "\uffff1"', Reason.NOT_A_NUMBER),
    "the same escaped": _refused(r'"power": "\uFFff1"', Reason.NOT_A_NUMBER),
    "above its maximum": _refused('"power": 1e300', Reason.OUT_OF_RANGE),
    "numbers as texts": _reading('"power": "12.50"', {"power": "12.50"}),
    "texts as numbers": _reading('"note": 5.10', {"note": "5.10"}),
    "-0": _reading('"power": -0', {"power": "-0"}),
    "1e-400": _reading('"power": 1e-400', {"power": "1e-400"}),
    "1e400 where no number is asked for": _reading('"note": 1e400', {"note": "1e400"}),
    "1e308": _reading('"speed": 1e308, "direction": 1e308', {SPEED: "1e308", "direction": "1e308"}),
    "1e308 once more": _reading('"speed": 1.0e308', {SPEED: "1.0e308"}),
    "-1e308": _reading('"speed": -1e308, "direction": -7', {SPEED: "-1e308", "direction": "-7"}),
    # texts
    "900 KB of text": _reading(f'"note": "{"ü" * 450_000}"', {"note": "ü" * 450_000}, EARLY),
    "a field's name of 40 KB": _reading(f'"{"n" * 40_000}": 1', {"n" * 40_000: "1"}),
    "10,000 fields": _reading(
        ", ".join(f'"f{i}": {i}' for i in range(10_000)), {f"f{i}": str(i) for i in range(10_000)}, EARLY
    ),
    "dots, backticks and quotes": _reading(
        r'"a.b": 1, "`c`": 2, "\"d\"": 3, "e\u0027; DROP TABLE readings; --": 4, "$f[0]": 5, "": 6, "\\": 7',
        dict[str, str | None](
            {"a.b": "1", "`c`": "2", '"d"': "3", "e'; DROP TABLE readings; --": "4", "$f[0]": "5"}
            | {"": "6", "\\": "7"}
        ),
    ),
    "a signal with all of them": _reading('"speed": 3', {SPEED: "3"}),
    "the mark of our own reader in a text": _reading('"note": "\uffff1"', {"note": "\uffff1"}),
    "the same in a list": _reading('"note": ["\uffff1", 2]', {"note": '["\uffff1",2]'}),
    "HTML and control characters": Case(
        f'{{"id": "{_escaped(HTML + CONTROL)}", "mill": "{HTML}", "time": "{EARLY}", '
        f'"{HTML}": "{_escaped(CONTROL)}", "power": 1}}'.encode(),
        {"id": HTML + CONTROL, HTML: CONTROL, "power": "1"},
    ),
    "emoji that a cut at 32 would halve": Case(
        f'{{"id": "{"x" * 31}{"😀" * 9}", "mill": "{"😀" * 40}", "time": "2018-01-01 00:30"}}'.encode(),
        {"id": "x" * 31 + "😀" * 9},
    ),
    # keys and headers
    "no key": _reading('"power": 2', {"power": "2"}, key=None),
    "a key of bytes": _reading('"power": 3', {"power": "3"}, key=b"\xff\0\xfe"),
    "1 MB of headers": _reading('"power": 4', {"power": "4"}, headers=[("h", b"\xff" * 1_000)] * 1_000),
    "10,000 headers": _reading('"power": 5', {"power": "5"}, headers=[("", None)] * 10_000),
    "headers that pretend": _reading(
        '"power": 6',
        {"power": "6"},
        headers=[("headrace-publication", HTML.encode()), ("headrace-row", b"-9223372036854775809")],
    ),
    "1 MB of headers on a bad one": Case(b"{", Reason.NOT_AN_OBJECT, headers=[("h", b"x" * 1_000_000)]),
}
"""Each case by its name; its place here is its offset in the topic."""
