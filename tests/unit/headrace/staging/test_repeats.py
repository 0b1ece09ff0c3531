"""Repeats in real tables: what stays, what is quarantined and in which words; a small model says the same."""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from headrace.errors import RecordsExpired
from headrace.identities.index import catch_up
from headrace.staging.landed_readings import not_landed, places_of
from headrace.staging.restaging import all_refused, without_repeats
from headrace.staging.staged import Refused, Staged
from headrace.staging.staging import stage
from headrace.tables.commits import open_table
from headrace.tables.creation import create_tables
from headrace.tables.names import QUARANTINE, READINGS
from headrace.tables.warehouse import Warehouse
from testbed.landed_batches import a_staging, commit_staged, land_as_they_are
from testbed.parsed_rows import Parsed, parsed

DAY = 24 * 60
SAME = "the same identity and content as a landed record; outside the share limit"
OTHER = "the identity of a landed record, with other content"
EARLIER = "refused under the contract of a try that was broken off; the present contract accepts it"


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path / "a warehouse", "mill")
    made.prepare()
    create_tables(made)
    return made


def original(places: pa.Table) -> Iterable[pa.RecordBatch]:
    """The records' bytes as Kafka would give them again, last first, a batch each."""
    for place in reversed(places.to_pylist()):
        text = f"{place['partition']}/{place['offset']}".encode()
        row = {**place, "key": b"k", "value": text, "headers": [{"key": "h", "value": b"v"}]}
        yield pa.RecordBatch.from_pylist([row])


def nobody_asks(places: pa.Table) -> Iterable[pa.RecordBatch]:
    raise AssertionError(places.to_pylist())


def land(warehouse: Warehouse, batch: int, *records: Parsed, **options: Any) -> Staged:
    """Bring a batch into the tables as landing does."""
    staging = a_staging(warehouse, batch, **options)
    staged = without_repeats(stage([parsed(*records)], staging), staging, catch_up(warehouse), original)
    commit_staged(warehouse, batch, staged)
    return staged


def readings(warehouse: Warehouse) -> list[tuple[int, int, int]]:
    """Batch, partition and offset of each landed reading."""
    rows = open_table(warehouse.table(READINGS)).to_pyarrow_table()["provenance"].to_pylist()
    return sorted((row["batch"], row["partition"], row["offset"]) for row in rows)


def quarantine(warehouse: Warehouse) -> list[tuple[int, str, str, bytes | None]]:
    """Offset, reason, message and value of each quarantined record."""
    rows = open_table(warehouse.table(QUARANTINE)).to_pyarrow_table().to_pylist()
    return sorted((row["provenance"]["offset"], row["reason"], row["message"], row["value"]) for row in rows)


def staged_files(warehouse: Warehouse) -> set[str]:
    return {file.name for file in warehouse.table(READINGS).glob("*.parquet")}


def test_the_same_content_in_a_doubled_hour_may_be_of_the_other_one_and_keeps_its_bytes(
    warehouse: Warehouse,
) -> None:
    """00:30 UTC is the first 02:30 of that day in Berlin, an hour later is the second; 02:00 UTC is 03:00."""
    twice, once = (DAY * 300 + minutes for minutes in (30, 120))
    berlin = {"zone": "Europe/Berlin", "may_come_twice": True}
    land(
        warehouse, 0, Parsed(0, minutes=twice, identity="a"), Parsed(1, minutes=once, identity="b"), **berlin
    )
    again = [Parsed(2, minutes=twice, identity="a"), Parsed(3, minutes=once, identity="b")]
    land(warehouse, 1, *again, **berlin)
    perhaps = "at a local time that comes twice: perhaps the reading of the other hour"
    assert [(at, reason, perhaps in said, value) for at, reason, said, value in quarantine(warehouse)] == [
        (2, "conflict", True, b"0/2"),
        (3, "duplicate", False, None),
    ]
    land(warehouse, 2, Parsed(4, minutes=twice, identity="a"), zone="Europe/Berlin")
    assert quarantine(warehouse)[-1][1] == "duplicate"


def test_the_same_row_of_the_same_publication_is_a_copy_whatever_its_time(warehouse: Warehouse) -> None:
    """Both at the first 02:30 of that day in Berlin."""
    berlin = {"zone": "Europe/Berlin", "may_come_twice": True}
    of_row = {"minutes": DAY * 300 + 30, "identity": "a", "publication": "p", "row": 7}
    land(warehouse, 0, Parsed(0, **of_row), **berlin)
    land(warehouse, 1, Parsed(1, **of_row), Parsed(2, **{**of_row, "row": 8}), **berlin)
    assert [(at, reason, value) for at, reason, _, value in quarantine(warehouse)] == [
        (1, "duplicate", None),
        (2, "conflict", b"0/2"),
    ]


def test_a_repeat_is_a_duplicate_and_other_content_a_conflict(warehouse: Warehouse) -> None:
    land(warehouse, 0, Parsed(0, identity="a"), Parsed(1, identity="a"))
    done = land(
        warehouse,
        1,
        Parsed(3, minutes=10, identity="b"),
        Parsed(4, identity="a"),
        Parsed(5, minutes=10, identity="b", signals=[("p", "2")]),
    )
    assert readings(warehouse) == [(0, 0, 0), (1, 0, 3)]
    assert quarantine(warehouse) == [
        (1, "duplicate", f"{SAME}; batch 0, partition 0, offset 0", None),
        (4, "duplicate", f"{SAME}; batch 0, partition 0, offset 0", None),
        (5, "conflict", f"{OTHER}; batch 1, partition 0, offset 3", b"0/5"),
    ]
    assert done.refused == {
        "duplicate": Refused(1, 0, 4, f"{SAME}; batch 0, partition 0, offset 0"),
        "conflict": Refused(1, 0, 5, f"{OTHER}; batch 1, partition 0, offset 3"),
    }
    assert (done.records, done.landed, done.quarantined) == (3, 1, 2)
    rows = open_table(warehouse.table(QUARANTINE)).to_pyarrow_table().to_pylist()
    assert {row["reason"]: (row["key"], row["headers"]) for row in rows} == {
        "duplicate": (None, None),
        "conflict": (b"k", [{"key": "h", "value": b"v"}]),
    }
    assert {row["provenance"]["identity"] for row in rows} == {"a", "b"}


def test_a_batch_without_repeats_keeps_its_files(warehouse: Warehouse) -> None:
    land_as_they_are(warehouse, 0, parsed(Parsed(0, identity="a")))
    staging = a_staging(warehouse, 1)
    staged = stage([parsed(Parsed(1, identity="b"), Parsed(2, identity="c"))], staging)
    assert without_repeats(staged, staging, catch_up(warehouse), nobody_asks) is staged


def test_the_first_by_partition_and_offset_stays(warehouse: Warehouse) -> None:
    land(
        warehouse,
        0,
        Parsed(0, 1, identity="a"),
        Parsed(7, 0, identity="a", minutes=3 * DAY),
        Parsed(9, 0, identity="a", minutes=2 * DAY),
    )
    assert readings(warehouse) == [(0, 0, 7)]
    assert [row[0] for row in quarantine(warehouse)] == [0, 9]


def test_of_several_landed_readings_of_an_identity_the_first_is_named(warehouse: Warehouse) -> None:
    """There should be one; tables that others wrote to may hold more."""
    land_as_they_are(warehouse, 0, parsed(Parsed(5, 1, identity="a"), Parsed(6, identity="a", minutes=DAY)))
    land_as_they_are(warehouse, 1, parsed(Parsed(1, identity="a")))
    land(warehouse, 2, Parsed(9, identity="a"))
    assert quarantine(warehouse) == [(9, "conflict", f"{OTHER}; batch 0, partition 0, offset 6", b"0/9")]


def test_an_identity_that_moved_to_another_day_is_found(warehouse: Warehouse) -> None:
    """Case 21: the contract's date order was wrong, and the file is published again under the right one."""
    land(warehouse, 0, *(Parsed(n, identity=f"0{n}/04", minutes=(n * 31 + 3) * DAY) for n in range(1, 8)))
    land(warehouse, 1, *(Parsed(10 + n, identity=f"0{n}/04", minutes=(n + 90) * DAY) for n in range(1, 8)))
    assert readings(warehouse) == [(0, 0, n) for n in range(1, 8)]
    assert [row[:3] for row in quarantine(warehouse)] == [
        (10 + n, "conflict", f"{OTHER}; batch 0, partition 0, offset {n}") for n in range(1, 8)
    ]


def test_content_is_time_device_and_signals_in_any_order(warehouse: Warehouse) -> None:
    signals = [("a", "1"), ("b", None)]
    land(warehouse, 0, Parsed(0, identity="x", signals=signals, entity="t1"), Parsed(1, identity="y"))
    others = [
        Parsed(10, identity="x", signals=signals[::-1], entity="t1"),
        Parsed(11, identity="x", signals=signals),
        Parsed(12, identity="x", signals=[("a", "1"), ("b", "")], entity="t1"),
        Parsed(13, identity="x", signals=[("a", "1"), ("c", None)], entity="t1"),
        Parsed(14, identity="x", signals=[("a", "1")], entity="t1"),
        Parsed(15, identity="x", signals=signals, entity="t1", minutes=0.001),
        Parsed(16, identity="x", signals=[("a", "1.0"), ("b", None)], entity="t1"),
        Parsed(17, identity="y", signals=[("p", "1")]),
        Parsed(18, identity="y", signals=[]),
    ]
    land(warehouse, 1, *others)
    reasons = {offset: reason for offset, reason, _, _ in quarantine(warehouse)}
    assert reasons == dict.fromkeys(range(10, 19), "conflict") | {10: "duplicate", 17: "duplicate"}


def test_a_hash_alone_makes_no_repeat(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def all_alike(identities: pa.Array) -> pa.Array:
        return pa.array([7] * len(identities), pa.uint64())

    for module in ("staging.staging", "identities.index"):
        monkeypatch.setattr(f"headrace.{module}.identity_hashes", all_alike)
    land(warehouse, 0, Parsed(0, identity="a"), Parsed(1, identity="b"))
    land(warehouse, 1, Parsed(2, identity="c"), Parsed(3, identity="b"))
    assert readings(warehouse) == [(0, 0, 0), (0, 0, 1), (1, 0, 2)]
    assert [row[:2] for row in quarantine(warehouse)] == [(3, "duplicate")]


def test_an_identity_of_a_row_that_is_gone_is_no_repeat(warehouse: Warehouse) -> None:
    land(warehouse, 0, Parsed(0, identity="a"))
    catch_up(warehouse)
    open_table(warehouse.table(READINGS)).delete()
    land(warehouse, 1, Parsed(1, identity="a"))
    assert readings(warehouse) == [(1, 0, 1)]


def test_without_a_declared_identity_rows_of_a_source_repeat(warehouse: Warehouse) -> None:
    source = {"publication": "p", "row": 1}
    land(warehouse, 0, Parsed(0, identity="a", **source), Parsed(1, identity="b"), by_contract=False)
    land(warehouse, 1, Parsed(2, identity="a", **source), Parsed(3, identity="b"), by_contract=False)
    assert readings(warehouse) == [(0, 0, 0), (0, 0, 1), (1, 0, 3)]


def test_repeats_in_some_files_leave_the_others_alone(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headrace.staging.staging.ROWS_A_FILE", 2)
    land_as_they_are(warehouse, 0, parsed(Parsed(0, identity="a"), Parsed(1, identity="b")))
    before = staged_files(warehouse)
    staging = a_staging(warehouse, 1)
    groups = [("c", "d"), ("a", "e"), ("a", "b")]
    batches = [
        parsed(*(Parsed(10 * n + m, identity=each) for m, each in enumerate(group)))
        for n, group in enumerate(groups, 1)
    ]
    staged = stage(batches, staging)
    left = without_repeats(staged, staging, catch_up(warehouse), nobody_asks)
    assert left.readings[0] is staged.readings[0]
    assert [file.rows for file in left.readings] == [2, 1]
    assert staged_files(warehouse) - before == {file.path for file in left.readings}
    commit_staged(warehouse, 1, left)
    assert readings(warehouse) == [(0, 0, 0), (0, 0, 1), (1, 0, 10), (1, 0, 11), (1, 0, 21)]
    assert left.refused["duplicate"].count == 3


def test_a_record_that_cannot_be_read_again_is_named(warehouse: Warehouse) -> None:
    land(warehouse, 0, Parsed(0, identity="a"))
    staging = a_staging(warehouse, 1)
    staged = stage([parsed(Parsed(5, identity="a", entity="other"))], staging)
    with pytest.raises(RecordsExpired, match=r"1 records .* the first at partition 0, offset 5"):
        without_repeats(staged, staging, catch_up(warehouse), lambda _: [])
    assert {file.path for file in staged.readings} <= staged_files(warehouse)


def test_what_a_dead_try_did_not_land_is_quarantined(warehouse: Warehouse) -> None:
    """Its batch is committed; of its records some are landed, some were refused, some no longer would be."""
    land_as_they_are(warehouse, 0, parsed(Parsed(0, identity="a")))
    land_as_they_are(warehouse, 1, parsed(Parsed(1, identity="b"), Parsed(2, 1, identity="c")))
    records = parsed(
        Parsed(1, identity="b"),
        Parsed(2, identity="a"),
        Parsed(3, identity="b", entity="other"),
        Parsed(4, identity="d"),
        Parsed(5, identity="d"),
        Parsed(6, reason="empty", message="e"),
        Parsed(2, 1, identity="c"),
    )
    staging = a_staging(warehouse, 1)
    places = places_of(warehouse.table(READINGS), 1)
    assert sorted(map(tuple, (row.values() for row in places.to_pylist()))) == [(0, 1), (1, 2)]
    staged = stage(not_landed([records], places), staging)
    rest = all_refused(staged, staging, catch_up(warehouse), original)
    assert (rest.landed, rest.quarantined) == (0, 5)
    assert {reason: (each.count, each.offset) for reason, each in rest.refused.items()} == {
        "empty": (1, 6),
        "duplicate": (1, 2),
        "conflict": (1, 3),
        "earlier_contract": (2, 4),
    }
    assert rest.refused["conflict"].message == f"{OTHER}; batch 1, partition 0, offset 1"
    assert rest.refused["earlier_contract"].message == EARLIER


def test_a_batch_that_landed_nothing_has_no_places(warehouse: Warehouse) -> None:
    assert places_of(warehouse.table(READINGS), 3).num_rows == 0


@pytest.mark.parametrize("seed", range(6))
def test_batch_after_batch_a_small_model_says_the_same(warehouse: Warehouse, seed: int) -> None:
    choose = random.Random(seed)
    landed: dict[str, tuple[int, Parsed]] = {}
    expected: dict[int, tuple[str, str]] = {}
    offset = 0
    for batch in range(6):
        records = []
        for _ in range(choose.randrange(1, 40)):
            offset += 1
            records.append(
                Parsed(
                    offset,
                    choose.randrange(3),
                    minutes=choose.choice([0, DAY, 40 * DAY]),
                    identity=f"i{choose.randrange(60)}",
                    signals=choose.choice([[("p", "1"), ("q", "2")], [("q", "2"), ("p", "1")], [("p", "1")]]),
                    entity=choose.choice([None, "t"]),
                )
            )
        for record in sorted(records, key=lambda each: (each.partition, each.offset)):
            held = landed.setdefault(str(record.identity), (batch, record))
            if held[1] is not record:
                same = _content(held[1]) == _content(record)
                place = f"; batch {held[0]}, partition {held[1].partition}, offset {held[1].offset}"
                expected[record.offset] = ("duplicate", SAME + place) if same else ("conflict", OTHER + place)
        land(warehouse, batch, *records)
    assert {row[0]: row[1:3] for row in quarantine(warehouse)} == expected
    assert readings(warehouse) == sorted((b, each.partition, each.offset) for b, each in landed.values())


def _content(record: Parsed) -> tuple[float, str | None, Sequence[tuple[str, str | None]]]:
    return record.minutes, record.entity, sorted(record.signals)
