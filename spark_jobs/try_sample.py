"""`headrace try`: a sample through the very parsing that landing does, without Kafka and tables."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headrace_spark.parse import is_reading, parse
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.contract.loader import load_contract
from headrace.contract.model import Contract
from headrace.publish.csv_source import CsvRows, check_source
from headrace.task_log import say
from headrace.try_sample import ANSWER
from headrace_spark.entry_point import run_stage
from headrace_spark.session import build_session

RECORD = (
    "partition INT, offset BIGINT, timestamp TIMESTAMP, key BINARY, value BINARY, "
    "headers ARRAY<STRUCT<key: STRING, value: BINARY>>"
)


def main() -> None:
    """Parse the sample of the command line and print what became of it as one JSON line."""
    contract, sample, rows = load_contract(Path(sys.argv[1])), Path(sys.argv[2]), int(sys.argv[3])
    spark = build_session(contract, "try")
    now = datetime.now(UTC)
    records = [(0, number, now, None, value, []) for number, value in enumerate(values(contract, sample), 1)]
    parsed = parse(spark.createDataFrame(records, RECORD), contract, "sample").persist()
    say(ANSWER + json.dumps(result(parsed, rows)))


def values(contract: Contract, sample: Path) -> Iterator[bytes]:
    """The records' values: from a CSV file as the contract's source says, else one record per line."""
    if contract.own_source is None:
        yield from sample.read_bytes().splitlines()
        return
    source = CsvRows(sample, contract.own_source)
    check_source(source, contract)
    header = source.header()
    for row in source.rows():
        yield json.dumps(dict(zip(header, row.values, strict=True)), ensure_ascii=False).encode()


def result(parsed: DataFrame, rows: int) -> dict[str, Any]:
    """Counts, the first readings and the first refusals; numbers are rows of the sample, from 1."""
    number = F.col("provenance.offset").alias("row")
    refused = parsed.where(~is_reading())
    reasons = refused.groupBy("refusal.reason").count().orderBy(F.desc("count"), "reason").collect()
    readings = parsed.where(is_reading())
    first = readings.select(number, F.col("signal_ts").cast("string"), "entity", "signals")
    wrong = refused.select(number, "refusal.reason", "refusal.message", F.col("value").cast("string"))
    return {
        "records": parsed.count(),
        "readings": readings.count(),
        "refused": {row.reason: row["count"] for row in reasons},
        "first_readings": [row.asDict() for row in first.orderBy("row").limit(rows).collect()],
        "first_refused": [row.asDict() for row in wrong.orderBy("row").limit(rows).collect()],
    }


if __name__ == "__main__":
    run_stage(main)
