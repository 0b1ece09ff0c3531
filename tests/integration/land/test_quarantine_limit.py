"""Quarantine's limit through the real drivers: too large a share fails the run, after all of it is landed."""

import re
from dataclasses import dataclass

import pytest
from confluent_kafka import Producer

from headrace.reconcile.reconciliation import reconcile
from headrace.settings import Settings
from headrace.tables.batches import Batch, read_batches
from headrace.tables.queries import counts
from headrace.tables.slices import Slice, fix_slice
from headrace.tables.warehouse import Warehouse
from local.stack.broker import Broker
from testbed.stages import Land, Outcome
from testbed.streams import Stream, make_stream

DEFINITION = {
    "stream": "limited",
    "source": {"kind": "external"},
    "topic": {"name": "limited"},
    "record": {
        "identity": ["id"],
        "event_time": {"field": "time", "format": "yyyy-MM-dd HH:mm"},
        "signals": [{"name": "power", "fields": ["power"], "maximum": 100}],
    },
    # of floats, 0.7 / 100 * 1000 is less than 7
    "landing": {"max_records_per_batch": 600, "quarantine_limit": "0.7%"},
}

TOO_HIGH, NO_TIME, NO_JSON = '"time": "2018-01-01 00:00", "power": 101', '"power": 1', '"power": 01'


def _records(first: int, count: int, fields: str = '"time": "2018-01-01 00:00", "power": 1') -> list[bytes]:
    return [f'{{"id": {at}, {fields}}}'.encode() for at in range(first, first + count)]


AT_THE_LIMIT = _records(0, 993) + _records(0, 5) + _records(2_000, 4, TOO_HIGH) + _records(2_004, 3, NO_JSON)
"""1,000 new records of which 7 are refused, and 5 more that are duplicates."""

ABOVE = _records(3_000, 4, TOO_HIGH) + _records(3_004, 2, NO_TIME) + [b""] + _records(4_000, 893)
"""900 records of which 7 are refused."""

BELOW = _records(5_000, 10)


@dataclass(frozen=True)
class Ended:
    """A run of `land`: how it ended, and how the tables stood then."""

    outcome: Outcome
    batches: list[Batch]
    readings: int
    quarantine: dict[str, int]


@pytest.fixture(scope="module")
def settings(land: Land, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("limited")
    return Settings(warehouse=folder / "warehouse", home=folder / "home")


@pytest.fixture(scope="module")
def stream(broker: Broker, land: Land, tmp_path_factory: pytest.TempPathFactory) -> Stream:
    return make_stream(tmp_path_factory.mktemp("streams"), broker.config, DEFINITION)


@pytest.fixture(scope="module")
def ended(stream: Stream, settings: Settings, land: Land) -> dict[str, Ended]:
    """Three runs, the second of them tried twice."""
    warehouse = Warehouse.of(settings, "limited")
    found, start = {}, 0
    for name, values in (("at the limit", AT_THE_LIMIT), ("above", ABOVE), ("below", BELOW)):
        producer = Producer(stream.config)
        for value in values:
            producer.produce(stream.contract.topic.name, value)
        assert producer.flush(30) == 0
        slice_of_run = stream.slice_to_end({0: start}).model_copy(update={"run_id": name})
        own = fix_slice(warehouse, slice_of_run)
        start = own.until[0]
        found[name] = _land(land, stream, warehouse, own)
        if name == "above":
            found["above, tried again"] = _land(land, stream, warehouse, own)
    return found


def _land(land: Land, stream: Stream, warehouse: Warehouse, own: Slice) -> Ended:
    outcome = land(stream.job(warehouse.root, own))
    now = counts(warehouse)
    return Ended(outcome, read_batches(warehouse), now.readings, now.quarantine)


def test_exactly_at_the_limit_it_passes_and_duplicates_are_outside_the_share(ended: dict[str, Ended]) -> None:
    at = ended["at the limit"]
    assert at.outcome.code == 0, at.outcome.output
    assert "records 1005 landed 993 quarantined 7 duplicates 5 in 2 batches" in at.outcome.output
    assert at.quarantine == {"duplicate": 5, "out_of_range": 4, "not_an_object": 3}


def test_above_it_fails_for_good_with_the_top_reasons(ended: dict[str, Ended]) -> None:
    above = ended["above"]
    error = above.outcome.error
    assert error is not None, above.outcome.output
    assert (error.code, error.transient) == ("HR406", False)
    said = "7 of 900 new records (0.8%) went to quarantine, the contract's limit is 0.7%: "
    assert said in error.message
    first = r"\(first: partition \d+, offset \d+: [^)]*(?:\([^)]*\)[^)]*)*\)"
    assert re.search(
        rf"0\.7%: out_of_range 4 {first}; missing_field 2 {first}; empty 1 {first}\. All is", error.message
    )


def test_all_of_it_is_landed_all_the_same(ended: dict[str, Ended]) -> None:
    before, after = ended["at the limit"], ended["above"]
    assert after.readings - before.readings == 893
    new = after.batches[len(before.batches) :]
    assert [(row.records, row.landed, row.quarantined) for row in new] == [(600, 593, 7), (300, 300, 0)]
    assert after.quarantine == {
        "out_of_range": 8,
        "duplicate": 5,
        "not_an_object": 3,
        "missing_field": 2,
        "empty": 1,
    }


def test_a_retry_fails_in_the_same_way_and_adds_nothing(ended: dict[str, Ended]) -> None:
    first, again = ended["above"], ended["above, tried again"]
    assert (again.outcome.terminal, again.outcome.error) == (True, first.outcome.error)
    assert (again.batches, again.readings, again.quarantine) == (
        first.batches,
        first.readings,
        first.quarantine,
    )


def test_the_next_run_is_judged_by_its_own_records(ended: dict[str, Ended]) -> None:
    below = ended["below"]
    assert below.outcome.code == 0, below.outcome.output
    assert "records 10 landed 10 quarantined 0 duplicates 0 in 1 batches" in below.outcome.output


def test_the_failed_run_is_accounted_for(stream: Stream, settings: Settings, ended: dict[str, Ended]) -> None:
    assert ended["above"].outcome.terminal
    entry = reconcile(stream.contract, settings, stream.config, "above")
    assert (entry.slice.visible, entry.slice.landed, entry.slice.quarantined) == (900, 893, 7)
