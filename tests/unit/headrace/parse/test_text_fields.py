"""A record that is a line of text has one field, whatever stands in it."""

import pytest

from headrace.contract.loader import load_contract
from headrace.settings import PROJECT
from testbed.arrow_records import WRITTEN, parsed
from testbed.parse_cases import Sent, contract

QUICKSTART = load_contract(PROJECT / "include/streams/quickstart_events.yaml")


@pytest.mark.parametrize(
    "text", ["This is my first event", '{"text": 1}', " ", "\x00", "a\nb", "süß 😀", "null"]
)
def test_a_line_is_a_reading_of_the_time_at_which_kafka_got_it(text: str) -> None:
    [row] = parsed([Sent(text.encode())], QUICKSTART)
    assert (row["reason"], row["signals"]) == (None, {"text": text})
    assert row["signal_ts"] == WRITTEN.timestamp() * 1_000_000


def test_what_is_no_text_is_refused() -> None:
    values = [None, b"", b"\xff", "x".encode("utf-16"), b"\xed\xa0\x80"]
    rows = parsed([Sent(value) for value in values], QUICKSTART)
    assert [row["reason"] for row in rows] == ["empty", "empty", "not_utf8", "not_utf8", "not_utf8"]


def test_equal_lines_are_readings_of_their_own() -> None:
    rows = parsed([Sent(b"again"), Sent(b"again")], QUICKSTART)
    assert len({row["provenance"]["identity"] for row in rows}) == 2


def test_a_line_may_be_a_number_or_a_time() -> None:
    numbers = contract(
        record={
            "format": "text",
            "event_time": {"from": "kafka_timestamp"},
            "trim": True,
            "missing": ["-"],
            "signals": [{"name": "level", "fields": ["text"], "maximum": 5}],
        }
    )
    rows = parsed([Sent(value) for value in (b"4.5\r\n", b"-", b"6", b"x")], numbers)
    assert [row["reason"] for row in rows] == [None, None, "out_of_range", "not_a_number"]
    assert [row["signals"] for row in rows[:2]] == [{"level": "4.5"}, {"level": None}]


@pytest.mark.parametrize(
    "changed",
    [
        {"identity": ["id"]},
        {"entity": "device"},
        {"key": ["id"]},
        {"event_time": {"field": "at", "format": "iso"}},
        {"signals": [{"name": "v", "fields": ["v"]}]},
    ],
)
def test_a_line_has_no_other_field(changed: dict[str, object]) -> None:
    record = QUICKSTART.record.model_dump(mode="json") | changed
    with pytest.raises(ValueError, match="a record of format text has only text"):
        contract(record=record)


def test_a_sources_rows_are_no_lines_of_text() -> None:
    record = QUICKSTART.record.model_dump(mode="json")
    with pytest.raises(ValueError, match="a source's rows are published as JSON, not text"):
        contract(record=record, source={"kind": "csv", "path": "a.csv"})
