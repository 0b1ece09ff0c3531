"""A stream of a benchmark's own: a broker, T1's rows at times of their own, a topic full of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from confluent_kafka import KafkaError, Message, Producer

from headrace.errors import DeliveryIncomplete
from headrace.kafka.headers import signer
from headrace.settings import PROJECT, load_settings
from headrace.tables.keys import BYTES, key_file
from headrace.tables.warehouse import Warehouse
from local.stack.broker import scratch_broker
from testbed.streams import Stream, make_stream

SHIPPED = PROJECT / "include" / "streams" / "wind_turbine.yaml"
T1 = PROJECT / "include" / "data" / "wind_turbine" / "T1.csv"
BAD_EVERY = 1_000
"""One row of so many has a power that is no number, so that most batches go through quarantine too."""
ROWS = 10_000
"""Rows of one transaction, as `publish` has them."""
WIDE = 20
"""Signals beside T1's four that make a record 1.2 KB long."""


KEY = bytes(BYTES)
"""What proves the streams' records."""


def give_key(warehouse: Warehouse) -> None:
    """Let the warehouse's landing believe them."""
    warehouse.folder.mkdir(parents=True, exist_ok=True)
    key_file(warehouse).write_text(KEY.hex(), "ascii")


@contextmanager
def broker(folder: Path) -> Iterator[dict[str, Any]]:
    """A broker for as long as it is needed; librdkafka's configuration of it."""
    own = scratch_broker(load_settings().home_path, folder / "broker")
    own.start(60)
    try:
        yield own.config
    finally:
        own.kill()


def definition(stream: str, records: int, more: int = 0) -> dict[str, Any]:
    """The shipped contract under another name: micro-batches of so many records, so many more signals."""
    shipped: dict[str, Any] = yaml.safe_load(SHIPPED.read_text("utf-8"))
    shipped["stream"] = stream
    shipped["topic"]["name"] = f"{stream}.readings"
    shipped["landing"]["max_records_per_batch"] = records
    shipped["record"]["event_time"]["latest"] = "2261-12-31"  # so many rows go on beyond today
    shipped["record"]["signals"] += [{"name": name, "fields": [name]} for name in _more(more)]
    return shipped


def _more(count: int) -> list[str]:
    return [f"Generator_Bearing_Temperature_{number:02}" for number in range(1, count + 1)]


def rows(first: int, count: int, minutes: int, more: int = 0) -> pl.DataFrame:
    """T1's values over and over, at times of their own, so many minutes apart, from 2017 on.

    `more` signals repeat them by turns. Since 2017 the turbine's clock is never changed: no time is skipped.
    """
    time, power, *others = _once().columns
    number = pl.int_range(first, first + count, eager=True)
    bad = number % BAD_EVERY == BAD_EVERY - 1
    return _once()[(number % len(_once())).to_list()].with_columns(
        instants(first, count, minutes).dt.strftime("%d %m %Y %H:%M").alias(time),
        pl.when(bad).then(pl.lit("out of order")).otherwise(pl.col(power)).alias(power),
        *(pl.col(other).alias(name) for name, other in zip(_more(more), cycle(others), strict=False)),
    )


def instants(first: int, count: int, minutes: int) -> pl.Series:
    """The local times of those rows."""
    after = pl.duration(minutes=pl.int_range(first, first + count) * minutes)
    return pl.select(pl.datetime(2017, 1, 1) + after).to_series()


@cache
def _once() -> pl.DataFrame:
    return pl.read_csv(T1, infer_schema=False, encoding="utf8")


def full_stream(
    folder: Path, config: dict[str, Any], records: int, batch: int, *, first: int = 0, more: int = 0
) -> Stream:
    """A stream of so many records in its topic, a minute apart, in micro-batches of `batch`."""
    stream = make_stream(folder, config, definition("landing", batch, more))
    _fill(stream, first, records, more)
    return stream


def _fill(stream: Stream, first: int, records: int, more: int) -> None:
    """What `publish` sends, without its account of it: the same keys, values, headers and transactions."""
    failed: list[KafkaError] = []
    sign = signer("0123456789abcdef0123", KEY)

    def answered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failed.append(error)

    own = {"transactional.id": "bench", "compression.type": "zstd", "linger.ms": 20, "log_level": 2}
    producer = Producer({**stream.config, "partitioner": "murmur2_random", **own})
    producer.init_transactions()
    end = first + records
    for start in range(first, end, ROWS):
        producer.begin_transaction()
        some = rows(start, min(ROWS, end - start), 1, more)
        values = some.select(pl.struct(pl.all()).struct.json_encode()).to_series()
        for number, (key, value) in enumerate(zip(some[:, 0], values, strict=True), start + 1):
            headers = [sign(number, None, value)]
            producer.produce(stream.contract.topic.name, value, key, headers=headers, on_delivery=answered)
        producer.commit_transaction()
    if failed:
        raise DeliveryIncomplete(f"the benchmark's topic could not be filled: {failed[0].str()}")
