"""What stands in a topic, as a plain consumer reads it, compared with DuckDB's reading of the CSV."""

import json
from collections import Counter
from functools import cache
from typing import Any

import duckdb
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from headrace.settings import PROJECT

T1 = PROJECT / "include/data/wind_turbine/T1.csv"
ROWS = 50_530


@cache
def expected() -> list[dict[str, str]]:
    """The rows of T1.csv as another engine reads them."""
    table = duckdb.read_csv(str(T1), header=True, all_varchar=True).arrow().read_all()
    names = [name.removeprefix("\ufeff") for name in table.column_names]
    return [dict(zip(names, row.values(), strict=True)) for row in table.to_pylist()]


def read(config: dict[str, Any], topic: str, isolation: str = "read_committed") -> list[Message]:
    """Every record of the topic that is visible at that isolation, partition by partition."""
    consumer = Consumer(
        {
            **config,
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


def row_number(message: Message) -> int:
    """The source's row that the record says it is."""
    value = dict(message.headers() or [])["headrace"]
    assert isinstance(value, bytes)
    return int(value.split(b":")[2])


def assert_each_once(records: list[Message], rows: int = ROWS) -> None:
    """Each of T1.csv's first rows once with the CSV's strings; those of a partition in the CSV's order."""
    numbers = Counter(map(row_number, records))
    lost = [row for row in range(1, rows + 1) if row not in numbers]
    doubled = [row for row, count in numbers.items() if count > 1]
    assert (lost, doubled, len(records)) == ([], [], rows)
    last: dict[int | None, int] = {}
    for message in records:
        row = row_number(message)
        assert json.loads(message.value() or b"") == expected()[row - 1]
        assert (message.key() or b"").decode() == expected()[row - 1]["Date/Time"]
        assert last.get(message.partition(), 0) < row
        last[message.partition()] = row
