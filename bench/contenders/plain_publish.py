"""A plain script: a reader, an encoder, a producer. It promises nothing: killed, it publishes all once more.

BOOTSTRAP TOPIC FILE.
"""

import csv
import json
import sys
from pathlib import Path

from confluent_kafka import Producer

KEY = "Date/Time"


def main() -> None:
    """Each row as a record."""
    servers, topic, file = sys.argv[1:]
    producer = Producer(
        {"bootstrap.servers": servers, "acks": "all", "compression.type": "lz4", "linger.ms": 20}
    )
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
