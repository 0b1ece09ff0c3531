"""Envelopes, compressed values, keys and headers, through the broker into the tables."""

import gzip
import json
from pathlib import Path
from typing import Any

import duckdb
from confluent_kafka import Producer
from deltalake import DeltaTable

from headrace.tables.names import QUARANTINE, READINGS
from headrace.tables.slices import fix_slice
from headrace.tables.warehouse import Warehouse
from local.stack.broker import Broker
from testbed.stages import Land, succeeded
from testbed.streams import make_stream

DEFINITION: dict[str, Any] = {
    "stream": "forms",
    "source": {"kind": "external"},
    "topic": {"name": "forms", "config": {"retention.ms": -1}},
    "record": {
        "value_compression": "gzip",
        "unwrap": "payload.after",
        "paths": {"op": "payload.op"},
        "key": {"format": "json", "paths": {"id": "payload.id"}},
        "headers": {"trace": "X-Trace"},
        "identity": ["id", "at"],
        "entity": "id",
        "event_time": {"field": "at", "format": "epoch_ms"},
        "signals": [{"name": "v", "fields": ["v"]}],
    },
    "landing": {"tombstones": "skip_counted", "quarantine_limit": "100%"},
}
AT = 1_714_557_600_000


def _change(number: int, op: str = "c") -> dict[str, Any]:
    after = None if op == "d" else {"at": AT + number, "v": number / 4, "tags": [number]}
    return {"schema": {"name": "x"}, "payload": {"before": None, "after": after, "op": op}}


def test_they_become_readings_and_whatever_is_broken_is_kept(
    broker: Broker, land: Land, tmp_path: Path
) -> None:
    stream = make_stream(tmp_path, broker.config, DEFINITION)
    warehouse = Warehouse(tmp_path / "warehouse", "forms")
    producer = Producer(stream.config)
    packed = [gzip.compress(json.dumps(_change(number)).encode()) for number in range(100)]
    headers: list[tuple[str, str | bytes | None]] = [("X-Trace", b"t")]
    for number, value in enumerate(packed):
        key = json.dumps({"payload": {"id": f"d{number % 3}"}})
        producer.produce(stream.contract.topic.name, value, key, headers=headers)
    broken: dict[str, tuple[bytes | None, bytes]] = {
        "not_compressed": (packed[0][:-1], b"{}"),
        "bad_key": (packed[0], b"{"),
        "tombstone": (gzip.compress(json.dumps(_change(0, "d")).encode()), b"{}"),
        "not_wrapped": (gzip.compress(b"{}"), b"{}"),
        "missing_field": (packed[0], b"{}"),
    }
    for value, own_key in broken.values():
        producer.produce(stream.contract.topic.name, value, own_key)
    assert producer.flush(30) == 0
    succeeded(land(stream.job(warehouse.root, fix_slice(warehouse, stream.slice_to_end()))))

    readings, refused = (
        DeltaTable(str(warehouse.table(name))).to_pyarrow_table() for name in (READINGS, QUARANTINE)
    )
    assert len(readings) == 100
    found = duckdb.sql(
        """
        SELECT entity, count(*), sum(map_extract(signals, 'v')[1]::DOUBLE),
            min(map_extract(signals, 'op')[1]), min(map_extract(signals, 'trace')[1]),
            min(epoch_ms(signal_ts)), max(map_extract(signals, 'tags')[1])
        FROM readings GROUP BY entity ORDER BY entity
        """
    ).fetchall()
    expected = [
        (f"d{at}", len(of), sum(of) / 4, "c", "t", AT + of[0], max(f"[{number}]" for number in of))
        for at, of in ((at, range(at, 100, 3)) for at in range(3))
    ]
    assert found == expected
    kept = {row["reason"]: (row["value"], row["key"]) for row in refused.to_pylist()}
    assert kept == broken
