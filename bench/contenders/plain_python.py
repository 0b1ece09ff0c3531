"""A good engineer's sixty lines: confluent-kafka, polars and delta-rs; the same columns, simple checks.

It promises nothing: killed on the way it lands twice what it landed, and it knows no repeats.
"""

from datetime import UTC, datetime
from math import inf

import polars as pl
import pyarrow as pa
from confluent_kafka import Consumer, Message, TopicPartition
from deltalake import write_deltalake

from headrace.contract.record import Signal
from headrace.driver.protocol import Job, read_job
from headrace.task_log import say

ZONE = "Europe/Istanbul"
TIME = "Date/Time"
SIGNALS = pa.map_(pa.string(), pa.string())


def main() -> None:
    """Read every partition to its end, and write what was read whenever a batch is full."""
    job = read_job()
    contract = job.contract.load()
    size, signals = contract.landing.max_records_per_batch, contract.record.signals
    assert job.slice
    consumer = Consumer(
        {
            **job.kafka,
            "group.id": "plain",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    consumer.assign([TopicPartition(job.slice.topic, each, 0) for each in job.slice.until])
    open_partitions, number, waiting = set(job.slice.until), 0, list[Message]()
    while open_partitions:
        for message in consumer.consume(10_000, 0.1):
            if message.error() is None:
                waiting.append(message)
            else:  # the partition's end: any other error would end it here too
                open_partitions.discard(message.partition() or 0)
        if len(waiting) >= size or not open_partitions:
            write(job, signals, number, waiting)
            number, waiting = number + 1, []
    consumer.close()


def write(job: Job, signals: tuple[Signal, ...], number: int, messages: list[Message]) -> None:
    """A batch into both tables."""
    assert job.slice
    fields = {each.fields[0]: each for each in signals}
    headers = [dict(message.headers() or ()).get("headrace") for message in messages]
    records = pl.DataFrame(
        {
            "value": pl.Series([message.value() for message in messages], dtype=pl.Binary),
            "partition": [message.partition() for message in messages],
            "offset": [message.offset() for message in messages],
            "timestamp": [message.timestamp()[1] for message in messages],
            "source": pl.Series(headers, dtype=pl.Binary),
        }
    )
    now, shape = datetime.now(UTC), pl.Struct(dict.fromkeys((TIME, *fields), pl.String))
    parsed = records.with_columns(
        pl.col("value").cast(pl.String).str.json_decode(shape).struct.unnest()
    ).with_columns(
        signal_ts=pl.col(TIME)
        .str.to_datetime("%d %m %Y %H:%M", strict=False)
        .dt.replace_time_zone(ZONE, ambiguous="earliest", non_existent="null"),
        good=pl.all_horizontal(
            pl.col(field)
            .cast(pl.Float64, strict=False)
            .is_between(-inf if each.minimum is None else each.minimum, each.maximum or inf)
            for field, each in fields.items()
        ).fill_null(value=False),
    )
    good = parsed.filter(pl.col("good") & pl.col("signal_ts").is_not_null())
    provenance = pl.struct(
        pl.lit(job.slice.topic_id).alias("topic_id"),
        *("partition", "offset"),
        pl.from_epoch("timestamp", "ms").dt.replace_time_zone("UTC").alias("timestamp"),
        pl.col("source").cast(pl.String).str.split(":").list.get(1).alias("publication"),
        pl.col("source").cast(pl.String).str.split(":").list.get(2).cast(pl.Int64).alias("row"),
        pl.format('["{}"]', TIME).alias("identity"),
        pl.lit(number).alias("batch"),
    )
    entries = pl.concat_list(
        pl.struct(pl.lit(each.name).alias("key"), pl.col(field).alias("value"))
        for field, each in fields.items()
    )
    rows = good.sort("signal_ts").select(
        pl.col("signal_ts").dt.date().alias("signal_date"),
        pl.col("signal_ts").dt.convert_time_zone("UTC"),
        pl.lit(now.date()).alias("create_date"),
        pl.lit(now).alias("create_ts"),
        entries.alias("signals"),
        pl.lit(None, pl.String).alias("entity"),
        provenance.alias("provenance"),
    ).to_arrow()  # fmt: skip
    place, listed = rows.column_names.index("signals"), rows["signals"].combine_chunks()
    pairs = [listed.values.field(name) for name in ("key", "value")]
    maps = pa.MapArray.from_arrays(listed.offsets.cast(pa.int32()), *pairs).cast(SIGNALS)
    write_deltalake(job.warehouse / "readings", rows.set_column(place, "signals", maps), mode="append")
    bad = parsed.join(good, ["partition", "offset"], "anti").select("value", "partition", "offset")
    if len(bad):
        write_deltalake(job.warehouse / "quarantine", bad, mode="append")
    say(f"batch {number}: {len(good)} and {len(bad)} bad")


if __name__ == "__main__":
    main()
