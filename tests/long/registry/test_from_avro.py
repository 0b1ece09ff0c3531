"""What an Avro record holds is what Spark's own `from_avro` reads of the same bytes."""

import base64
import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from headrace.parse.avro_schema import AvroSchema
from headrace.parse.json_fields import text_of
from headrace.settings import load_settings
from testbed.artifacts import Artifact, fetched

SPARK_AVRO = Artifact(
    "org.apache.spark",
    "spark-avro_2.13",
    "4.2.0",
    "4c186cedc03cbe4ee356a94b32232b347ef48611c3209400b3a77e4fe4abff4f",
)
SCRIPT = """
import sys
from pyspark.sql import SparkSession
from pyspark.sql.avro.functions import from_avro
folder = sys.argv[1]
builder = SparkSession.builder.master("local[1]").config("spark.sql.session.timeZone", "UTC")
spark = builder.config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS").getOrCreate()
schema = open(f"{folder}/schema.json").read()
records = spark.read.parquet(f"{folder}/records.parquet")
read = records.select(from_avro("value", schema, {"mode": "FAILFAST"}).alias("r")).select("r.*")
read.coalesce(1).write.parquet(f"{folder}/read")
"""
RANDOM = random.Random(7)
COUNT = 2_000


def _logical(kind: str, logical: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "logicalType": logical, **more}


def _instant(microseconds: int) -> datetime:
    spread = RANDOM.randint(-(2**31), 2**33) * 1_000_000 + RANDOM.randint(0, 999_999)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=spread // microseconds * microseconds)


def _double() -> float:
    return RANDOM.choice([RANDOM.uniform(-1, 1), RANDOM.uniform(-1e300, 1e300), float(RANDOM.randint(-9, 9))])


def _text() -> str:
    return "".join(RANDOM.choices('abcé😀"\\\n \0', k=RANDOM.randint(0, 8)))


def _same_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


Field = tuple[Any, Callable[[], Any], Callable[[str], Any]]
FIELDS: dict[str, Field] = {
    "boolean": ("boolean", lambda: RANDOM.random() < 0.5, lambda text: {"true": True, "false": False}[text]),
    "int": ("int", lambda: RANDOM.randint(-(2**31), 2**31 - 1), int),
    "long": ("long", lambda: RANDOM.randint(-(2**63), 2**63 - 1), int),
    "float": (
        "float",
        lambda: float(np.float32(RANDOM.uniform(-1e9, 1e9))),
        lambda text: float(np.float32(text)),
    ),
    "double": ("double", _double, float),
    "string": ("string", _text, str),
    "bytes": ("bytes", lambda: RANDOM.randbytes(RANDOM.randint(0, 9)), base64.b64decode),
    "enum": (
        {"type": "enum", "name": "E", "symbols": ["ON", "OFF"]},
        lambda: RANDOM.choice(["ON", "OFF"]),
        str,
    ),
    "decimal": (
        _logical("bytes", "decimal", precision=20, scale=6),
        lambda: Decimal(RANDOM.randint(-(10**19), 10**19)).scaleb(-6),
        Decimal,
    ),
    "date": (
        _logical("int", "date"),
        lambda: date(1970, 1, 1) + timedelta(days=RANDOM.randint(-100_000, 100_000)),
        date.fromisoformat,
    ),
    "millis": (_logical("long", "timestamp-millis"), lambda: _instant(1_000), _same_time),
    "micros": (_logical("long", "timestamp-micros"), lambda: _instant(1), _same_time),
    "local": (
        _logical("long", "local-timestamp-micros"),
        lambda: _instant(1).replace(tzinfo=None),
        _same_time,
    ),
    "perhaps": (["null", "long"], lambda: RANDOM.choice([None, RANDOM.randint(-5, 5)]), int),
    "array": (
        {"type": "array", "items": "int"},
        lambda: RANDOM.choices(range(9), k=RANDOM.randint(0, 5)),
        json.loads,
    ),
    "map": (
        {"type": "map", "values": "long"},
        lambda: {_text(): RANDOM.randint(0, 9) for _ in range(3)},
        lambda text: dict(json.loads(text)),
    ),
    "record": (
        {
            "type": "record",
            "name": "R",
            "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": ["null", "string"]}],
        },
        lambda: {"x": RANDOM.randint(-9, 9), "y": RANDOM.choice([None, _text()])},
        json.loads,
    ),
}


def _spark_reads(folder: Path, schema: str, values: list[bytes]) -> list[dict[str, Any]]:
    (folder / "schema.json").write_text(schema, encoding="utf-8")
    (folder / "read.py").write_text(SCRIPT, encoding="utf-8")
    pq.write_table(pa.table({"value": pa.array(values, pa.binary())}), folder / "records.parquet")
    jar = fetched(load_settings().home_path, SPARK_AVRO)
    environment = {
        **os.environ,
        "PYSPARK_SUBMIT_ARGS": f"--jars {jar} pyspark-shell",
        "SPARK_CONF_DIR": str(folder),
    }
    done = subprocess.run(
        [sys.executable, folder / "read.py", folder],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    rows: list[dict[str, Any]] = pq.read_table(folder / "read").to_pylist(maps_as_pydicts="strict")
    return rows


def test_spark_reads_the_same_values(tmp_path: Path) -> None:
    fields = [{"name": name, "type": kind} for name, (kind, _, _) in FIELDS.items()]
    schema = {"type": "record", "name": "All", "fields": fields}
    parsed = fastavro.parse_schema(schema)
    values = []
    for _ in range(COUNT):
        written = io.BytesIO()
        record = {name: make() for name, (_, make, _) in FIELDS.items()}
        fastavro.schemaless_writer(written, parsed, record)
        values.append(written.getvalue())
    by_spark = _spark_reads(tmp_path, json.dumps(schema), values)
    ours = AvroSchema(json.dumps(schema))
    assert len(by_spark) == COUNT
    for value, expected in zip(values, by_spark, strict=True):
        found = {}
        for name, one in ours.value(value):
            text = text_of(one)
            found[name] = None if text is None else FIELDS[name][2](text)
        assert found == expected
