"""Hostile records through a real broker and the real drivers: each ends where it must, and nothing stops."""

from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import pytest
from confluent_kafka import Producer

from headrace.parse.reasons import Reason
from headrace.reconcile.ledger import Entry
from headrace.reconcile.reconciliation import reconcile
from headrace.report.newest import require_account
from headrace.report.page import write_report
from headrace.settings import Settings
from headrace.tables import queries
from headrace.tables.names import GOLD
from headrace.tables.signal_values import signal_values
from headrace.tables.slices import fix_slice
from headrace.tables.warehouse import Warehouse
from local.stack.broker import Broker
from testbed.hostile_records import CASES, CONTROL, DEFINITION, HTML, SPEED, Case
from testbed.stages import Land, succeed, succeeded
from testbed.streams import Stream, make_stream

HOSTILE = CASES["HTML and control characters"]
assert HOSTILE.value is not None

LATER: dict[str, Case] = {
    "the same, other power": Case(HOSTILE.value.replace(b'"power": 1', b'"power": 2'), Reason.CONFLICT),
    "the same again": Case(HOSTILE.value.replace(b'"power": 1', b'"power":\t1'), Reason.DUPLICATE),
    "a good one": Case(
        b'{"id": "good", "mill": "m", "time": "2018-01-01 00:40", "power": 7}', {"id": "good", "power": "7"}
    ),
    "nothing": Case(None, Reason.EMPTY),
}
"""What comes after the hostile ones, in a run of its own."""

ALL = CASES | LATER
OFFSETS = {name: offset for offset, name in enumerate(ALL)}
READINGS = [name for name, case in ALL.items() if isinstance(case.becomes, dict)]
REFUSED = [name for name, case in ALL.items() if isinstance(case.becomes, Reason)]

ROWS = """
    SELECT provenance.offset, entity, signals FROM readings;
    SELECT provenance.offset, reason, message, key, value, headers FROM quarantine
"""


@dataclass(frozen=True)
class Landed:
    """Two runs of the stream: the hostile records, analysed, and what came after them."""

    stream: Stream
    settings: Settings
    warehouse: Warehouse
    readings: dict[int, tuple[Any, ...]]
    quarantine: dict[int, tuple[Any, ...]]


def _produce(stream: Stream, cases: dict[str, Case]) -> None:
    producer = Producer({**stream.config, "message.max.bytes": 4_000_000})
    for case in cases.values():
        producer.produce(stream.contract.topic.name, case.value, case.key, headers=list(case.headers))
    assert producer.flush(30) == 0


def tables(warehouse: Warehouse, *names: str) -> duckdb.DuckDBPyConnection:
    """DuckDB over the tables, as docs/how-to/read-the-tables.md has it."""
    engine = duckdb.connect()
    for name in names:
        engine.register(name, queries.open_table(warehouse.table(name)).to_pyarrow_dataset())
    return engine


@pytest.fixture(scope="module")
def landed(broker: Broker, land: Land, tmp_path_factory: pytest.TempPathFactory) -> Landed:
    folder = tmp_path_factory.mktemp("hostile")
    stream = make_stream(folder, broker.config, DEFINITION)
    settings = Settings(warehouse=folder / "warehouse", home=folder / "home")
    warehouse = Warehouse.of(settings, "hostile")
    for run, cases in (("first", CASES), ("second", LATER)):
        start = {0: OFFSETS[next(iter(cases))]}
        _produce(stream, cases)
        run_slice = stream.slice_to_end(start).model_copy(update={"run_id": run})
        succeeded(land(stream.job(warehouse.root, fix_slice(warehouse, run_slice))))
        if run == "first":
            succeed("analyse.py", stream.job(warehouse.root))
    with tables(warehouse, "readings", "quarantine") as engine:
        readings, quarantine = (
            {offset: tuple(rest) for offset, *rest in engine.execute(query).fetchall()}
            for query in ROWS.split(";")
        )
    return Landed(stream, settings, warehouse, readings, quarantine)


@pytest.mark.parametrize("name", READINGS)
def test_it_is_a_reading_with_its_text_intact(landed: Landed, name: str) -> None:
    assert OFFSETS[name] not in landed.quarantine, landed.quarantine[OFFSETS[name]][:2]
    _, signals = landed.readings[OFFSETS[name]]
    assert signals == ALL[name].becomes


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_in_quarantine_with_its_reason_and_bytes(landed: Landed, name: str) -> None:
    assert OFFSETS[name] not in landed.readings
    reason, message, key, value, headers = landed.quarantine[OFFSETS[name]]
    case = ALL[name]
    assert reason == case.becomes
    assert message.startswith(Reason(reason).text)
    if reason == Reason.DUPLICATE:
        assert (key, value, headers) == (None, None, None)
    else:
        assert (key, value) == (case.key, case.value)
        assert [(each["key"], each["value"]) for each in headers or ()] == list(case.headers)


def test_nothing_else_is_in_the_tables(landed: Landed) -> None:
    found = queries.counts(landed.warehouse)
    assert (found.readings, sum(found.quarantine.values())) == (len(READINGS), len(REFUSED))
    assert found.quarantine.keys() <= {reason.value for reason in Reason}


def test_each_reading_is_in_the_hours(landed: Landed) -> None:
    """Their sums are those of the readings, which DuckDB takes from the table itself."""
    with tables(landed.warehouse, "readings", "hourly_average") as engine:
        hours = engine.sql(
            "SELECT entity, signal_hour, readings, power FROM hourly_average ORDER BY entity, signal_hour"
        ).fetchall()
        engine.execute("SET TimeZone = 'Europe/Istanbul'")  # in 1678 its hours began at odd seconds of UTC
        expected = engine.sql("""
            SELECT entity, date_trunc('hour', signal_ts), count(*), avg(signals['power']::DOUBLE)
            FROM readings WHERE provenance.batch = 0 GROUP BY ALL ORDER BY 1, 2
        """).fetchall()
    assert [row[:3] for row in hours] == [row[:3] for row in expected]
    assert [row[3] for row in hours] == pytest.approx([row[3] for row in expected])
    assert sum(row[2] for row in hours) == sum(isinstance(case.becomes, dict) for case in CASES.values())
    assert HTML in {row[0] for row in hours}


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def page(landed: Landed) -> Path:
    entry: Entry = reconcile(landed.stream.contract, landed.settings, landed.stream.config, "second")
    assert (entry.slice.visible, entry.slice.landed, entry.slice.quarantined) == (4, 1, 3)
    return write_report(landed.stream.contract, landed.warehouse, require_account(landed.warehouse, "second"))


def test_each_run_is_balanced(landed: Landed) -> None:
    entry = reconcile(landed.stream.contract, landed.settings, landed.stream.config, "first")
    good = sum(isinstance(case.becomes, dict) for case in CASES.values())
    assert (entry.slice.visible, entry.slice.landed) == (len(CASES), good)
    assert entry.slice.quarantined == len(CASES) - good


def test_the_page_shows_hostile_text_as_text(page: Path) -> None:
    parsed = _Elements()
    parsed.feed(page.read_text(encoding="utf-8"))
    tags = {tag for tag, _ in parsed.elements}
    assert "script" not in tags
    assert {key for _, attributes in parsed.elements for key in attributes if key.startswith("on")} == set()
    images = [attributes["src"] or "" for tag, attributes in parsed.elements if tag == "img"]
    assert len(images) == 4
    assert all(image.startswith("data:image/png;base64,") for image in images)
    assert HTML in "".join(parsed.text)


def test_the_page_stays_small(page: Path) -> None:
    """Records of 900 KB are among the rows that it shows."""
    assert "f0 = 0" in page.read_text(encoding="utf-8")
    assert page.stat().st_size < 600_000


def test_sql_and_queries_answer(landed: Landed) -> None:
    names = ("readings", "quarantine", *GOLD)
    with tables(landed.warehouse, *names) as engine:
        for name in names:
            assert engine.sql(f"SELECT count(*), count(COLUMNS(*)) FROM {name}").fetchall()
    for name in ("readings", *GOLD, "ledger"):
        assert queries.first_rows(landed.stream.contract, landed.warehouse, name, 1_000)
    assert queries.completeness(landed.stream.contract, landed.warehouse) is not None
    speeds = signal_values(landed.warehouse, [SPEED])[SPEED]
    assert sorted(speeds.drop_nulls()) == [-1e308, 3.0, 1e308, 1e308]
    assert CONTROL in landed.readings[OFFSETS["HTML and control characters"]][1].values()
