"""What it costs to ask a stream how much it holds: of tables with many rows and many commits."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl
import pyarrow as pa
import yaml
from rich.console import Console
from rich.progress import track

from bench.growth import ELSEWHERE, fill_batch, parsed_rows
from bench.process import cost_of
from bench.stream import broker, definition
from headrace.contract.loader import load_contract
from headrace.errors import RunFailed
from headrace.kafka.topics import ensure_topic
from headrace.reconcile.ledger import Entry, SliceAccount, append_entry, newest_entries
from headrace.report.newest import require_account, standing_report
from headrace.report.page import write_report
from headrace.tables import queries
from headrace.tables.attempt import Attempt
from headrace.tables.batches import landed_position, newest_batches
from headrace.tables.commits import GoldCommit
from headrace.tables.creation import create_tables
from headrace.tables.gold_columns import column_comments
from headrace.tables.gold_commits import commit_gold
from headrace.tables.names import BATCHES, GOLD, LANDED
from headrace.tables.progress import is_analysed
from headrace.tables.warehouse import Warehouse

STREAM = "counts"
REFUSED = {"not_an_object": 1_000, "not_a_number": 250}
"""One row of so many is refused for that reason; the first that fits."""
DAY, HOUR = 1_440, 60
"""Readings of each: they are a minute apart."""
RUNS = 5


@dataclass(frozen=True)
class Counting:
    """A stream of so many rows and commits: (seconds, processor seconds) of each question, run by run."""

    rows: int
    commits: int
    took: dict[str, list[tuple[float, float]]]

    def median(self, question: str) -> tuple[float, float]:
        """Seconds and processor seconds, in the median."""
        seconds, cpu = (median(each) for each in zip(*self.took[question], strict=True))
        return seconds, cpu


def ask_all(folder: Path, rows: int, commits: int, console: Console, runs: int = RUNS) -> Counting:
    """Fill a stream's tables, hold its counts against what was filled in, and ask every question in turns.

    Raises:
        RunFailed: a count is wrong.
    """
    stream = _Filled.of(folder, rows)
    with broker(folder) as config:
        ensure_topic(config, stream.attempt.contract.topic)
        for number in track(range(commits), f"{rows:,} rows in {commits:,} commits"):
            stream.commit(number, rows * number // commits, rows * (number + 1) // commits)
        if (found := queries.counts(stream.warehouse)) != (right := stream.right(rows, commits)):
            raise RunFailed(f"the tables hold {right}, and the log says {found}")
        questions = stream.questions(config)
        took: dict[str, list[tuple[float, float]]] = {name: [] for name in questions}
        for _ in range(runs):
            for name, ask in questions.items():
                took[name].append(ask())
    counting = Counting(rows, commits, took)
    for name in questions:
        console.print("{}: {:.3f} s, {:.3f} s of processor time".format(name, *counting.median(name)))
    return counting


@dataclass(frozen=True)
class _Filled:
    """The stream: its rows are a minute apart, from 2017 on."""

    attempt: Attempt
    streams: Path

    @classmethod
    def of(cls, folder: Path, rows: int) -> "_Filled":
        own = definition(STREAM, rows)
        own["record"]["event_time"]["every"] = "PT1M"
        streams = folder / "streams"
        streams.mkdir()
        file = streams / f"{STREAM}.yaml"
        file.write_text(yaml.safe_dump(own, allow_unicode=True, sort_keys=False), encoding="utf-8")
        warehouse = Warehouse(folder / "warehouse", STREAM)
        warehouse.prepare()
        create_tables(warehouse)
        return cls(Attempt(load_contract(file), warehouse, "bench"), streams)

    @property
    def warehouse(self) -> Warehouse:
        return self.attempt.warehouse

    def commit(self, number: int, first: int, until: int) -> None:
        """A run: a batch, the gold tables' days that it touches, its account."""
        fill_batch(
            self.attempt,
            number,
            _with_refusals(parsed_rows(self.attempt.contract, STREAM, first, until - first), first),
            first,
        )
        commit = GoldCommit(
            run_id=str(number),
            try_id=self.attempt.try_id,
            batch=number,
            topic_id=STREAM,
            position={ELSEWHERE: until},
            readings_version=number + 1,
            analysis_sha256=self.attempt.contract.analysis_sha256,
        )
        days = range(first // DAY, -(-until // DAY))
        touched = [_day(each) for each in days] if number else None
        for table, rows in zip(GOLD, (_daily(days, until), self._hourly(days, until)), strict=True):
            commit_gold(self.warehouse, table, rows, commit, touched)
        append_entry(self.warehouse, _account(number))

    def _hourly(self, days: range, until: int) -> pa.Table:
        hours = range(days.start * 24, min(days.stop * 24, -(-until // HOUR)))
        begin = datetime(2016, 12, 31, 21, tzinfo=UTC)
        known: dict[str, Any] = {
            "signal_date": pa.array([_day(each // 24) for each in hours], pa.date32()),
            "signal_hour": pa.array(
                [begin + timedelta(hours=each) for each in hours], pa.timestamp("us", "UTC")
            ),
            "entity": pa.nulls(len(hours), pa.string()),
            "generation_indicator": pa.repeat("High", len(hours)),
            "readings": pa.repeat(HOUR, len(hours)),
        }
        average = pa.array([float(each % 3_600) for each in hours])
        return pa.table({name: known.get(name, average) for name in column_comments(self.attempt.contract)})

    def right(self, rows: int, commits: int) -> queries.Counts:
        """What the tables hold, by arithmetic."""
        thousands = rows // REFUSED["not_an_object"]
        refused = {"not_an_object": thousands, "not_a_number": rows // REFUSED["not_a_number"] - thousands}
        return queries.Counts(
            readings=rows - sum(refused.values()),
            quarantine={reason: count for reason, count in refused.items() if count},
            days=-(-rows // DAY),
            complete_days=rows // DAY,
            hours=-(-rows // HOUR),
            batches=commits,
        )

    def questions(self, config: dict[str, Any]) -> dict[str, Callable[[], tuple[float, float]]]:
        """Each question; asked, it says its seconds and processor seconds."""
        contract, warehouse = self.attempt.contract, self.warehouse
        until = landed_position(warehouse, STREAM)
        newest = newest_entries(warehouse, 1)[0]

        def gates() -> bool:
            return is_analysed(contract, warehouse, STREAM, until)

        def standing() -> None:
            newest_batches(warehouse, 5)
            newest_entries(warehouse, 1)
            landed_position(warehouse, STREAM)

        def report() -> None:
            write_report(contract, warehouse, newest)

        def report_stands() -> None:
            idle = require_account(warehouse, newest.run_id).model_copy(update={"run_id": "idle"})
            if standing_report(contract, warehouse, idle) is None:
                raise RunFailed("a report was to be written though nothing was new")

        asked: dict[str, Callable[[], object]] = {
            "rows of every table by the ends of its files, without its log": lambda: _read_and_counted(
                warehouse
            ),
            "`counts`: what `show` and the report say": lambda: queries.counts(warehouse),
            "position, newest batches, newest account": standing,
            "completeness": lambda: queries.completeness(contract, warehouse),
            "gate `landed`": lambda: landed_position(warehouse, STREAM),
            "gate `analysed`": gates,
            "report, written": report,
            "report, nothing new": report_stands,
        }
        timed = {name: _timed(ask) for name, ask in asked.items()}
        return {**timed, "`headrace show`, the whole process": lambda: self._show(config)}

    def _show(self, config: dict[str, Any]) -> tuple[float, float]:
        own = {
            "HEADRACE_STREAMS": str(self.streams),
            "HEADRACE_WAREHOUSE": str(self.warehouse.root),
            "AIRFLOW_CONN_KAFKA_DEFAULT": json.dumps({"extra": config}),
        }
        command = (sys.executable, "-m", "headrace", "show", STREAM)

        def start() -> "subprocess.Popen[str]":
            return subprocess.Popen(
                command,
                env={**os.environ, **own},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )

        cost = cost_of(start, lambda line: None)
        return cost.seconds, cost.cpu


def _timed(ask: Callable[[], object]) -> Callable[[], tuple[float, float]]:
    def timed() -> tuple[float, float]:
        began, used = time.perf_counter(), time.process_time()
        ask()
        return time.perf_counter() - began, time.process_time() - used

    return timed


def _read_and_counted(warehouse: Warehouse) -> Sequence[int]:
    """Each table scanned for its rows: Parquet says them at the end of a file."""
    tables = (*LANDED, *GOLD, BATCHES)
    return [queries.scan(warehouse, name).select(pl.len()).collect().item() for name in tables]


def _with_refusals(parsed: pa.RecordBatch, first: int) -> pa.RecordBatch:
    number = pl.int_range(first, first + parsed.num_rows, eager=True)
    reason = pl.lit(None, pl.String)
    for code, every in reversed(REFUSED.items()):
        reason = pl.when(number % every == every - 1).then(pl.lit(code)).otherwise(reason)
    column = pl.select(reason).to_series().to_arrow().cast(pa.string())
    for name in ("reason", "message"):
        parsed = parsed.set_column(parsed.schema.get_field_index(name), name, column)
    return parsed


def _daily(days: range, until: int) -> pa.Table:
    found = [min(until, (day + 1) * DAY) - day * DAY for day in days]
    begin = datetime(2016, 12, 31, 21, tzinfo=UTC)
    instant = pa.timestamp("us", "UTC")
    return pa.table(
        {
            "signal_date": pa.array(map(_day, days), pa.date32()),
            "entity": pa.nulls(len(days), pa.string()),
            "distinct_signal_ts": pa.array(found, pa.int64()),
            "expected": pa.repeat(DAY, len(days)),
            "missing": pa.array([DAY - each for each in found], pa.int64()),
            "first": pa.array([begin + timedelta(days=day) for day in days], instant),
            "last": pa.array(
                [begin + timedelta(days=day, minutes=n - 1) for day, n in zip(days, found, strict=True)],
                instant,
            ),
        }
    )


def _day(number: int) -> date:
    return date(2017, 1, 1) + timedelta(days=number)


def _account(number: int) -> Entry:
    """Of a run that has landed nothing itself, as most are."""
    return Entry(
        run_id=str(number),
        finished=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=5 * number),
        topic=f"{STREAM}.readings",
        topic_id=STREAM,
        slice=SliceAccount(ranges=(), visible=0, landed=0, quarantined=0),
        sources=(),
    )
