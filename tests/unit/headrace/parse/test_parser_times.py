"""Where a record's time stands: fields, several fields, the record itself; and how it makes an identity."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from headrace.contract.model import Contract
from headrace.parse.parser import RECORDS, Parser
from headrace.parse.reasons import Reason
from testbed.arrow_records import WRITTEN, batch, parsed
from testbed.parse_cases import TOPIC_ID, Sent, contract


def _contract(event_time: dict[str, Any], **record: Any) -> Contract:
    signals = [{"name": "v", "fields": ["v"]}]
    return contract(record={"event_time": event_time, "signals": signals} | record)


def _times(rows: Sequence[dict[str, Any]]) -> list[str | None]:
    at = [row["signal_ts"] for row in rows]
    start = datetime(1970, 1, 1, tzinfo=UTC)
    return [None if each is None else str(start + timedelta(microseconds=each)) for each in at]


SAME_INSTANT = [
    Sent(b'{"ts": "2024-05-30T22:00:00Z", "v": 1}'),
    Sent(b'{"ts": "2024-05-31T00:00:00+02:00", "v": 1}'),
    Sent(b'{"ts": "2024-05-30T22:00:00.000Z", "v": 1}'),
]
"""Case 12: one instant in three spellings."""

OFFSETS = "yyyy-MM-dd'T'HH:mm:ss[.SSS]XXX"


@pytest.mark.parametrize("formats", ["iso", OFFSETS, ["yyyy", OFFSETS]])
def test_one_instant_in_three_spellings_is_one_identity(formats: str | list[str]) -> None:
    of = _contract({"field": "ts", "format": formats}, identity=["ts"])
    rows = parsed(SAME_INSTANT, of)
    assert {row["provenance"]["identity"] for row in rows} == {'["2024-05-30T22:00:00Z"]'}
    assert {tuple(row["signals"].items()) for row in rows} == {(("v", "1"),)}


def test_a_table_of_before_keeps_the_sources_texts() -> None:
    of = _contract({"field": "ts", "format": OFFSETS}, identity=["ts"])
    found = Parser(of, TOPIC_ID, by_instant=False).parse(batch(SAME_INSTANT))
    assert found["provenance"].field("identity").to_pylist()[1] == '["2024-05-31T00:00:00+02:00"]'


def test_a_local_time_of_one_pattern_is_its_text() -> None:
    of = _contract({"field": "ts", "format": "d.M.yyyy HH:mm", "timezone": "Europe/Berlin"}, identity=["ts"])
    [row] = parsed([Sent(b'{"ts": "1.2.2024 00:00"}')], of)
    assert row["provenance"]["identity"] == '["1.2.2024 00:00"]'


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (["id", "ts"], '["2024-11-13T14:38:32.229Z","a"]'),
        (["ts", "id"], '["2024-11-13T14:38:32.229Z","a"]'),
        (["id"], '["a"]'),
    ],
)
def test_the_instant_stands_in_an_identity_beside_other_fields(identity: list[str], expected: str) -> None:
    of = _contract({"field": "ts", "format": "epoch_ms"}, identity=identity)
    values = [b'{"ts": 1731508712229, "id": "a"}', b'{"ts": "1731508712229.0", "id": "a"}']
    rows = parsed([Sent(value) for value in values], of)
    assert [row["provenance"]["identity"] for row in rows] == [expected] * 2


def test_what_is_no_time_is_refused_and_keeps_its_text_as_identity() -> None:
    of = _contract({"field": "ts", "format": ["iso", "epoch_s"]}, identity=["ts"])
    [row] = parsed([Sent(b'{"ts": "soon"}')], of)
    assert row["message"] == f"{Reason.BAD_EVENT_TIME.text}; field ts, format iso or epoch_s: soon"
    assert row["provenance"]["identity"] == '["soon"]'


DAY_AND_TIME = {"field": ["date", "time"], "format": "yyyy/MM/dd HH:mm", "timezone": "Europe/Madrid"}


def test_date_and_time_may_stand_in_two_fields() -> None:
    """Case 03."""
    values = [
        b'{"date": "2022/07/01", "time": "00:00", "v": 0}',
        b'{"v": 23, "time": "23:00", "date": "2022/07/01"}',
        b'{"date": "2022/07/01", "v": 1}',
        b'{"date": "2022/07/01", "time": "", "v": 1}',
        b'{"date": "2022/07/32", "time": "00:00"}',
    ]
    rows = parsed([Sent(value) for value in values], _contract(DAY_AND_TIME, identity=["date", "time"]))
    assert _times(rows) == ["2022-06-30 22:00:00+00:00", "2022-07-01 21:00:00+00:00", None, None, None]
    assert [row["signals"] for row in rows[:2]] == [{"v": "0"}, {"v": "23"}]
    assert rows[0]["provenance"]["identity"] == '["2022/07/01","00:00"]'
    assert [row["reason"] for row in rows[2:]] == ["missing_field", "missing_field", "bad_event_time"]
    assert rows[2]["message"].endswith("; field time")
    assert rows[4]["message"].endswith("; field date and time, format yyyy/MM/dd HH:mm: 2022/07/32 00:00")


@pytest.mark.parametrize(
    ("hour", "expected"),
    [("24:00", "2022-07-01 22:00:00+00:00"), ("01:00", "2022-06-30 23:00:00+00:00"), ("24:30", None)],
)
def test_24_o_clock_is_the_next_days_midnight(hour: str, expected: str | None) -> None:
    """Case 03: the last hour of 1 July in Madrid ends where 2 July begins."""
    values = [f'{{"date": "2022/07/01", "time": "{hour}"}}', f'{{"date": "2022-07-01", "time": "{hour}"}}']
    ways = [{"format": "yyyy/MM/dd kk:mm"}, {"format": "iso"}]
    for value, way in zip(values, ways, strict=True):
        rows = parsed([Sent(value.encode())], _contract(DAY_AND_TIME | way))
        assert _times(rows) == [expected]


OF_KAFKA = {"from": "kafka_timestamp"}


def test_the_records_own_timestamp_may_be_its_time() -> None:
    values = [b'{"v": 1}', b'{"v": "many"}', b"no JSON"]
    rows = parsed([Sent(value) for value in values], _contract(OF_KAFKA))
    assert rows[0]["signal_ts"] == WRITTEN.timestamp() * 1_000_000
    assert [row["reason"] for row in rows] == [None, "not_a_number", "not_an_object"]
    assert rows[0]["provenance"]["identity"] == f'["{TOPIC_ID}","0","0"]'


@pytest.mark.parametrize("stamp", [None, datetime(1970, 1, 1, tzinfo=UTC), "-1"])
def test_a_record_without_a_timestamp_has_no_time(stamp: datetime | str | None) -> None:
    """An old producer's record has none; Spark hands it out as 1970, librdkafka as -1."""
    value = datetime(1970, 1, 1, tzinfo=UTC) - timedelta(milliseconds=1) if stamp == "-1" else stamp
    records = batch([Sent(b'{"v": 1}')])
    stamps = pa.array([value], RECORDS.field("timestamp").type)
    records = records.set_column(RECORDS.get_field_index("timestamp"), "timestamp", stamps)
    found = Parser(_contract(OF_KAFKA), TOPIC_ID).parse(records)
    assert found["message"].to_pylist() == [f"{Reason.BAD_EVENT_TIME.text}; the record's timestamp in Kafka"]
