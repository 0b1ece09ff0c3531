"""A script with polars, which reads and encodes the whole file at once. TOPIC FILE."""

import json
import os
import sys

import polars as pl
from confluent_kafka import Producer

KEY = "Date/Time"


def main() -> None:
    """Each row as a record."""
    topic, file = sys.argv[1:]
    config = json.loads(os.environ["KAFKA"])
    producer = Producer({**config, "acks": "all", "compression.type": "lz4", "linger.ms": 20})
    rows = pl.read_csv(file, infer_schema=False)
    values = rows.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    for number, (key, value) in enumerate(zip(rows[KEY], values, strict=True)):
        while True:
            try:
                producer.produce(topic, value, key)
                break
            except BufferError:
                producer.poll(0.1)
        if number % 1_000 == 0:
            producer.poll(0)
    producer.flush()


if __name__ == "__main__":
    main()
