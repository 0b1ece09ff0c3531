"""Random bytes and damaged records of T1.csv through broker and drivers, compared with a reading in Python.

`HEADRACE_FUZZ_SEED` makes other ones; `HEADRACE_FUZZ_RECORDS` makes more of them.
"""

import csv
import json
import math
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from confluent_kafka import Producer
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from headrace.contract.record import Signal
from headrace.parse.reasons import Reason
from headrace.reconcile.reconciliation import reconcile
from headrace.report.newest import require_account
from headrace.report.page import write_report
from headrace.settings import PROJECT, Settings
from headrace.tables.names import HOURLY_AVERAGE
from headrace.tables.queries import counts, scan
from headrace.tables.slices import fix_slice
from headrace.tables.warehouse import Warehouse
from local.stack.broker import Broker
from testbed.fuzzed import Pairs, altered, mutated, parsed, strictly
from testbed.stages import Land, succeed, succeeded
from testbed.streams import Stream, make_stream, show

SEED = int(os.environ.get("HEADRACE_FUZZ_SEED", "5"))
RECORDS = int(os.environ.get("HEADRACE_FUZZ_RECORDS", "1000"))
ZONE = ZoneInfo("Europe/Istanbul")
DEFINITION: dict[str, Any] = yaml.safe_load(
    (PROJECT / "include/streams/wind_turbine.yaml").read_text("utf-8")
)
DEFINITION |= {"stream": "fuzzed", "source": {"kind": "external"}, "topic": {"name": "fuzzed"}}
DEFINITION["record"]["event_time"]["latest"] = "2261-12-31"
DEFINITION["landing"] = {"max_records_per_batch": 600, "quarantine_limit": "100%"}


def real_records(count: int) -> list[str]:
    """Rows of T1.csv as publishing sends them, and some with numbers in place of their texts."""
    with (PROJECT / "include/data/wind_turbine/T1.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(islice(csv.DictReader(file), 0, None, 50_530 // count))
    numbers = [
        {name: text if name == "Date/Time" else float(text) for name, text in row.items()} for row in rows
    ]
    return [json.dumps(row, separators=(",", ":")) for row in rows] + [json.dumps(row) for row in numbers]


def generated() -> list[bytes | None]:
    """What hypothesis makes of the seed."""
    found: list[bytes | None] = []
    real = real_records(300)
    several = st.one_of(altered(real), altered(real), mutated(real), st.binary(max_size=60), st.none())

    @seed(SEED)
    @hypothesis_settings(
        max_examples=RECORDS, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck)
    )
    @given(value=several)
    def collect(value: bytes | None) -> None:
        found.append(value)

    collect()
    return found


@dataclass(frozen=True)
class Landed:
    """The records in the order of their offsets, and what the tables hold of each."""

    stream: Stream
    settings: Settings
    sent: list[bytes | None]
    readings: dict[int, dict[str, str | None]]
    reasons: dict[int, str]


@pytest.fixture(scope="module")
def landed(broker: Broker, land: Land, tmp_path_factory: pytest.TempPathFactory) -> Landed:
    folder = tmp_path_factory.mktemp("fuzzed")
    stream = make_stream(folder, broker.config, DEFINITION)
    settings = Settings(warehouse=folder / "warehouse", home=folder / "home")
    warehouse = Warehouse.of(settings, "fuzzed")
    sent = generated()
    producer = Producer(stream.config)
    for value in sent:
        producer.produce(stream.contract.topic.name, value)
    assert producer.flush(30) == 0
    job = stream.job(warehouse.root, fix_slice(warehouse, stream.slice_to_end()))
    succeeded(land(job))
    succeed("analyse.py", job)
    readings = scan(warehouse, "readings").select("provenance", "signals").collect().to_arrow().to_pylist()
    quarantine = scan(warehouse, "quarantine").select("provenance", "reason").collect().to_dicts()
    show(f"seed {SEED}: {len(sent)} records: {counts(warehouse)}")
    return Landed(
        stream,
        settings,
        sent,
        {row["provenance"]["offset"]: dict(row["signals"]) for row in readings},
        {row["provenance"]["offset"]: row["reason"] for row in quarantine},
    )


def test_landed_and_quarantined_are_what_was_sent_and_none_is_both(landed: Landed) -> None:
    assert landed.readings.keys().isdisjoint(landed.reasons)
    assert landed.readings.keys() | landed.reasons.keys() == set(range(len(landed.sent)))
    entry = reconcile(landed.stream.contract, landed.settings, landed.stream.config, "a run")
    assert entry.slice.visible == len(landed.sent)


def test_every_reason_is_a_known_one_and_most_of_them_occur(landed: Landed) -> None:
    occurring = set(map(Reason, landed.reasons.values()))
    assert len(occurring) >= 9
    assert len(landed.readings) > 100


def test_python_comes_to_the_same_verdict_on_each(landed: Landed) -> None:
    before: dict[str, Pairs] = {}
    for offset, value in enumerate(landed.sent):
        found = Reason(landed.reasons[offset]) if offset in landed.reasons else None
        assert found in verdicts(landed.stream, value, before), (offset, value)
        if found is None:
            pairs = strictly(value or b"")
            assert pairs is not None
            before[dict(pairs)["Date/Time"]] = pairs
            texts = {named(landed.stream, name): text for name, text in pairs if name != "Date/Time"}
            signals = landed.readings[offset]
            assert texts.keys() == signals.keys(), value
            for name, text in texts.items():
                assert signals[name] == text or parsed(str(signals[name])) == text, (name, value)


def named(stream: Stream, field: str) -> str:
    """The signal that comes under this name, else the name."""
    signals = stream.contract.record.signals
    return next((signal.name for signal in signals if field in signal.fields), field)


def verdicts(stream: Stream, value: bytes | None, before: dict[str, Pairs]) -> set[Reason | None]:
    """What may become of a record, by Python alone."""
    pairs = strictly(value or b"")
    if pairs is None:
        return {Reason.NOT_UTF8, Reason.NOT_AN_OBJECT} if value else {Reason.EMPTY}
    fields = {named(stream, name): text for name, text in pairs}
    if len(fields) < len(pairs):
        return {Reason.REPEATED_FIELD}
    time = fields.get("Date/Time")
    signals = stream.contract.record.signals
    numbers = [(fields[each.name], each) for each in signals if fields.get(each.name) not in (None, "")]
    wrong = [Reason.MISSING_FIELD if time in (None, "") else wrong_time(time)]
    wrong += [wrong_number(text, signal) for text, signal in numbers]
    if not any(wrong) and time in before:
        same = comparable(stream, before[time]) == comparable(stream, pairs)
        wrong = [Reason.DUPLICATE if same else Reason.CONFLICT]
    return {next(filter(None, wrong), None)}


def comparable(stream: Stream, pairs: Pairs) -> dict[str, str]:
    """Fields whatever their order; a number and its text are one thing, but not within an object or list."""
    return {named(stream, name): text if isinstance(text, str) else repr(text) for name, text in pairs}


YEAR = re.compile(r"([0-9]{2} [0-9]{2} )([0-9]{4}|-[0-9]{4,5}|[+][0-9]{5})( [0-9]{2}:[0-9]{2})")
"""Years as Java reads yyyy: with a sign it takes some that Python has not."""


def wrong_time(text: object) -> Reason | None:
    parts = YEAR.fullmatch(text) if isinstance(text, str) else None
    if parts is None:
        return Reason.BAD_EVENT_TIME
    year = int(parts[2])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    like = year if 1900 < year < 9999 else 2000 if leap else 2001
    try:
        local = datetime.strptime(f"{parts[1]}{like}{parts[3]}", "%d %m %Y %H:%M").replace(tzinfo=ZONE)
    except ValueError:
        return Reason.BAD_EVENT_TIME
    if year == like and local.astimezone(UTC).astimezone(ZONE).replace(tzinfo=None) != local.replace(
        tzinfo=None
    ):
        return Reason.BAD_EVENT_TIME  # a clock change skips it
    if year < 2000:
        return Reason.EARLY_EVENT_TIME
    return Reason.LATE_EVENT_TIME if year > 2261 else None


def wrong_number(text: object, signal: Signal) -> Reason | None:
    if not isinstance(text, str) or set(text) - set("0123456789+-.eE"):
        return Reason.NOT_A_NUMBER
    try:
        number = float(text)
    except ValueError:
        return Reason.NOT_A_NUMBER
    if math.isinf(number):
        return Reason.NOT_A_NUMBER
    assert signal.minimum is not None
    assert signal.maximum is not None
    return None if signal.minimum <= number <= signal.maximum else Reason.OUT_OF_RANGE


def test_what_follows_does_not_fail(landed: Landed) -> None:
    warehouse = Warehouse.of(landed.settings, "fuzzed")
    hours = scan(warehouse, HOURLY_AVERAGE).select("readings").sum().collect().item()
    assert hours == len(landed.readings)
    reconcile(landed.stream.contract, landed.settings, landed.stream.config, "a run")
    assert write_report(landed.stream.contract, warehouse, require_account(warehouse, "a run")).exists()
