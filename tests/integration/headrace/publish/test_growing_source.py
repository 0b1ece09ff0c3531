"""A file that grows, is published again or loses its first rows, without an identity: each row lands once."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from confluent_kafka.admin import AdminClient

from headrace.contract.model import CsvSource
from headrace.errors import SourceError
from headrace.kafka.headers import Header
from headrace.publish import publishing
from headrace.publish.publications import read_publications
from headrace.publish.publishing import Published, publish
from headrace.publish.source_records import Record, source_records
from headrace.reconcile.reconciliation import reconcile
from headrace.settings import Settings
from headrace.tables.queries import open_table
from headrace.tables.slices import fix_slice
from local.stack.broker import Broker
from testbed.stages import Outcome, run_in_worker, succeeded
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

    @property
    def file(self) -> Path:
        assert isinstance(self.stream.contract.source, CsvSource)
        return self.stream.contract.source.file

    def write(self, *days: int) -> None:
        self.write_rows(*(row for number in days for row in day(number)))

    def write_rows(self, *rows: str) -> None:
        self.file.write_text("\n".join(["time,v", *rows, ""]), encoding="utf-8")

    def rows(self) -> list[tuple[int, int]]:
        """First and last row of each publication."""
        known = read_publications(self.stream.warehouse(self.settings.warehouse_path))
        return [(each.first, each.rows) for each in known]

    def publish(self, run_id: str, republish: bool = False) -> Published:
        return publish(
            self.stream.contract, self.settings, self.stream.config, run_id, republish=republish, report=print
        )

    def outcome(self, start: dict[int, int]) -> tuple[Outcome, dict[int, int]]:
        """Land what the topic holds from there on; where that ends."""
        run_slice = self.stream.slice_to_end(start)
        return run_in_worker(self.stream.job(self.settings.warehouse_path, run_slice)), run_slice.until

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
    stream = make_stream(tmp_path, broker.bootstrap, definition)
    settings = Settings(warehouse=tmp_path / "warehouse", home=tmp_path / "home", source_roots=str(tmp_path))
    return Growing(stream, settings)


def test_each_row_of_a_growing_file_lands_once(growing: Growing) -> None:
    """Of one that has grown the new rows alone are published; written anew it is published whole."""
    growing.write(1)
    growing.publish("first")
    assert growing.landed() == (values(1), 0)

    growing.write(1, 2)
    assert (growing.publish("grown").published, growing.publish("unchanged").published) == (25, 0)
    assert growing.landed() == (values(1, 2), 0)

    assert growing.publish("again", republish=True).published == 50
    assert growing.landed() == (values(1, 2), 50)

    growing.write(1, 2, 3)
    assert (growing.publish("grown again").published, growing.rows()) == (
        25,
        [(1, 25), (26, 50), (1, 50), (51, 75)],
    )
    assert growing.landed() == (values(1, 2, 3), 50)

    growing.write(2, 3, 4)
    assert growing.publish("rolled").published == 75
    assert growing.landed() == (values(1, 2, 3, 4), 100)
    assert_balanced(growing)


def test_rows_that_are_added_and_are_equal_to_earlier_ones_are_rows_of_their_own(growing: Growing) -> None:
    """Who counts them reads the rows before, which stand in other copies."""
    growing.write(1)
    growing.publish("first")
    growing.write(1, 1)
    assert growing.publish("grown").published == 25
    assert growing.landed() == (sorted(values(1) * 2), 0)
    growing.write(1, 1, 1)
    assert growing.publish("whole", republish=True).published == 75
    assert growing.landed() == (sorted(values(1) * 3), 50)
    assert_balanced(growing)


@pytest.mark.parametrize("stopped", [1, 2], ids=["at first", "when it had grown"])
def test_one_that_was_broken_off_is_finished_before_what_has_come_since(
    growing: Growing, monkeypatch: pytest.MonkeyPatch, stopped: int
) -> None:
    monkeypatch.setattr(publishing, "ROWS", 10)
    if stopped == 2:
        growing.write(1)
        growing.publish("first")
    growing.write(*range(1, stopped + 1))
    with pytest.raises(KeyboardInterrupt):
        publish(growing.stream.contract, growing.settings, growing.stream.config, "killed", report=stop)
    forget_progress(growing)
    growing.write(*range(1, stopped + 2))
    assert growing.publish("resumed").published == 25
    assert growing.rows() == [(1, 25), (26, 50), (51, 75)][: stopped + 1]
    assert growing.landed() == (values(*range(1, stopped + 2)), 0)
    assert_balanced(growing)


def test_a_row_that_was_cut_off_when_it_was_read_is_published_as_it_is_now(growing: Growing) -> None:
    growing.write(1)
    file = growing.file
    whole = file.read_text("utf-8")
    file.write_text(whole.removesuffix("23\n"), "utf-8")
    growing.publish("cut off")
    file.write_text(whole, "utf-8")
    assert growing.publish("whole").published == 25
    assert growing.landed() == (sorted([*values(1), "1"]), 24)


def test_a_fault_in_what_has_come_is_named_by_its_line_in_the_file(growing: Growing) -> None:
    growing.write(1)
    growing.publish("first")
    with growing.file.open("a", encoding="utf-8") as file:
        file.write("2024-03-02 00:00\n")
    with pytest.raises(SourceError, match=r"current\.csv, line 27, field v: is missing"):
        growing.publish("grown")


def test_the_limit_is_of_what_is_new_and_a_row_is_refused_once(growing: Growing) -> None:
    """Old rows do not thin out a bad day, neither of a file that has grown nor of one written anew."""
    good, old, bad = hours(1, 300), "2024-01-01 00:00,bad", [f"{time},bad" for time in hours(301, 310)]
    growing.write_rows(old, *(f"{time},1" for time in good))
    growing.publish("first")
    first, until = growing.outcome({})
    assert first.error is None
    growing.write_rows(old, *(f"{time},1" for time in good), *bad[:5])
    assert growing.publish("grown").published == 5
    grown, until = growing.outcome(until)
    assert grown.error is not None
    assert (grown.error.code, "5 of 5 new records (100.0%)" in grown.error.message) == ("HR406", True)
    growing.write_rows(*(f"{time},1" for time in good[1:]), old, *bad)
    assert growing.publish("written anew").published == 308
    anew, _ = growing.outcome(until)
    assert anew.error is not None
    assert "4 of 4 new records (100.0%)" in anew.error.message
    assert "quarantined 4 duplicates 298 refused before 6 in" in anew.output
    assert_balanced(growing)


def hours(first: int, last: int) -> list[str]:
    return [f"2024-01-{1 + hour // 24:02} {hour % 24:02}:00" for hour in range(first, last)]


def stop(said: str) -> None:
    if said.startswith("published rows"):
        raise KeyboardInterrupt(said)


def assert_balanced(growing: Growing) -> None:
    warehouse = growing.stream.warehouse(growing.settings.warehouse_path)
    fix_slice(warehouse, growing.stream.slice_to_end())
    for _ in range(2):  # all counted, then on the seal
        entry = reconcile(growing.stream.contract, growing.settings, growing.stream.config, "a run")
        assert entry.balanced
        assert [each.rows for each in entry.sources] == [last - first + 1 for first, last in growing.rows()]


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
    admin = AdminClient({"bootstrap.servers": growing.stream.config["bootstrap.servers"]})
    groups = [each.group_id for each in admin.list_consumer_groups().result().valid]
    own = [group for group in groups if group.startswith(f"headrace.{growing.stream.contract.stream}.")]
    for future in admin.delete_consumer_groups(own).values():
        future.result(30)
