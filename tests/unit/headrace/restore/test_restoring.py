"""Tables that are not of one moment are refused before anything is written; a command brings them to one."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from sqlalchemy import make_url

from headrace import crash_points
from headrace.analyse.engines import analyse_here
from headrace.errors import NotReconciled, TablesApart, WarehouseError
from headrace.land.idle import nothing_to_land
from headrace.land.landing import Landing, land
from headrace.offsets import text
from headrace.publish.kinds import publish_source
from headrace.publish.publications import change_publications
from headrace.restore import restoring
from headrace.restore.plan import Plan
from headrace.restore.restoring import restore
from headrace.tables.batches import landed_position, open_batch, read_batches
from headrace.tables.commits import newest_version, open_table
from headrace.tables.creation import create_tables
from headrace.tables.names import BATCHES, GOLD, HOURLY_AVERAGE, LEDGER, PUBLICATIONS, QUARANTINE, READINGS
from headrace.tables.progress import nothing_to_analyse
from headrace.tables.queries import scan
from headrace.tables.slices import new_slice
from headrace.tables.warehouse import Warehouse
from testbed.mill import Mill, make_mill
from testbed.parse_cases import TOPIC_ID


@pytest.fixture(scope="module")
def grown_once(tmp_path_factory: pytest.TempPathFactory) -> Mill:
    """Three batches, each of nine readings and one refusal; a copy of all tables after the second."""
    made = make_mill(tmp_path_factory.mktemp("mill"))
    shutil.copytree(made.warehouse.folder, made.folder / "backup")
    made.land(2, *range(21, 31))
    analyse_here(made.attempt())
    assert made.reconcile().balanced
    return made


@pytest.fixture
def grown(grown_once: Mill, tmp_path: Path) -> Mill:
    shutil.copytree(grown_once.folder, tmp_path, dirs_exist_ok=True)
    return Mill(tmp_path, grown_once.contract, grown_once.sha256)


def copied_back(mill: Mill, name: str) -> None:
    shutil.rmtree(mill.warehouse.table(name))
    shutil.copytree(mill.folder / "backup" / name, mill.warehouse.table(name))


def lost(mill: Mill, name: str) -> None:
    shutil.rmtree(mill.warehouse.table(name))


def restored_by_hand(mill: Mill, name: str) -> None:
    table = open_table(mill.warehouse.table(name))
    table.restore(table.version() - 1)


def restored_by_hand_to_a_time(mill: Mill, name: str) -> None:
    table = open_table(mill.warehouse.table(name))
    table.restore(datetime.fromtimestamp(table.history(2)[1]["timestamp"] / 1000, UTC))


Damage = Callable[[Mill, str], None]


def versions(warehouse: Warehouse) -> dict[str, int]:
    return {
        name: newest_version(warehouse.table(name))
        for name in (READINGS, QUARANTINE, BATCHES, *GOLD)
        if warehouse.exists(name)
    }


def places(warehouse: Warehouse) -> dict[str, list[int]]:
    """The offsets that each table holds."""
    offset = pl.col("provenance").struct.field("offset")
    return {
        name: scan(warehouse, name).select(offset.sort()).collect()["offset"].to_list()
        for name in (READINGS, QUARANTINE)
    }


def agree(_: Plan) -> None:
    """Whatever it is."""


def require_refused(mill: Mill) -> None:
    """By whatever a run does first; and nothing is written."""
    before = versions(mill.warehouse)
    idle = new_slice("next", "readings", TOPIC_ID, {0: 30}, {0: 30})
    ask: list[Callable[[], object]] = [
        lambda: open_batch(mill.warehouse),
        lambda: nothing_to_analyse(mill.contract, mill.warehouse),
        lambda: analyse_here(mill.attempt()),
        lambda: land(Landing(mill.attempt(), idle, {}), lambda *_: {}),
    ]
    if set(before) >= {READINGS, QUARANTINE, BATCHES}:  # else the idle run leaves it to `land`
        ask.append(lambda: nothing_to_land(mill.warehouse, idle))
    for each in ask:
        with pytest.raises(TablesApart, match=r"HR408.*`headrace restore mill`"):
            each()
    assert versions(mill.warehouse) == before


@pytest.mark.parametrize("damage", [copied_back, lost, restored_by_hand, restored_by_hand_to_a_time])
@pytest.mark.parametrize("name", [READINGS, QUARANTINE])
def test_a_table_behind_batches_is_refused_until_all_are_of_one_moment(
    grown: Mill, name: str, damage: Damage
) -> None:
    whole = places(grown.warehouse)
    damage(grown, name)
    require_refused(grown)
    done = restore(grown.warehouse, agree)
    assert done
    if damage in {restored_by_hand, restored_by_hand_to_a_time}:  # its history still has all three batches
        assert (done.batch, done.undone) == (2, {})
        assert places(grown.warehouse) == whole
        assert landed_position(grown.warehouse, TOPIC_ID) == {0: 30}
    else:
        left = {copied_back: 2, lost: 0}[damage]
        assert (done.batch, text(done.undone[TOPIC_ID])) == (left - 1, f"0:[{left * 10}, 30)")
        assert landed_position(grown.warehouse, TOPIC_ID) == ({0: 20} if left else {})
        create_tables(grown.warehouse)  # as `land` does
        for number in range(left, 3):
            grown.land(number + 1, *range(number * 10 + 1, number * 10 + 11))
        assert places(grown.warehouse) == whole
    trace = next(row for row in read_batches(grown.warehouse) if row.kind == "restore")
    assert trace.batch == done.batch + 1
    assert trace.run_id.startswith("restore 20")
    analyse_here(grown.attempt())
    assert grown.reconcile().balanced
    assert restore(grown.warehouse, agree) is None


@pytest.mark.parametrize("damage", [copied_back, restored_by_hand])
def test_batches_that_went_back_alone_open_their_last_batch_again(grown: Mill, damage: Damage) -> None:
    damage(grown, BATCHES)
    commit = open_batch(grown.warehouse)
    assert commit
    assert commit.batch == 2


def test_batches_that_went_back_further_are_refused(grown: Mill) -> None:
    grown.land(3, *range(31, 41))
    copied_back(grown, BATCHES)
    with pytest.raises(TablesApart, match="`readings` has come to batch 3, `batches` only to 1"):
        open_batch(grown.warehouse)
    done = restore(grown.warehouse, agree)
    assert done
    assert (done.batch, text(done.undone[TOPIC_ID])) == (1, "0:[20, 40)")
    assert places(grown.warehouse)[READINGS] == [*range(9), *range(10, 19)]
    grown.land(3, *range(21, 31))
    assert grown.reconcile().balanced


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_restoration_that_is_killed_is_gone_on_with(
    grown: Mill, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    passed = 0

    def killed(_: str) -> None:
        nonlocal passed
        passed += 1
        if passed == at:
            raise KeyboardInterrupt

    monkeypatch.setattr(restoring, "crash_point", killed)
    with pytest.raises(KeyboardInterrupt):
        restore(grown.warehouse, agree, to=0)
    monkeypatch.setattr(restoring, "crash_point", crash_points.crash_point)
    if at < 3:
        require_refused(grown)
        assert restore(grown.warehouse, agree)
    assert open_batch(grown.warehouse) is None
    assert places(grown.warehouse) == {READINGS: [*range(9)], QUARANTINE: [9]}
    assert landed_position(grown.warehouse, TOPIC_ID) == {0: 10}


def test_to_an_earlier_batch_and_landed_again_the_tables_are_what_they_were(grown: Mill) -> None:
    whole, hours = places(grown.warehouse), scan(grown.warehouse, HOURLY_AVERAGE).collect()
    assert restore(grown.warehouse, agree, to=0)
    grown.land(2, *range(11, 22))
    assert not nothing_to_analyse(grown.contract, grown.warehouse)  # batch 2 is another
    grown.land(3, *range(22, 31))
    analyse_here(grown.attempt())
    assert places(grown.warehouse) == whole
    assert scan(grown.warehouse, HOURLY_AVERAGE).collect().equals(hours)
    assert grown.reconcile().balanced


def test_to_a_time_is_the_newest_batch_closed_by_then(grown: Mill) -> None:
    finished = read_batches(grown.warehouse)[2].finished
    assert restore(grown.warehouse, agree, to=finished) is None
    with pytest.raises(WarehouseError, match="the newest that they have is 2"):
        restore(grown.warehouse, agree, to=7)


def test_what_a_file_that_is_gone_would_be_needed_for_is_refused_before_anything_is_written(
    grown: Mill,
) -> None:
    table = DeltaTable(grown.warehouse.table(READINGS), 1)
    (first,) = pa.table(table.get_add_actions())["path"].to_pylist()
    (grown.warehouse.table(READINGS) / first).unlink()
    before = versions(grown.warehouse)
    with pytest.raises(WarehouseError, match="no longer on the disk"):
        restore(grown.warehouse, agree, to=0)
    assert versions(grown.warehouse) == before


def test_a_change_by_hand_that_reconcile_has_named_is_undone(grown: Mill) -> None:
    """HR501's way out, as a command."""
    whole = places(grown.warehouse)
    open_table(grown.warehouse.table(READINGS)).delete("provenance.offset = 12")
    with pytest.raises(NotReconciled, match="row 13"):
        grown.reconcile()
    done = restore(grown.warehouse, agree)
    assert done
    assert done.undone == {}
    assert places(grown.warehouse) == whole
    assert grown.reconcile().balanced


@pytest.mark.parametrize("damage", [copied_back, restored_by_hand])
@pytest.mark.parametrize("name", GOLD)
def test_a_gold_table_that_went_back_is_computed_anew(grown: Mill, name: str, damage: Damage) -> None:
    right = scan(grown.warehouse, name).collect()
    shutil.copytree(grown.warehouse.table(name), grown.folder / "backup" / name)
    open_table(grown.warehouse.table(name)).delete()  # so that there is an earlier version with other rows
    grown.land(3, *range(31, 41))
    analyse_here(grown.attempt())
    damage(grown, name)
    assert not nothing_to_analyse(grown.contract, grown.warehouse)
    analyse_here(grown.attempt())
    assert scan(grown.warehouse, name).collect().height == right.height
    assert nothing_to_analyse(grown.contract, grown.warehouse)


@pytest.mark.parametrize("damage", [restored_by_hand, restored_by_hand_to_a_time])
@pytest.mark.parametrize("name", [PUBLICATIONS, LEDGER])
def test_what_only_gains_and_was_put_back_is_refused_until_it_has_all_again(
    grown: Mill, name: str, damage: Damage
) -> None:
    broken_off = {"publication": "f" * 20, "state": "superseded", "finished": None}
    change_publications(grown.warehouse, lambda rows: [*rows, rows[0].model_copy(update=broken_off)])
    assert grown.reconcile().balanced
    whole = scan(grown.warehouse, name).collect()
    damage(grown, name)
    assert scan(grown.warehouse, name).collect().height < whole.height
    before = newest_version(grown.warehouse.table(name))
    idle = new_slice("next", "readings", TOPIC_ID, {0: 30}, {0: 30})
    ask: list[Callable[[], object]] = [
        lambda: publish_source(grown.contract, grown.settings, {}, "next", database=make_url),
        lambda: land(Landing(grown.attempt(), idle, {}), lambda *_: {}),
        grown.reconcile,
    ]
    for each in ask:
        with pytest.raises(TablesApart, match=rf"HR408.*`{name}` was restored.*`headrace restore mill`"):
            each()
    assert newest_version(grown.warehouse.table(name)) == before
    plans: list[Plan] = []
    assert restore(grown.warehouse, plans.append)
    assert list(plans[0].lines()) == [f"{name}: 1 rows become 2, as of version {before - 1}"]
    assert scan(grown.warehouse, name).collect().equals(whole)
    assert [row.kind for row in read_batches(grown.warehouse)] == ["batch"] * 3
    assert restore(grown.warehouse, agree) is None
    assert grown.reconcile().balanced


def test_all_tables_put_back_by_hand_are_landed_on(grown: Mill) -> None:
    """Delta keeps the number of the newest batch, though its rows are gone: the log says what is there."""
    whole = places(grown.warehouse)
    for name in (QUARANTINE, READINGS, BATCHES):
        restored_by_hand(grown, name)
    assert open_batch(grown.warehouse) is None
    assert landed_position(grown.warehouse, TOPIC_ID) == {0: 20}
    grown.land(2, *range(21, 31))
    assert places(grown.warehouse) == whole
    assert grown.reconcile().balanced
