"""What becomes of a record's bytes: a table of cases, one Spark job for all of them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pyspark.sql import SparkSession

from headrace_spark.parse import parse
from testbed.parse_cases import READ, REFUSED, at, fields
from testbed.records import TOPIC_ID, Sent, contract, records


@pytest.fixture(scope="module")
def parsed(spark: SparkSession) -> dict[str, Any]:
    """Every case's row by the case's name."""
    cases: dict[str, bytes | None] = {f"read {name}": value for name, (value, _) in READ.items()}
    cases |= {f"refused {name}": value for name, (value, _) in REFUSED.items()}
    frame = parse(records(spark, [Sent(value) for value in cases.values()]), contract(), TOPIC_ID)
    rows = frame.select("refusal", "signals", "provenance").collect()  # Python has no year 0001 in this zone
    return dict(zip(cases, sorted(rows, key=lambda row: int(row.provenance.offset)), strict=True))


@pytest.mark.parametrize("name", READ)
def test_it_reads(parsed: dict[str, Any], name: str) -> None:
    row = parsed[f"read {name}"]
    assert row.refusal is None
    assert row.signals == READ[name][1]
    assert row.provenance.identity == '["01 01 2018 00:10"]'


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses(parsed: dict[str, Any], name: str) -> None:
    row = parsed[f"refused {name}"]
    reason = REFUSED[name][1]
    assert row.refusal is not None
    assert row.refusal.reason == reason.value
    assert row.refusal.message.startswith(reason.text)


def _one(spark: SparkSession, sent: Sent, **changes: Any) -> Any:
    return parse(records(spark, [sent]), contract(**changes), TOPIC_ID).collect()[0]


def _record(**changes: Any) -> dict[str, Any]:
    return {"record": contract().record.model_dump(mode="json") | changes}


def test_a_time_is_of_the_contracts_zone(spark: SparkSession) -> None:
    row = _one(spark, Sent(at("01 01 2018 00:10")))
    assert row.signal_ts.astimezone(UTC) == datetime(2017, 12, 31, 21, 10, tzinfo=UTC)


def test_an_unknown_field_is_refused_where_the_contract_says_so(spark: SparkSession) -> None:
    refused = _one(spark, Sent(fields('"p": 1, "q": 2')), landing={"unknown_fields": "quarantine"})
    assert (refused.refusal.reason, refused.refusal.message[-1]) == ("unknown_field", "q")
    assert _one(spark, Sent(fields('"p": 1')), landing={"unknown_fields": "quarantine"}).refusal is None


def test_a_required_signal_and_the_entity_must_be_there(spark: SparkSession) -> None:
    signals = [{"name": "p", "fields": ["p"], "required": True}]
    changed = _record(signals=signals, entity="device")
    assert _one(spark, Sent(fields('"p": "", "device": "a"')), **changed).refusal.message.endswith("field p")
    assert _one(spark, Sent(fields('"p": 1')), **changed).refusal.message.endswith("field device")
    row = _one(spark, Sent(fields('"p": 1, "device": "a"')), **changed)
    assert (row.refusal, row.entity, row.signals) == (None, "a", {"p": "1"})


def test_without_a_declared_identity_it_is_source_and_row_else_the_offset(spark: SparkSession) -> None:
    headers = (("headrace-publication", b"abc"), ("headrace-row", b"7"))
    row = _one(spark, Sent(fields('"p": 1'), headers), **_record(identity=None))
    assert (row.provenance.publication, row.provenance.row) == ("abc", 7)
    assert row.provenance.identity == '["abc","7"]'
    plain = _one(spark, Sent(fields('"p": 1')), **_record(identity=None))
    assert plain.provenance.identity == f'["{TOPIC_ID}","0","0"]'


@pytest.mark.parametrize("row", [b"", b"x", b"9" * 30, b"\xff", None])
def test_hostile_headers_are_no_row(spark: SparkSession, row: bytes | None) -> None:
    headers = (("headrace-publication", b"\xff"), ("headrace-row", row), ("headrace-row", b"1"))
    parsed = _one(spark, Sent(fields('"p": 1'), headers))
    assert (parsed.refusal, parsed.provenance.publication, parsed.provenance.row) == (None, None, None)
