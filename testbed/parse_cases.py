"""What becomes of a record's bytes: the cases that every parser is held to, and their contract."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.contract.model import Contract
from headrace.parse.reasons import Reason

TOPIC_ID = "topic-1"


@dataclass(frozen=True)
class Sent:
    """One record of a topic's only partition."""

    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = field(default=())
    key: bytes | None = None


def contract(**changes: Any) -> Contract:
    """A small contract; `changes` replace whole parts of it."""
    definition: dict[str, Any] = {
        "stream": "small",
        "source": {"kind": "external"},
        "topic": {"name": "readings"},
        "record": {
            "identity": ["time"],
            "event_time": {
                "field": "time",
                "format": "dd MM yyyy HH:mm",
                "timezone": "Europe/Istanbul",
                "earliest": "2000-01-01",
            },
            "signals": [
                {"name": "Power (kW)", "fields": ["p", "Power (kW)"], "minimum": 0, "maximum": 100},
                {"name": "state", "fields": ["state"], "type": "string"},
            ],
        },
    }
    return Contract.model_validate(definition | changes)


def every_option() -> Contract:
    """A contract of the same fields that says all that can be said of values and times."""
    return contract(
        record={
            "identity": ["time"],
            "event_time": {
                "field": "time",
                "format": ["dd MM yyyy HH:mm", "iso", "epoch_s", "epoch_ms"],
                "timezone": "Europe/Istanbul",
            },
            "missing": ["NA", "-", -9999],
            "nan": "missing",
            "trim": True,
            "signals": [
                {
                    "name": "Power (kW)",
                    "fields": ["p", "Power (kW)"],
                    "decimal": ",",
                    "thousands": ".",
                    "minimum": 0,
                    "maximum": 100,
                },
                {
                    "name": "state",
                    "fields": ["state"],
                    "type": "string",
                    "pattern": "[a-z]*",
                    "missing": ["x"],
                },
                {"name": "n", "fields": ["Wind_Speed"], "type": "decimal(20, 14)", "one_of": [1, 2.5]},
                {"name": "o", "fields": ["o"], "type": "struct"},
                {"name": "note", "fields": ["note"], "type": "timestamp", "format": ["iso", "epoch_us"]},
            ],
        }
    )


TIME = '"time": "01 01 2018 00:10"'


def fields(text: str) -> bytes:
    """A record with a good time and these fields."""
    return f"{{{TIME}, {text}}}".encode()


def at(time: str) -> bytes:
    """A record with this time and nothing else."""
    return f'{{"time": "{time}"}}'.encode()


READ: dict[str, tuple[bytes, dict[str, str | None]]] = {
    "text": (fields('"p": "12.50"'), {"Power (kW)": "12.50"}),
    "number as written": (fields('"p": 1.50e1'), {"Power (kW)": "1.50e1"}),
    "negative zero": (fields('"p": -0'), {"Power (kW)": "-0"}),
    "long number": (fields('"other": 123456789012345678901234567890'), {"other": "1234567890" * 3}),
    "number beyond a double": (fields('"other": 1e400'), {"other": "1e400"}),
    "by its other name": (fields('"Power (kW)": 7'), {"Power (kW)": "7"}),
    "missing": (f"{{{TIME}}}".encode(), {}),
    "null": (fields('"p": null'), {"Power (kW)": None}),
    "empty text": (fields('"p": ""'), {"Power (kW)": ""}),
    "string signal": (fields('"state": "on"'), {"state": "on"}),
    "true": (fields('"state": true'), {"state": "true"}),
    "object": (
        fields('"o": {"b": [1.50, "2", {"c": null}], "a": "x"}'),
        {"o": '{"b":[1.50,"2",{"c":null}],"a":"x"}'},
    ),
    "escapes": (fields(r'"o": "\"\\ \u00e9 \ud83d\ude00 \n"'), {"o": '"\\ é 😀 \n'}),
    "escaped backslash before u": (fields(r'"o": "\\ud800"'), {"o": r"\ud800"}),
    "text that looks like json": (
        fields(r'"o": "{\"p\": 1}", "p": 2'),
        {"o": '{"p": 1}', "Power (kW)": "2"},
    ),
    "text that looks like a number's place": (
        fields(r'"a": ": 5", "b": "\": 6"'),
        {"a": ": 5", "b": '": 6'},
    ),
    "blanks around": (b" \r\n" + fields('"p": 3') + b"\t\n", {"Power (kW)": "3"}),
    "blank name": (fields('"": 1'), {"": "1"}),
    "field with NUL": (fields(r'"\u0000": "\u0000"'), {"\0": "\0"}),
    "deep but possible": (fields(f'"o": {"[" * 900}{"]" * 900}'), {"o": "[" * 900 + "]" * 900}),
    "10,000 fields": (
        fields(", ".join(f'"f{i}": {i}' for i in range(10_000))),
        {f"f{i}": str(i) for i in range(10_000)},
    ),
    "a million characters": (fields(f'"o": "{"x" * 1_000_000}"'), {"o": "x" * 1_000_000}),
    "our reader's mark in a text": (
        fields('"o": "\uffff1", "p": 1.0'),
        {"o": "\uffff1", "Power (kW)": "1.0"},
    ),
    "our reader's mark escaped": (
        fields(r'"o": ["\uFFfF1", 2, "\\uffff"]'),
        {"o": '["\uffff1",2,"\\\\uffff"]'},
    ),
    "our reader's mark as a name": (fields('"\uffff": 1'), {"\uffff": "1"}),
    "100,000 escapes": (fields('"o": "' + r"\n" * 100_000 + '"'), {"o": "\n" * 100_000}),
}
"""Records that become readings, with their signals."""

REFUSED: dict[str, tuple[bytes | None, Reason]] = {
    "tombstone": (None, Reason.EMPTY),
    "no bytes": (b"", Reason.EMPTY),
    "blank": (b"  ", Reason.NOT_AN_OBJECT),
    "latin-1": (fields('"o": "é"').decode().encode("latin-1"), Reason.NOT_UTF8),
    "overlong": (b'{"time": "\xc0\xaf"}', Reason.NOT_UTF8),
    "surrogate bytes": (b'{"time": "\xed\xa0\x80"}', Reason.NOT_UTF8),
    "utf-16": ('{"time": "x"}'.encode("utf-16"), Reason.NOT_UTF8),
    "lone high surrogate": (fields(r'"o": "\ud800x"'), Reason.NOT_UTF8),
    "lone low surrogate": (fields(r'"o": "\\\udc00"'), Reason.NOT_UTF8),
    "list": (b"[" + fields('"p": 1') + b"]", Reason.NOT_AN_OBJECT),
    "number": (b"1", Reason.NOT_AN_OBJECT),
    "null": (b"null", Reason.NOT_AN_OBJECT),
    "text": (b'"x"', Reason.NOT_AN_OBJECT),
    "cut off": (fields('"p": 1')[:-1], Reason.NOT_AN_OBJECT),
    "garbage behind": (fields('"p": 1') + b" x", Reason.NOT_AN_OBJECT),
    "NUL behind": (fields('"p": 1') + b"\0", Reason.NOT_AN_OBJECT),
    "a second object": (fields('"p": 1') + fields('"p": 2'), Reason.NOT_AN_OBJECT),
    "a second element": (fields('"p": 1') + b"," + fields('"p": 2'), Reason.NOT_AN_OBJECT),
    "a bracket behind": (fields('"p": 1') + b"]", Reason.NOT_AN_OBJECT),
    "brackets that would close ours": (fields('"p": 1') + b"],[{}", Reason.NOT_AN_OBJECT),
    "single quotes": (b"{'time': '01 01 2018 00:10'}", Reason.NOT_AN_OBJECT),
    "comment": (fields('/* */"p": 1'), Reason.NOT_AN_OBJECT),
    "leading zero": (fields('"p": 01'), Reason.NOT_AN_OBJECT),
    "bare point": (fields('"p": 1.'), Reason.NOT_AN_OBJECT),
    "plus": (fields('"p": +1'), Reason.NOT_AN_OBJECT),
    "byte-order mark": (b"\xef\xbb\xbf" + fields('"p": 1'), Reason.NOT_AN_OBJECT),
    "1,000 levels": (fields(f'"o": {"[" * 1000}{"]" * 1000}'), Reason.NOT_AN_OBJECT),
    "100,000 levels": (fields('"o": ' + '{"a":' * 100_000 + "1" + "}" * 100_000), Reason.NOT_AN_OBJECT),
    "twice": (fields('"p": 1, "p": 1'), Reason.REPEATED_FIELD),
    "under two names": (fields('"p": 1, "Power (kW)": 1'), Reason.REPEATED_FIELD),
    "no time": (b'{"p": 1}', Reason.MISSING_FIELD),
    "null time": (b'{"time": null}', Reason.MISSING_FIELD),
    "empty time": (at(""), Reason.MISSING_FIELD),
    "31 February": (at("31 02 2018 00:00"), Reason.BAD_EVENT_TIME),
    "short": (at("1 1 2018 0:00"), Reason.BAD_EVENT_TIME),
    "full-width digits": (at("０１ 01 2018 00:00"), Reason.BAD_EVENT_TIME),
    "just too late": (at("01 01 2262 00:00"), Reason.LATE_EVENT_TIME),
    "year 9999": (at("31 12 9999 23:59"), Reason.LATE_EVENT_TIME),
    "a year that Python has not": (at("01 01 +12018 00:00"), Reason.LATE_EVENT_TIME),
    "the last year of Spark": (at("01 01 +294247 00:00"), Reason.BAD_EVENT_TIME),
    "a year that Spark has not": (at("01 01 +294248 00:00"), Reason.BAD_EVENT_TIME),
    "the last year of Java": (at("31 12 +999999999 23:59"), Reason.BAD_EVENT_TIME),
    "a year before the year 0": (at("01 01 -0044 00:00"), Reason.EARLY_EVENT_TIME),
    "the first year of Java": (at("01 01 -999999999 00:00"), Reason.BAD_EVENT_TIME),
    "five-digit year": (at("01 01 12018 00:00"), Reason.BAD_EVENT_TIME),
    "text behind the time": (at("01 01 2018 00:00 "), Reason.BAD_EVENT_TIME),
    "a time that a clock change skips": (at("27 03 2016 03:30"), Reason.BAD_EVENT_TIME),
    "year 1": (at("01 01 0001 00:00"), Reason.EARLY_EVENT_TIME),
    "just too early": (at("31 12 1999 23:59"), Reason.EARLY_EVENT_TIME),
    "NaN": (fields('"p": NaN'), Reason.NOT_A_NUMBER),
    "Infinity": (fields('"p": -Infinity'), Reason.NOT_A_NUMBER),
    "NaN as text": (fields('"p": "NaN"'), Reason.NOT_A_NUMBER),
    "beyond a double": (fields('"p": 1e400'), Reason.NOT_A_NUMBER),
    "2,000 digits": (fields(f'"p": {"9" * 2000}'), Reason.NOT_A_NUMBER),
    "word": (fields('"p": "many"'), Reason.NOT_A_NUMBER),
    "Java's suffix": (fields('"p": "1d"'), Reason.NOT_A_NUMBER),
    "hexadecimal": (fields('"p": "0x1p3"'), Reason.NOT_A_NUMBER),
    "blank around": (fields('"p": " 1"'), Reason.NOT_A_NUMBER),
    "full-width number": (fields('"p": "１"'), Reason.NOT_A_NUMBER),
    "our reader's mark": (fields('"p": "\uffff1"'), Reason.NOT_A_NUMBER),
    "our reader's mark escaped": (fields(r'"p": "\uffff1"'), Reason.NOT_A_NUMBER),
    "true as number": (fields('"p": true'), Reason.NOT_A_NUMBER),
    "object as number": (fields('"p": {}'), Reason.NOT_A_NUMBER),
    "below": (fields('"p": -0.1'), Reason.OUT_OF_RANGE),
    "above": (fields('"p": 100.1'), Reason.OUT_OF_RANGE),
}
"""Records that are refused, with the reason."""

REAL = (
    '{"time":"01 01 2018 00:10","p":"45.376","Wind_Speed":"5.67216682434082","note":"süd"}',
    '{"time": "31 12 2018 23:50", "p": 98.5e-1, "o": {"a": [1, 2.50, null]}, "state": "a\\"\\\\b"}',
)
"""Records to be mutated."""
