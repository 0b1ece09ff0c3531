"""A plain script: a reader, an encoder, a producer. It promises nothing: killed, it publishes all once more.

TOPIC FILE.
"""

import csv
import json
import os
import sys
from pathlib import Path

from confluent_kafka import Producer

KEY = "Date/Time"


def main() -> None:
    """Each row as a record."""
    topic, file = sys.argv[1:]
    config = json.loads(os.environ["KAFKA"])
    producer = Producer({**config, "acks": "all", "compression.type": "lz4", "linger.ms": 20})
    with Path(file).open(encoding="utf-8-sig", newline="") as rows:
        for number, row in enumerate(csv.DictReader(rows)):
            while True:
                try:
                    producer.produce(topic, json.dumps(row), row[KEY])
                    break
                except BufferError:
                    producer.poll(0.1)
            if number % 1_000 == 0:
                producer.poll(0)
    producer.flush()


if __name__ == "__main__":
    main()
