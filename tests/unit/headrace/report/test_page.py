"""The report: one file, self-contained, right in its figures, and safe from hostile text."""

import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from unittest.mock import Mock
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from headrace.contract.loader import load_contract
from headrace.contract.model import Contract
from headrace.errors import WarehouseError
from headrace.offsets import OffsetRange
from headrace.reconcile.ledger import Entry, SliceAccount, SourceAccount, append_entry
from headrace.report.newest import require_account
from headrace.report.page import write_report
from headrace.settings import PROJECT
from headrace.tables import queries
from headrace.tables.commits import open_table
from headrace.tables.signal_values import signal_values
from headrace.tables.warehouse import Warehouse

HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>"
RUN_ID = f"manual__{HOSTILE}"


@pytest.fixture
def contract() -> Contract:
    return load_contract(PROJECT / "include/streams/wind_turbine.yaml")


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """Two days of readings, one of them half, and one hostile record in quarantine."""
    made = Warehouse(tmp_path, "wind_turbine")
    made.prepare()
    start = datetime(2018, 3, 1, tzinfo=ZoneInfo("Europe/Istanbul"))
    instants = [start + timedelta(minutes=10 * step) for step in range(144 + 72)]
    signals = {
        "LV ActivePower (kW)": "1500.5",
        "Wind Speed (m/s)": "8.25",
        "Theoretical_Power_Curve (KWh)": "1600",
        "Wind Direction (°)": "60",
        HOSTILE: HOSTILE,
    }
    texts = pa.map_(pa.string(), pa.string())
    readings = {
        "signal_ts": pa.array(instants, pa.timestamp("us", tz="UTC")),
        "signals": pa.array([list(signals.items())] * len(instants), texts),
    }
    daily = {
        "signal_date": pa.array([date(2018, 3, 1), date(2018, 3, 4)]),
        "entity": pa.array([None, None], pa.string()),
        "distinct_signal_ts": [144, 72],
        "expected": [144, 144],
        "missing": [0, 72],
    }
    hours = sorted({instant.replace(minute=0) for instant in instants})
    hourly = {
        "signal_hour": pa.array(hours, pa.timestamp("us", tz="UTC")),
        "active_power_average": [1500.5] * len(hours),
    }
    for name, columns in (
        ("readings", readings),
        ("quarantine", {"reason": ["not_an_object"], "message": [HOSTILE]}),
        ("daily_completeness", daily),
        ("hourly_average", hourly),
    ):
        write_deltalake(str(made.table(name)), pa.table(columns))
    return made


def an_entry(*problems: str) -> Entry:
    return Entry(
        run_id=RUN_ID,
        finished=datetime(2026, 11, 23, 12, tzinfo=UTC),
        topic="t",
        topic_id="id",
        slice=SliceAccount(
            ranges=(OffsetRange(partition=0, start=0, until=217),), visible=217, landed=216, quarantined=1
        ),
        sources=(
            SourceAccount(
                publication="p",
                source=HOSTILE,
                rows=217,
                landed=216,
                quarantined=1,
                accepted_loss=0,
                pending=False,
                problems=problems,
            ),
        ),
    )


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def page(contract: Contract, warehouse: Warehouse) -> Page:
    return Page(
        write_report(contract, warehouse, require_account(warehouse, RUN_ID)).read_text(encoding="utf-8")
    )


def test_it_says_what_the_tables_hold(contract: Contract, warehouse: Warehouse) -> None:
    append_entry(warehouse, an_entry())
    found = page(contract, warehouse)
    flat = re.sub(r"\s+", " ", found.text)
    assert "Every record is accounted for" in flat
    for figure in ("216 readings", "1 in quarantine", "2 days, 1 complete", "36 hours"):
        assert figure.replace(" ", "") in flat.replace(" ", "")
    assert "360 of 576 readings are missing; 2 days have none at all" in flat
    assert "217 rows = 216 landed + 1 quarantined + 0 accepted as lost" in flat
    assert found.tags.count("img") == 4


def test_a_wrong_clock_is_named_and_not_counted(contract: Contract, warehouse: Warehouse) -> None:
    append_entry(warehouse, an_entry())
    wrong = {
        "signal_date": [date(2000, 1, 1)],
        "entity": pa.array([None], pa.string()),
        "distinct_signal_ts": [1],
        "expected": [144],
        "missing": [143],
    }
    write_deltalake(str(warehouse.table("daily_completeness")), pa.table(wrong), mode="append")
    flat = re.sub(r"\s+", " ", page(contract, warehouse).text)
    assert "360 of 576 readings are missing; 2 days have none at all" in flat
    assert "1 readings of 1 days lie outside 2018-03-01 to 2018-03-04, over a year from all others" in flat


def test_it_computes_completeness_once(
    contract: Contract, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads every day of every entity."""
    append_entry(warehouse, an_entry())
    computed = Mock(wraps=queries.completeness)
    monkeypatch.setattr(queries, "completeness", computed)
    write_report(contract, warehouse, require_account(warehouse, RUN_ID))
    assert computed.call_count == 1


def test_it_says_where_it_shows_a_part(
    contract: Contract, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    append_entry(warehouse, an_entry())
    assert "newest" not in page(contract, warehouse).text
    assert "One point a reading." in page(contract, warehouse).text
    more = {"signal_date": [date(2015, 1, 1)], "entity": [None], "distinct_signal_ts": [144]}
    schema = pa.schema(open_table(warehouse.table("daily_completeness")).schema())
    days = pa.table(more | {"expected": [144], "missing": [0]}, schema)
    write_deltalake(warehouse.table("daily_completeness"), days, mode="append")
    monkeypatch.setattr(signal_values, "__defaults__", (100,))
    told = page(contract, warehouse).text
    assert told.count("The newest 24 months are shown.") == 2
    assert "of 216 readings, evenly chosen" in told


def test_it_needs_nothing_else_and_is_small(contract: Contract, warehouse: Warehouse) -> None:
    append_entry(warehouse, an_entry())
    file = write_report(contract, warehouse, require_account(warehouse, RUN_ID))
    assert file.stat().st_size < 5_000_000
    found = Page(file.read_text(encoding="utf-8"))
    assert all(link.startswith("data:image/png;base64,") for link in found.links)


def test_hostile_text_stays_text(contract: Contract, warehouse: Warehouse) -> None:
    append_entry(warehouse, an_entry(HOSTILE))
    found = page(contract, warehouse)
    assert HOSTILE in found.text
    assert "Not everything is accounted for" in found.text
    assert "script" not in found.tags
    assert found.handlers == []


def test_a_run_without_account_has_no_report(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="is not in the ledger; clear and run `reconcile` first"):
        require_account(warehouse, "another run")
