"""Times and values in many spellings, through the broker into the tables."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka import Producer

from headrace.analyse.engines import analyse_here
from headrace.contract.loader import load_contract
from headrace.reconcile.reconciliation import reconcile
from headrace.settings import PROJECT, Settings
from headrace.tables.attempt import Attempt
from headrace.tables.batches import landed_position
from headrace.tables.names import HOURLY_AVERAGE, QUARANTINE, READINGS
from headrace.tables.queries import last_readings, scan
from headrace.tables.slices import fix_slice
from headrace.tables.warehouse import Warehouse
from local.stack.broker import Broker
from testbed.stages import Land, succeeded
from testbed.streams import Stream, make_stream

KEPT = {"retention.ms": -1}
"""Records that say they are of long ago, a broker would remove."""

DEFINITION: dict[str, Any] = {
    "stream": "spellings",
    "source": {"kind": "external"},
    "topic": {"name": "spellings", "config": KEPT},
    "record": {
        "identity": ["ts"],
        "event_time": {"field": "ts", "format": ["iso", "epoch_ms"], "timezone": "Europe/Berlin"},
        "decimal": ",",
        "thousands": ".",
        "missing": ["NA", -9999],
        "signals": [
            {"name": "power", "fields": ["p"]},
            {"name": "counter", "fields": ["n"], "type": "integer", "minimum": 9007199254740993},
            {"name": "state", "fields": ["s"], "type": "string", "one_of": ["on", "off"]},
        ],
    },
    "landing": {"quarantine_limit": "100%"},
}
COUNT = 9007199254740993
FIRST = [
    {"ts": "2024-05-30T22:00:00Z", "p": "1.200,25", "n": COUNT},
    {"ts": 1717106400000, "p": "1.200,25", "n": f"{COUNT}"},
    {"ts": "2024-05-31T00:30:00+02:00", "p": "NA", "s": "on"},
    {"ts": "2024-05-30T22:45", "p": "0,75"},
    {"ts": "2024-05-30T22:50", "s": "of"},
    {"ts": "2024-05-30T22:51", "n": COUNT - 1},
    {"ts": "2024-05-30T22:52", "n": 1.5},
    {"ts": "2024-05-30T22:53", "p": "1.5"},
]
THEN = [
    {"ts": "2024-05-30T22:30:00.000Z", "p": "-9999", "s": "on"},
    {"ts": "2024-05-30T22:30Z", "p": "2", "s": "on"},
]


def _land(stream: Stream, warehouse: Warehouse, land: Land, records: list[Any], run: str) -> None:
    producer = Producer(stream.config)
    for record in records:
        value = record if record is None or isinstance(record, str) else json.dumps(record)
        producer.produce(stream.contract.topic.name, value, timestamp=1_767_225_600_000)
    assert producer.flush(30) == 0
    start = landed_position(warehouse, stream.topic_id)
    run_slice = stream.slice_to_end(start).model_copy(update={"run_id": run})
    succeeded(land(stream.job(warehouse.root, fix_slice(warehouse, run_slice))))


def test_spellings_of_a_time_are_one_time_and_of_a_number_one_number(
    broker: Broker, land: Land, tmp_path: Path
) -> None:
    stream = make_stream(tmp_path, broker.config, DEFINITION)
    warehouse = Warehouse(tmp_path / "warehouse", "spellings")
    _land(stream, warehouse, land, FIRST, "first")
    _land(stream, warehouse, land, THEN, "second")
    analyse_here(Attempt(stream.contract, warehouse, "second"))

    readings = scan(warehouse, READINGS).collect().to_arrow().to_pylist()
    assert {row["signal_ts"]: dict(row["signals"]) for row in readings} == {
        datetime(2024, 5, 30, 22, 0, tzinfo=UTC): {"power": "1.200,25", "counter": str(COUNT)},
        datetime(2024, 5, 30, 22, 30, tzinfo=UTC): {"power": None, "state": "on"},
        datetime(2024, 5, 30, 20, 45, tzinfo=UTC): {"power": "0,75"},
    }
    refused = scan(warehouse, QUARANTINE).collect().to_arrow().to_pylist()
    assert {row["provenance"]["offset"]: row["reason"] for row in refused} == {
        1: "duplicate",
        4: "not_allowed",
        5: "out_of_range",
        6: "wrong_type",
        7: "not_a_number",
        8: "duplicate",
        9: "conflict",
    }
    hours = scan(warehouse, HOURLY_AVERAGE).collect().to_arrow().to_pylist()
    assert {row["signal_hour"].hour: (row["readings"], row["power"], row["counter"]) for row in hours} == {
        20: (1, 0.75, None),
        22: (2, 1200.25, float(COUNT)),
    }


def test_a_column_for_each_signal_and_a_rule_through_any_engine(
    broker: Broker, land: Land, tmp_path: Path
) -> None:
    """The same records, and one more that breaks a rule; then the contract knows a signal more."""
    record = DEFINITION["record"] | {"rules": [{"name": "on and strong", "expression": "power >= 0.5"}]}
    definition = DEFINITION | {"record": record, "landing": DEFINITION["landing"] | {"columns": "typed"}}
    stream = make_stream(tmp_path, broker.config, definition)
    warehouse = Warehouse(tmp_path / "warehouse", "spellings")
    weak = {"ts": "2024-05-30T23:00Z", "p": "0,25", "note": "x"}
    _land(stream, warehouse, land, [*FIRST, weak], "first")
    grown = record | {"signals": [*record["signals"], {"name": "note", "fields": ["note"], "type": "string"}]}
    file = stream.file
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text("utf-8")) | {"record": grown}), "utf-8")
    _land(stream, warehouse, land, [*THEN, weak | {"p": "0,75"}], "second")

    rows = scan(warehouse, READINGS).sort("signal_ts").collect()
    assert rows.select("power", "counter", "state", "note").rows() == [
        (0.75, None, None, None),
        (1200.25, COUNT, None, None),
        (None, None, "on", None),
        (0.75, None, None, "x"),
    ]
    refused = scan(warehouse, QUARANTINE).collect().to_arrow().to_pylist()
    reasons = {row["provenance"]["offset"]: row["reason"] for row in refused}
    assert reasons.pop(8) == "rule_broken"
    assert reasons == {
        1: "duplicate",
        4: "not_allowed",
        5: "out_of_range",
        6: "wrong_type",
        7: "not_a_number",
        9: "duplicate",
        10: "conflict",
    }
    settings = Settings(warehouse=warehouse.root, home=tmp_path)
    assert reconcile(load_contract(file), settings, stream.config, "second").balanced


def test_tombstones_that_are_skipped_are_counted_and_fail_nothing(
    broker: Broker, land: Land, tmp_path: Path
) -> None:
    """Three of four records; without the option they are three times what the limit lets pass."""
    definition = DEFINITION | {"landing": {"quarantine_limit": "1%", "tombstones": "skip_counted"}}
    stream = make_stream(tmp_path, broker.config, definition)
    warehouse = Warehouse(tmp_path / "warehouse", "spellings")
    _land(stream, warehouse, land, [None, FIRST[0], None, None], "first")
    assert scan(warehouse, READINGS).collect().height == 1
    assert scan(warehouse, QUARANTINE).collect()["reason"].to_list() == ["tombstone"] * 3
    settings = Settings(warehouse=warehouse.root, home=tmp_path)
    assert reconcile(stream.contract, settings, stream.config, "first").balanced


@pytest.mark.parametrize("lines", [["This is my first event", "", "This is my second event"]])
def test_lines_typed_into_a_producer_are_readings(
    broker: Broker, land: Land, tmp_path: Path, lines: list[str]
) -> None:
    shipped = yaml.safe_load((PROJECT / "include/streams/quickstart_events.yaml").read_text("utf-8"))
    shipped["topic"]["config"] = KEPT
    stream = make_stream(tmp_path, broker.config, shipped)
    warehouse = Warehouse(tmp_path / "warehouse", "quickstart_events")
    _land(stream, warehouse, land, lines, "first")
    newest = last_readings(stream.contract, warehouse)
    assert {row["signal_ts"] for row in newest} == {datetime(2026, 1, 1, tzinfo=UTC)}
    assert sorted(dict(row["signals"])["text"] for row in newest) == [lines[0], lines[2]]
    assert scan(warehouse, QUARANTINE).select("reason").collect()["reason"].to_list() == ["empty"]
