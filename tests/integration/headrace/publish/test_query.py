"""A query whose table grows: each of its rows is published once, landed, and accounted for."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from headrace.errors import PublicationBroken, SourceError
from headrace.reconcile.reconciliation import reconcile
from headrace.settings import Settings
from headrace.tables.slices import fix_slice
from local.stack.broker import Broker
from testbed.stages import run_in_worker, succeeded
from testbed.streams import Stream, make_stream
from testbed.waiting import until_nothing_is_open
from tests.integration.headrace.publish.conftest import Publisher


@dataclass(frozen=True)
class Plant:
    """A table, and the stream that publishes it."""

    engine: sa.Engine
    stream: Stream
    publisher: Publisher

    def insert(self, first: int, last: int) -> None:
        """Rows of these numbers, the last one first."""
        numbers = [
            (number, f"2024-01-01 00:{number % 60:02}", number / 4) for number in range(last, first - 1, -1)
        ]
        with self.engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO readings VALUES (?, ?, ?)", numbers)

    def published(self) -> list[int]:
        """The numbers of the rows that the topic has."""
        return sorted(int(json.loads(each.value() or b"")["id"]) for each in self.publisher.visible())

    def land(self) -> None:
        root = self.publisher.settings.warehouse_path
        succeeded(run_in_worker(self.stream.job(root)))


@pytest.fixture
def plant(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    url = f"sqlite:///{tmp_path}/plant.db"
    monkeypatch.setenv("plant", url)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE readings (id INTEGER PRIMARY KEY, at TEXT, v REAL)")
    definition = {
        "stream": "plant",
        "source": {"kind": "sql", "connection": "plant", "query": "SELECT * FROM readings", "cursor": "id"},
        "topic": {"name": "plant", "partitions": 2},
        "record": {
            "event_time": {"field": "at", "format": "yyyy-MM-dd HH:mm"},
            "signals": [{"name": "v", "fields": ["v"]}],
        },
    }
    stream = make_stream(tmp_path, broker.config, definition)
    settings = Settings(warehouse=tmp_path / "warehouse", home=tmp_path / "home", source_roots=str(tmp_path))
    return Plant(engine, stream, Publisher(stream.contract, settings, stream.config))


def test_what_is_new_is_published_run_by_run_and_accounted_for(plant: Plant) -> None:
    nothing = plant.publisher.publish("0")
    assert (nothing.published, sum(nothing.until.values())) == (0, 0)
    plant.insert(1, 20)
    assert plant.publisher.publish("1").published == 20
    plant.insert(21, 50)
    second = plant.publisher.publish("2")
    assert second.published == 30
    again = plant.publisher.publish("3")
    assert (again.published, again.until) == (0, second.until)
    assert plant.published() == list(range(1, 51))

    settings, config = plant.publisher.settings, plant.stream.config
    fix_slice(plant.stream.warehouse(settings.warehouse_path), plant.stream.slice_to_end())
    plant.land()
    entry = reconcile(plant.stream.contract, settings, config, "a run")
    assert entry.balanced
    assert [(each.rows, each.landed) for each in entry.sources] == [(20, 20), (30, 30)]

    assert plant.publisher.publish("4", republish=True).published == 50
    plant.land()
    entry = reconcile(plant.stream.contract, settings, config, "a run")
    assert [(each.rows, each.landed, each.quarantined) for each in entry.sources][-1] == (50, 0, 50)
    plant.insert(51, 52)
    assert plant.publisher.publish("5").published == 2


def test_a_killed_run_is_finished_from_its_copy_before_new_rows_are_asked_for(plant: Plant) -> None:
    plant.insert(1, 25_000)
    plant.publisher.killed_at("publish.after_commit:2")
    until_nothing_is_open(plant.stream.config, plant.publisher.topic)
    assert plant.published() == list(range(1, 20_001))
    plant.insert(25_001, 25_010)
    plant.publisher.publish("again")
    assert plant.published() == list(range(1, 25_011))
    assert [row.rows for row in plant.publisher.publications()] == [25_000, 10]


def test_a_copy_that_is_gone_is_named_where_it_is_needed(plant: Plant) -> None:
    plant.insert(1, 15_000)
    plant.publisher.killed_at("publish.after_commit:1")
    (copy,) = plant.publisher.settings.spool_path.iterdir()
    copy.rename(copy.with_name(".away"))
    with pytest.raises(PublicationBroken, match=r"its copy in the spool, .* cannot be read: No such file"):
        plant.publisher.publish("again")
    copy.with_name(".away").rename(copy)
    assert plant.publisher.publish("restored").rows == 15_000
    copy.unlink()
    assert plant.publisher.publish("not needed").published == 0


def test_a_query_that_is_refused_publishes_nothing(plant: Plant) -> None:
    plant.insert(1, 5)
    with plant.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE readings SET v = x'00' WHERE id = 3")
    with pytest.raises(SourceError, match="plant, row 3, column 'v': is a bytes, which has no text"):
        plant.publisher.publish("1")
    assert plant.publisher.written() == []
    assert plant.publisher.publications() == []
