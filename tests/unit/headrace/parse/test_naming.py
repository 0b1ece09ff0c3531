"""Each value is found once, by the fields of its own signal; what cannot be told apart is refused by name."""

from typing import Any

import pytest

from headrace.parse.reasons import Reason
from testbed.arrow_records import parsed
from testbed.parse_cases import Sent, contract

TEMPERATURES = [
    {"name": "temp", "fields": ["temperature"], "minimum": -40, "maximum": 60},
    {"name": "temp_raw", "fields": ["temp"], "minimum": 0, "maximum": 4095},
]
"""A signal's name that is another signal's field."""


def _one(value: str, **record: Any) -> dict[str, Any]:
    event_time = {"field": "at", "format": "yyyy-MM-dd'T'HH:mm:ssXXX"}
    whole = {"identity": ["id"], "event_time": event_time, "signals": TEMPERATURES} | record
    text = f'{{"id": "a", "at": "2024-01-01T00:00:00Z", {value}}}'
    [row] = parsed([Sent(text.encode())], contract(record=whole))
    return row


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ('"temperature": 20, "temp": 2048', None),
        ('"temp": 2048', None),
        ('"temperature": 999, "temp": 50', "out_of_range; signal temp, maximum 60: 999"),
        ('"temperature": "broken", "temp": 50', "not_a_number; signal temp: broken"),
        ('"temperature": 20, "temp": 9999', "out_of_range; signal temp_raw, maximum 4095: 9999"),
    ],
)
def test_bounds_are_held_against_the_signals_own_field(value: str, message: str | None) -> None:
    row = _one(value)
    if message is None:
        assert row["reason"] is None
    else:
        reason, _, place = message.partition("; ")
        assert (row["reason"], row["message"]) == (reason, f"{Reason(reason).text}; {place}")


def test_each_field_stands_under_its_own_signal() -> None:
    assert _one('"temperature": 20, "temp": 2048')["signals"] == {"id": "a", "temp": "20", "temp_raw": "2048"}
    assert _one('"temp": 2048')["signals"] == {"id": "a", "temp_raw": "2048"}


def test_a_required_signal_is_missing_though_its_name_is_there_as_a_field() -> None:
    signals = [TEMPERATURES[0] | {"required": True}, TEMPERATURES[1]]
    row = _one('"temp": 50', signals=signals)
    assert (row["reason"], row["message"][-10:]) == ("missing_field", "field temp")


POWER = [{"name": "power", "fields": ["P_avg"], "maximum": 100}]
TEXT = {"name": "power class", "fields": ["power"], "type": "string"}


def test_a_field_that_is_called_like_a_signal_and_is_nobodys_is_that_signals() -> None:
    assert _one('"power": 5', signals=POWER)["signals"] == {"id": "a", "power": "5"}
    assert _one('"power": 500', signals=POWER)["reason"] == "out_of_range"


def test_two_fields_of_one_signal_are_refused_and_both_are_named() -> None:
    row = _one('"P_avg": 50, "power": "high"', signals=POWER)
    assert row["reason"] == "repeated_field"
    assert row["message"] == f"{Reason.REPEATED_FIELD.text}; fields P_avg and power"


def test_a_column_that_is_called_like_a_signal_can_be_a_signal_of_its_own() -> None:
    row = _one('"P_avg": 50, "power": "high"', signals=[*POWER, TEXT])
    assert row["signals"] == {"id": "a", "power": "50", "power class": "high"}


def test_a_repeated_field_is_named() -> None:
    row = _one(f'"x": 1, "{"n" * 100}": 1, "{"n" * 100}": 2')
    assert row["message"] == f"{Reason.REPEATED_FIELD.text}; field {'n' * 80}"


def test_a_signal_may_be_called_like_the_event_time() -> None:
    signals = [{"name": "at", "fields": ["altitude"], "maximum": 9000}]
    assert _one('"altitude": 5', signals=signals)["signals"] == {"id": "a", "at": "5"}
    assert _one('"altitude": 9999', signals=signals)["reason"] == "out_of_range"


def test_an_identity_is_found_by_any_of_its_signals_fields() -> None:
    signals = [{"name": "serial", "fields": ["sn", "serial_number"], "type": "string"}]
    for name in ("sn", "serial_number", "serial"):
        row = _one(f'"{name}": "7"', signals=signals, identity=["sn"])
        assert row["provenance"]["identity"] == '["7"]'


def test_a_name_that_means_something_to_polars_is_a_name() -> None:
    signals = [{"name": name, "fields": [name], "maximum": 5} for name in ("^.*$", "*", "^signal_ts$")]
    row = _one('"^.*$": 1, "*": 2, "^signal_ts$": 9, "signal_ts": 3', signals=signals)
    assert row["message"].endswith("; signal ^signal_ts$, maximum 5: 9")


def test_unknown_fields_are_asked_by_their_own_names() -> None:
    record = {
        "identity": ["id"],
        "event_time": {"field": "at", "format": "yyyy-MM-dd'T'HH:mm:ssXXX"},
        "signals": TEMPERATURES,
    }
    refusing = contract(record=record, landing={"unknown_fields": "quarantine"})
    values = [
        b'{"id": "a", "at": "2024-01-01T00:00:00Z", "temp": 1, "temp_raw": 2}',
        b'{"id": "a", "at": "2024-01-01T00:00:00Z", "temp": 1, "humidity": 2}',
    ]
    rows = parsed([Sent(value) for value in values], refusing)
    assert [row["reason"] for row in rows] == ["repeated_field", "unknown_field"]
    assert rows[0]["message"].endswith("; fields temp and temp_raw")
    assert rows[1]["message"].endswith("; field: humidity")
