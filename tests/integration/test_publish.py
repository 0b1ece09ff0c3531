"""Publishing through a real broker: each row once, in order, whatever is killed on the way.

Expected values come from DuckDB's reading of the CSV; what is in the topic is read by a plain consumer.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from headrace.contract import Contract, CsvSource
from headrace.contract_file import load_contract
from headrace.errors import (
    BrokerUnreachable,
    ContractError,
    DeliveryIncomplete,
    PublicationBroken,
    PublisherFenced,
    SourceError,
    TopicMissing,
    TopicRecreated,
)
from headrace.kafka import describe_topic, ensure_topic, log_end
from headrace.publications import read_publications
from headrace.publish import Published, publish
from headrace.settings import PROJECT, Settings
from headrace.warehouse import Warehouse
from local.broker import Broker

T1 = PROJECT / "include/data/wind_turbine/T1.csv"
SHIPPED = PROJECT / "include/streams/wind_turbine.yaml"
ROWS = 50_530

PUBLISHER = """
import sys
from pathlib import Path
from headrace.contract_file import load_contract
from headrace.publish import publish
from headrace.settings import load_settings

config = {"bootstrap.servers": sys.argv[2]}
publish(load_contract(Path(sys.argv[1])), load_settings(), config, "killed", report=print)
"""


@pytest.fixture
def config(broker: Broker) -> dict[str, Any]:
    return {"bootstrap.servers": broker.bootstrap, "message.timeout.ms": 10_000}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    roots = f"{PROJECT / 'include/data'}:{tmp_path / 'in'}"
    (tmp_path / "in").mkdir()
    return Settings(warehouse=tmp_path / "warehouse", home=tmp_path / "home", source_roots=roots)


@pytest.fixture
def contract(config: dict[str, Any], tmp_path: Path) -> Contract:
    """The shipped contract under a name and with a topic of its own."""
    stream = f"w{uuid4().hex[:12]}"
    (tmp_path / f"{stream}.yaml").write_text(SHIPPED.read_text().replace("wind_turbine\n", f"{stream}\n"))
    text = (tmp_path / f"{stream}.yaml").read_text().replace("wind_turbine.readings", f"{stream}.readings")
    (tmp_path / f"{stream}.yaml").write_text(text)
    contract = load_contract(tmp_path / f"{stream}.yaml")
    assert contract.topic.name == f"{stream}.readings"
    ensure_topic(config, contract.topic)
    return contract


@cache
def expected() -> list[dict[str, str]]:
    """The rows of T1.csv as another engine reads them."""
    table = duckdb.read_csv(str(T1), header=True, all_varchar=True).arrow().read_all()
    names = [name.removeprefix("\ufeff") for name in table.column_names]
    return [dict(zip(names, row.values(), strict=True)) for row in table.to_pylist()]


def read(config: dict[str, Any], topic: str, isolation: str = "read_committed") -> list[Message]:
    consumer = Consumer(
        {
            "bootstrap.servers": config["bootstrap.servers"],
            "group.id": "reader",
            "isolation.level": isolation,
            "enable.partition.eof": True,
            "enable.auto.commit": False,
        }
    )
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    records, ended = [], 0
    while ended < len(partitions):
        for message in consumer.consume(10_000, timeout=0.1):
            error = message.error()
            if error is None:
                records.append(message)
            else:
                assert error.code() == KafkaError._PARTITION_EOF
                ended += 1
    consumer.close()
    return records


def tell(text: str) -> None:
    print(text)  # noqa: T201  # the account of what was killed and resumed, for `pytest -s`


def row_number(message: Message) -> int:
    value = dict(message.headers() or [])["headrace-row"]
    assert isinstance(value, bytes)
    return int(value)


def assert_each_once(records: list[Message]) -> None:
    """Each row once with the CSV's own strings; rows of a partition, so of a key, in the CSV's order."""
    numbers = Counter(map(row_number, records))
    lost = [row for row in range(1, len(expected()) + 1) if row not in numbers]
    doubled = [row for row, count in numbers.items() if count > 1]
    tell(f"finally {len(records)} records visible, rows lost {len(lost)}, rows doubled {len(doubled)}")
    assert (lost, doubled, len(records)) == ([], [], len(expected()))
    last: dict[int | None, int] = {}
    for message in records:
        row = row_number(message)
        assert json.loads(message.value() or b"") == expected()[row - 1]
        assert (message.key() or b"").decode() == expected()[row - 1]["Date/Time"]
        assert last.get(message.partition(), 0) < row
        last[message.partition()] = row


def publish_killed_at(point: str, contract: Contract, settings: Settings, config: dict[str, Any]) -> None:
    """Publish in a process that ends at `point` by SIGKILL."""
    environment = {
        **os.environ,
        "HEADRACE_HOME": str(settings.home),
        "HEADRACE_WAREHOUSE": str(settings.warehouse),
        "HEADRACE_SOURCE_ROOTS": settings.source_roots,
        "HEADRACE_CRASH_AT": point,
    }
    file = settings.home.parent / f"{contract.stream}.yaml"
    command = [sys.executable, "-c", PUBLISHER, str(file), config["bootstrap.servers"]]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def states(settings: Settings, contract: Contract) -> list[str]:
    return [row.state for row in read_publications(Warehouse.of(settings, contract.stream))]


def test_each_row_is_published_once(contract: Contract, settings: Settings, config: dict[str, Any]) -> None:
    said: list[str] = []
    first = publish(contract, settings, config, "first", report=said.append)
    assert (first.rows, first.published, first.resumed_at) == (ROWS, ROWS, 1)
    assert len(said) == 7
    assert "published rows 50001-50530 of 50530" in said[5]
    records = read(config, contract.topic.name)
    assert_each_once(records)
    headers = dict(records[0].headers() or [])
    assert headers["headrace-publication"] == first.publication.encode()
    assert headers["headrace-sha256"] == first.sha256.encode()

    second = publish(contract, settings, config, "second")
    assert (second.published, second.resumed_at, second.until) == (0, ROWS + 1, first.until)
    assert log_end(config, contract.topic.name, committed=False) == log_end(config, contract.topic.name)
    assert len(read(config, contract.topic.name)) == ROWS

    (noted,) = read_publications(Warehouse.of(settings, contract.stream))
    assert noted.model_dump(exclude={"started", "finished"}) == {
        "publication": first.publication,
        "source": "include/data/wind_turbine/T1.csv",
        "sha256": "b36ebb7f268f40750795b27c92c34ef2ed12409d5cf5708d4bae16e14bf77b49",
        "rows": ROWS,
        "topic": contract.topic.name,
        "topic_id": describe_topic(config, contract.topic.name).topic_id,
        "run_id": "first",
        "state": "published",
        "until": first.until,
    }
    assert noted.finished is not None
    assert noted.started < noted.finished


@pytest.mark.parametrize(
    ("point", "committed"),
    [
        ("publish.before_begin:1", 0),
        ("publish.inside:29", 20_000),
        ("publish.before_commit:3", 20_000),
        ("publish.after_commit:3", 30_000),
        ("publish.after_commit:6", ROWS),
    ],
)
def test_a_killed_publisher_is_resumed(
    point: str,
    committed: int,
    contract: Contract,
    settings: Settings,
    config: dict[str, Any],
) -> None:
    publish_killed_at(point, contract, settings, config)
    if point.startswith("publish.after_commit"):
        # nothing is open, and the commit's mark reaches the partitions a moment after the commit has returned
        while log_end(config, contract.topic.name) != log_end(config, contract.topic.name, committed=False):
            pass
    visible = len(read(config, contract.topic.name))
    written = len(read(config, contract.topic.name, "read_uncommitted"))
    tell(f"\nkilled (SIGKILL) at {point}: {visible} rows visible, {written - visible} written, not committed")
    assert visible == committed
    assert states(settings, contract) == ["publishing"]
    assert progress(contract, settings, config) == (committed + 1 if committed else None)
    resumed = publish(contract, settings, config, "again", report=tell)
    tell(f"resumed at row {resumed.resumed_at}, published {resumed.published} rows")
    assert (resumed.resumed_at, resumed.published) == (committed + 1, ROWS - committed)
    assert_each_once(read(config, contract.topic.name))
    assert states(settings, contract) == ["published"]


def test_progress_that_has_expired_is_recovered_from_the_topic(
    contract: Contract, settings: Settings, config: dict[str, Any]
) -> None:
    publish_killed_at("publish.after_commit:2", contract, settings, config)
    forget_progress(contract, settings, config)
    assert publish(contract, settings, config, "again").resumed_at == 20_001
    assert_each_once(read(config, contract.topic.name))
    forget_progress(contract, settings, config)
    assert publish(contract, settings, config, "once more").published == 0


def test_progress_that_was_lost_with_the_warehouse_is_recovered_from_the_topic(
    contract: Contract, settings: Settings, config: dict[str, Any], tmp_path: Path
) -> None:
    publish_killed_at("publish.after_commit:2", contract, settings, config)
    forget_progress(contract, settings, config)
    elsewhere = settings.model_copy(update={"warehouse": tmp_path / "new warehouse"})
    assert publish(contract, elsewhere, config, "again").resumed_at == 20_001


def test_progress_that_retention_has_made_uncertain_is_refused(
    contract: Contract, settings: Settings, config: dict[str, Any]
) -> None:
    publish_killed_at("publish.after_commit:2", contract, settings, config)
    forget_progress(contract, settings, config)
    end = log_end(config, contract.topic.name)
    eaten = [TopicPartition(contract.topic.name, 1, end[1])]
    admin = AdminClient({"bootstrap.servers": config["bootstrap.servers"]})
    for future in admin.delete_records(eaten).values():
        future.result(30)
    with pytest.raises(PublicationBroken, match=r"retention has shortened partition 1 of topic .* republish"):
        publish(contract, settings, config, "again")


def progress(contract: Contract, settings: Settings, config: dict[str, Any]) -> int | None:
    """The next row by the publication's consumer group, as it was last committed."""
    (noted,) = read_publications(Warehouse.of(settings, contract.stream))
    consumer = Consumer(
        {
            "bootstrap.servers": config["bootstrap.servers"],
            "group.id": f"headrace.{contract.stream}.{noted.publication}",
            "isolation.level": "read_uncommitted",  # else an open transaction makes the broker wait
        }
    )
    (found,) = consumer.committed([TopicPartition(contract.topic.name, 0)], timeout=30)
    consumer.close()
    assert found.metadata in {None, "", noted.publication}
    return found.offset if found.offset > 0 else None


def forget_progress(contract: Contract, settings: Settings, config: dict[str, Any]) -> None:
    (noted,) = read_publications(Warehouse.of(settings, contract.stream))
    group = f"headrace.{contract.stream}.{noted.publication}"
    admin = AdminClient({"bootstrap.servers": config["bootstrap.servers"]})
    admin.delete_consumer_groups([group])[group].result(30)


def test_a_record_in_our_name_is_found_out(
    contract: Contract, settings: Settings, config: dict[str, Any]
) -> None:
    publish_killed_at("publish.after_commit:2", contract, settings, config)
    (noted,) = read_publications(Warehouse.of(settings, contract.stream))
    producer = Producer({"bootstrap.servers": config["bootstrap.servers"]})
    headers: dict[str, str | bytes | None] = {
        "headrace-publication": noted.publication,
        "headrace-row": "20000",
    }
    producer.produce(contract.topic.name, "{}", headers=headers)
    assert producer.flush(30) == 0
    with pytest.raises(PublicationBroken, match=r"row b'20000' of publication .*has that row already"):
        publish(contract, settings, config, "again")


def test_an_older_publisher_is_fenced(contract: Contract, settings: Settings, config: dict[str, Any]) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait(_: str) -> None:
        begun.set()
        go_on.wait(60)

    with ThreadPoolExecutor(1) as pool:
        older = pool.submit(publish, contract, settings, config, "older", report=wait)
        assert begun.wait(60)
        newer = publish(contract, settings, config, "newer")
        go_on.set()
        with pytest.raises(PublisherFenced, match="a newer publisher of this source has begun"):
            older.result(60)
    assert newer.resumed_at == 10_001
    assert_each_once(read(config, contract.topic.name))
    assert states(settings, contract) == ["published"]


@pytest.fixture
def own(contract: Contract, settings: Settings) -> tuple[Contract, Callable[[int], None]]:
    """The contract with a source of its own, and a way to give that the first rows of T1.csv."""
    file = Path(settings.source_roots.split(":")[1]) / "T1.csv"
    lines = T1.read_bytes().splitlines(keepends=True)

    def write(rows: int) -> None:
        file.write_bytes(b"".join(lines[: rows + 1]))

    write(3)
    return contract.model_copy(update={"source": CsvSource(kind="csv", path=file)}), write


def test_a_changed_file_supersedes_what_was_published(
    own: tuple[Contract, Callable[[int], None]], settings: Settings, config: dict[str, Any]
) -> None:
    contract, write = own
    publish(contract, settings, config, "1")
    write(5)
    assert publish(contract, settings, config, "2").published == 5
    assert states(settings, contract) == ["superseded", "published"]
    assert sorted(map(row_number, read(config, contract.topic.name))) == [1, 1, 2, 2, 3, 3, 4, 5]
    write(3)
    assert publish(contract, settings, config, "3").published == 0
    assert states(settings, contract) == ["published", "superseded"]
    write(0)
    assert publish(contract, settings, config, "4").published == 0


def test_republish_publishes_once_more_and_once_only(
    own: tuple[Contract, Callable[[int], None]], settings: Settings, config: dict[str, Any]
) -> None:
    contract, _ = own
    first = publish(contract, settings, config, "1")
    again = publish(contract, settings, config, "2", republish=True)
    assert (again.published, again.publication == first.publication) == (3, False)
    assert publish(contract, settings, config, "2", republish=True).published == 0
    last = publish(contract, settings, config, "3")
    assert (last.published, last.publication) == (0, again.publication)
    assert states(settings, contract) == ["superseded", "published"]
    assert len(read(config, contract.topic.name)) == 6


def test_a_topic_that_was_made_again_needs_a_republish(
    own: tuple[Contract, Callable[[int], None]], settings: Settings, config: dict[str, Any]
) -> None:
    contract, _ = own
    publish(contract, settings, config, "1")
    admin = AdminClient({"bootstrap.servers": config["bootstrap.servers"]})
    admin.delete_topics([contract.topic.name])[contract.topic.name].result(30)
    with pytest.raises(TopicMissing):
        publish(contract, settings, config, "2")
    ensure_topic(config, contract.topic)
    with pytest.raises(TopicRecreated, match="republish"):
        publish(contract, settings, config, "2")
    assert publish(contract, settings, config, "3", republish=True).published == 3
    assert publish(contract, settings, config, "4").published == 0


def test_another_topic_gets_the_source_as_well(
    own: tuple[Contract, Callable[[int], None]], settings: Settings, config: dict[str, Any]
) -> None:
    contract, _ = own
    publish(contract, settings, config, "1")
    topic = contract.topic.model_copy(update={"name": f"{contract.stream}.other"})
    ensure_topic(config, topic)
    other = contract.model_copy(update={"topic": topic})
    assert publish(other, settings, config, "2").published == 3
    assert publish(other, settings, config, "3").published == 0
    assert states(settings, contract) == ["superseded", "published"]


def test_a_source_is_refused_before_its_first_record(
    own: tuple[Contract, Callable[[int], None]], settings: Settings, config: dict[str, Any]
) -> None:
    contract, write = own
    write(20_000)
    assert isinstance(contract.source, CsvSource)
    with contract.source.file.open("ab") as file:
        file.write(b"half a row")
    with pytest.raises(SourceError, match="line 20002, field LV_ActivePower: is missing"):
        publish(contract, settings, config, "1")
    assert read(config, contract.topic.name, "read_uncommitted") == []
    assert states(settings, contract) == []
    assert list(settings.spool_path.iterdir()) == []


def test_a_record_that_the_topic_finds_too_large_is_the_sources_fault(
    own: tuple[Contract, Callable[[int], None]], settings: Settings, config: dict[str, Any]
) -> None:
    contract, write = own
    small = contract.topic.model_copy(
        update={"name": f"{contract.stream}.small", "config": {"max.message.bytes": "100"}}
    )
    ensure_topic(config, small)
    write(10)
    with pytest.raises(SourceError, match=r"takes no record as large as .*max\.message\.bytes"):
        publish(contract.model_copy(update={"topic": small}), settings, config, "1")
    assert read(config, small.name) == []


def test_what_is_not_acknowledged_is_aborted(
    own: tuple[Contract, Callable[[int], None]], settings: Settings, config: dict[str, Any]
) -> None:
    contract, _ = own
    # this topic takes no record that was made before it arrives: each one is refused
    strict = contract.topic.model_copy(
        update={"name": f"{contract.stream}.strict", "config": {"message.timestamp.before.max.ms": "0"}}
    )
    ensure_topic(config, strict)
    contract = contract.model_copy(update={"topic": strict})
    with pytest.raises(DeliveryIncomplete, match=r"; 0 records of the transaction were acknowledged"):
        publish(contract, settings, config, "1")
    assert read(config, strict.name) == []
    assert states(settings, contract) == ["publishing"]


def test_an_external_stream_has_nothing_to_publish(
    contract: Contract, settings: Settings, config: dict[str, Any]
) -> None:
    external = contract.model_copy(update={"source": {"kind": "external"}})
    with pytest.raises(ContractError, match="its source is external"):
        publish(external, settings, config, "1")


def test_a_broker_that_dies_on_the_way_costs_nothing(
    contract: Contract,
    settings: Settings,
    config: dict[str, Any],
    broker: Broker,
) -> None:
    said: list[str] = []

    def kill_after_two(text: str) -> None:
        said.append(text)
        if len(said) == 2:
            broker.kill()

    try:
        with pytest.raises(BrokerUnreachable, match=f"broker {broker.bootstrap} did not answer"):
            publish(contract, settings, {**config, "message.timeout.ms": 3_000}, "1", report=kill_after_two)
    finally:
        broker.start()
    resumed: Published = publish(contract, settings, config, "2")
    assert resumed.resumed_at == 20_001
    assert_each_once(read(config, contract.topic.name))
