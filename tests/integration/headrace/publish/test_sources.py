"""A source of each kind, from the file to the account, though its publisher is killed on the way."""

import bz2
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from headrace.reconcile.reconciliation import reconcile
from headrace.settings import Settings
from headrace.tables.queries import open_table
from headrace.tables.slices import fix_slice
from local.stack.broker import Broker
from testbed.stages import run_in_worker, succeeded
from testbed.streams import make_stream
from testbed.waiting import until_nothing_is_open
from tests.integration.headrace.publish.conftest import Publisher

Row = tuple[str, str]
"""Time and value."""

ROWS: list[Row] = [
    (f"2024-05-{1 + at // 1440:02} {at // 60 % 24:02}:{at % 60:02}", f"{at / 8:.4f}") for at in range(12_000)
]


def logger_file(rows: list[Row]) -> bytes:
    """Lines before the header, units, comments, blank lines, a delimiter behind each row, in cp1252."""
    lines = ["a logger's", "own words", "Time;U;Größe;", ";V;;"]
    for at, (time, value) in enumerate(rows):
        lines += [f"{time};{value};ä;", *(["", "# so far"] if at % 1_000 == 0 else [])]
    whole = "".join(f"{line}\r\n" for line in lines).encode("cp1252")
    return zstandard.ZstdCompressor().compress(whole)


def json_lines(rows: list[Row]) -> bytes:
    """The values as numbers, as they are written."""
    lines = (f'{{"Time": {json.dumps(time)}, "U": {value}, "Größe": "ä"}}\n' for time, value in rows)
    return bz2.compress("".join(lines).encode())


def parquet_file(rows: list[Row]) -> bytes:
    """In row groups of a thousand; the values are decimals, whose places stay."""
    times, values = zip(*rows, strict=True)
    decimals = pa.array([Decimal(value) for value in values], pa.decimal128(12, 4))
    file = io.BytesIO()
    table = pa.table({"Time": times, "U": decimals, "Größe": ["ä"] * len(rows)})
    pq.write_table(table, file, row_group_size=1_000)
    return file.getvalue()


@dataclass(frozen=True)
class Kind:
    """How its file is written and named, what the contract says of it, and how many lines are no rows."""

    write: Callable[[list[Row]], bytes]
    name: str
    source: dict[str, Any]
    skipped: int = 0


LOGGER = {
    "kind": "csv",
    "encoding": "cp1252",
    "delimiter": ";",
    "preamble": 2,
    "units": 1,
    "comment": "#",
    "blank_lines": "skip",
    "trailing_delimiter": True,
}

KINDS = {
    "csv of a logger": Kind(logger_file, "logger.csv.zst", LOGGER, skipped=27),
    "parquet": Kind(parquet_file, "rows.parquet", {"kind": "parquet"}),
    "jsonl": Kind(json_lines, "events.jsonl.bz2", {"kind": "jsonl"}),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_source_of_each_kind_is_published_once_landed_and_accounted_for(
    name: str, broker: Broker, tmp_path: Path
) -> None:
    kind = KINDS[name]
    file = tmp_path / kind.name
    file.write_bytes(kind.write(ROWS))
    definition = {
        "stream": "kinds",
        "source": {"path": str(file), **kind.source},
        "topic": {"name": "kinds", "partitions": 2},
        "record": {
            "key": ["Time"],
            "event_time": {"field": "Time", "format": "yyyy-MM-dd HH:mm"},
            "signals": [{"name": "U", "fields": ["U"], "required": True}],
        },
    }
    stream = make_stream(tmp_path, broker.config, definition)
    settings = Settings(warehouse=tmp_path / "warehouse", home=tmp_path / "home", source_roots=str(tmp_path))
    publisher = Publisher(stream.contract, settings, stream.config)
    publisher.killed_at("publish.after_commit:1")
    until_nothing_is_open(stream.config, publisher.topic)
    resumed = publisher.publish("a run")
    assert (resumed.rows, resumed.resumed_at, resumed.published) == (12_000, 10_001, 2_000)
    assert publisher.publish("again").published == 0

    warehouse = stream.warehouse(settings.warehouse_path)
    fix_slice(warehouse, stream.slice_to_end())
    succeeded(run_in_worker(stream.job(settings.warehouse_path)))
    entry = reconcile(stream.contract, settings, stream.config, "a run")
    (account,) = entry.sources
    assert (entry.balanced, account.rows, account.landed) == (True, 12_000, 12_000)
    assert [note for note in entry.notes if f" {kind.skipped} lines more are no rows" in note] == (
        [*entry.notes] if kind.skipped else []
    )
    with duckdb.connect() as sql:
        sql.register("readings", open_table(warehouse.table("readings")).to_pyarrow_dataset())
        sql.execute("SET TimeZone = 'UTC'")
        landed = sql.sql("""
            SELECT strftime(signal_ts, '%Y-%m-%d %H:%M'), signals['U'], signals['Größe']
            FROM readings ORDER BY provenance.row
        """).fetchall()
    assert landed == [(*row, "ä") for row in ROWS]
