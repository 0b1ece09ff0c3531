"""A file that grows, is published again or loses its first rows, without an identity: each row lands once."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from confluent_kafka.admin import AdminClient

from headrace.contract.model import CsvSource
from headrace.kafka.headers import Header
from headrace.publish import publishing
from headrace.publish.publishing import Published, publish
from headrace.publish.source_records import Record, source_records
from headrace.reconcile.reconciliation import reconcile
from headrace.settings import Settings
from headrace.tables.queries import open_table
from headrace.tables.slices import fix_slice
from local.stack.broker import Broker
from testbed.stages import run_in_worker, succeeded
from testbed.streams import Stream, make_stream


def day(number: int) -> list[str]:
    """An hourly reading each, and one that stands there twice."""
    rows = [f"2024-03-{number:02} {hour:02}:00,{number}{hour:02}" for hour in range(24)]
    return [*rows, rows[-1]]


@dataclass(frozen=True)
class Growing:
    """The stream, its file and its tables."""

    stream: Stream
    settings: Settings

    def write(self, *days: int) -> None:
        assert isinstance(self.stream.contract.source, CsvSource)
        rows = ["time,v", *(row for number in days for row in day(number)), ""]
        self.stream.contract.source.file.write_text("\n".join(rows), encoding="utf-8")

    def publish(self, run_id: str, republish: bool = False) -> Published:
        return publish(
            self.stream.contract, self.settings, self.stream.config, run_id, republish=republish, report=print
        )

    def landed(self) -> tuple[list[str], int]:
        """Land what the topic holds; the readings' values, and how many duplicates are in quarantine."""
        root = self.settings.warehouse_path
        succeeded(run_in_worker(self.stream.job(root)))
        warehouse = self.stream.warehouse(root)
        with duckdb.connect() as sql:
            for name in ("readings", "quarantine"):
                sql.register(name, open_table(warehouse.table(name)).to_pyarrow_dataset())
            values = sql.sql("SELECT signals['v'] FROM readings").fetchall()
            reasons = sql.sql("SELECT count(*) FROM quarantine WHERE reason = 'duplicate'").fetchall()
            others = sql.sql("SELECT reason, message FROM quarantine WHERE reason <> 'duplicate'").fetchall()
        assert others == []
        return sorted(value for (value,) in values), reasons[0][0]


def values(*days: int) -> list[str]:
    return sorted(row.partition(",")[2] for number in days for row in day(number))


@pytest.fixture
def growing(broker: Broker, tmp_path: Path) -> Growing:
    definition = {
        "stream": "growing",
        "source": {"kind": "csv", "path": str(tmp_path / "current.csv")},
        "topic": {"name": f"growing_{tmp_path.name}", "partitions": 2},
        "record": {
            "event_time": {"field": "time", "format": "yyyy-MM-dd HH:mm", "timezone": "UTC", "every": "PT1H"},
            "signals": [{"name": "v", "fields": ["v"]}],
        },
    }
    stream = make_stream(tmp_path, broker.config, definition)
    settings = Settings(warehouse=tmp_path / "warehouse", home=tmp_path / "home", source_roots=str(tmp_path))
    return Growing(stream, settings)


def test_each_row_of_a_growing_file_lands_once(growing: Growing) -> None:
    growing.write(1)
    growing.publish("first")
    assert growing.landed() == (values(1), 0)

    growing.write(1, 2)
    assert growing.publish("grown").published == 50
    assert growing.landed() == (values(1, 2), 25)

    assert growing.publish("again", republish=True).published == 50
    assert growing.landed() == (values(1, 2), 75)

    growing.write(2, 3)
    assert growing.publish("rolled").published == 50
    assert growing.landed() == (values(1, 2, 3), 100)


def test_a_publication_that_was_broken_off_doubles_nothing(
    growing: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on behind the first of two equal rows: the second is still the second."""
    monkeypatch.setattr(publishing, "ROWS", 24)
    growing.write(1)

    def stop(said: str) -> None:
        raise KeyboardInterrupt(said)

    with pytest.raises(KeyboardInterrupt, match="published rows 1-24"):
        publish(growing.stream.contract, growing.settings, growing.stream.config, "killed", report=stop)
    assert growing.landed() == (values(1)[:-1], 0)
    assert growing.publish("resumed").resumed_at == 25
    assert growing.landed() == (values(1), 0)
    assert growing.publish("again", republish=True).published == 25
    assert growing.landed() == (values(1), 25)


def test_what_a_version_with_three_headers_began_is_resumed_landed_and_reconciled(
    growing: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row with them and one with the new header are the same row; only the topic tells how far it came."""
    monkeypatch.setattr(publishing, "ROWS", 24)
    growing.write(1)

    def stop(said: str) -> None:
        raise KeyboardInterrupt(said)

    with monkeypatch.context() as before:
        before.setattr(publishing, "source_records", with_three_headers)
        with pytest.raises(KeyboardInterrupt, match="rows 1-24"):
            publish(growing.stream.contract, growing.settings, growing.stream.config, "before", report=stop)
    assert growing.landed() == (values(1)[:-1], 0)
    forget_progress(growing)
    assert growing.publish("resumed").resumed_at == 25
    warehouse = growing.stream.warehouse(growing.settings.warehouse_path)
    fix_slice(warehouse, growing.stream.slice_to_end())
    assert growing.landed() == (values(1), 0)
    entry = reconcile(growing.stream.contract, growing.settings, growing.stream.config, "a run")
    ((rows, landed, quarantined),) = [(each.rows, each.landed, each.quarantined) for each in entry.sources]
    assert (entry.balanced, rows, landed, quarantined) == (True, 25, 25, 0)
    assert growing.publish("again", republish=True).published == 25
    assert growing.landed() == (values(1), 25)


def with_three_headers(*arguments: Any, **more: Any) -> Iterator[Record]:
    """The records as versions of before 2026-11-26 sent them."""
    for row, key, value, ((_, header),) in source_records(*arguments, **more):
        assert isinstance(header, bytes)
        _, publication, number, identity = header.split(b":")
        before: list[Header] = [
            ("headrace-publication", publication),
            ("headrace-sha256", b"0" * 64),
            ("headrace-row", number),
            ("headrace-identity", identity),
        ]
        yield row, key, value, before


def forget_progress(growing: Growing) -> None:
    """What Kafka does with the offsets of a group that nobody has used for a week."""
    admin = AdminClient(growing.stream.config)
    groups = [each.group_id for each in admin.list_consumer_groups().result().valid]
    own = [group for group in groups if group.startswith(f"headrace.{growing.stream.contract.stream}.")]
    for future in admin.delete_consumer_groups(own).values():
        future.result(30)
