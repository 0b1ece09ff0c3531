"""When an earlier run's report stands: as long as another page would say the same."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from headrace.contract.loader import load_contract
from headrace.contract.model import Contract
from headrace.offsets import OffsetRange
from headrace.reconcile.ledger import Entry, SliceAccount, SourceAccount, append_entry
from headrace.report.newest import Shown, note_report, require_account, standing_report
from headrace.settings import PROJECT
from headrace.tables.commits import newest_version, open_table
from headrace.tables.names import GOLD, READINGS
from headrace.tables.warehouse import Warehouse

CONTRACT = PROJECT / "include/streams/wind_turbine.yaml"
SOURCE = SourceAccount(
    publication="p", source="s.csv", rows=9, landed=9, quarantined=0, accepted_loss=0, pending=False
)


def account(run_id: str, *ranges: OffsetRange, sources: tuple[SourceAccount, ...] = (SOURCE,)) -> Entry:
    return Entry(
        run_id=run_id,
        finished=datetime.now(UTC),
        topic="t",
        topic_id="id",
        slice=SliceAccount(ranges=ranges, visible=9, landed=9, quarantined=0),
        sources=sources,
    )


LANDED = OffsetRange(partition=0, start=0, until=9)


@pytest.fixture
def contract() -> Contract:
    return load_contract(CONTRACT)


@pytest.fixture
def warehouse(tmp_path: Path, contract: Contract) -> Warehouse:
    """Tables, and the page of the run that landed into them; its name is hostile."""
    made = Warehouse(tmp_path / "a warehouse", "wind_turbine")
    made.prepare()
    for name in (READINGS, *GOLD):
        write_deltalake(made.table(name), pa.table({"n": [1]}))
    write(made, contract, "../first", "the first page", account("../first", LANDED))
    return made


def write(warehouse: Warehouse, contract: Contract, run_id: str, page: str, entry: Entry) -> None:
    warehouse.reports.mkdir(exist_ok=True)
    warehouse.report(run_id).write_text(page)
    note_report(warehouse, entry, Shown.now(contract, warehouse, entry))


def test_a_run_with_nothing_new_is_linked_to_the_newest_report(
    warehouse: Warehouse, contract: Contract
) -> None:
    for run_id in ("idle", "idle again", "idle"):
        assert standing_report(contract, warehouse, account(run_id)) == "../first"
        assert warehouse.report(run_id).read_text() == "the first page"
    warehouse.report("../first").unlink()
    assert warehouse.report("idle again").read_text() == "the first page"
    assert standing_report(contract, warehouse, account("after it was removed")) is None
    assert not [file for file in warehouse.reports.iterdir() if file.name.endswith(".link")]


def test_the_newest_of_several_reports_stands(warehouse: Warehouse, contract: Contract) -> None:
    write(warehouse, contract, "second", "the second page", account("second", LANDED))
    assert standing_report(contract, warehouse, account("idle")) == "second"
    assert warehouse.report("idle").read_text() == "the second page"


def more_readings(warehouse: Warehouse) -> None:
    write_deltalake(warehouse.table(READINGS), pa.table({"n": [2]}), mode="append")


def analysed_again(warehouse: Warehouse) -> None:
    write_deltalake(warehouse.table(GOLD[1]), pa.table({"n": [1]}), mode="overwrite")


def quarantined(warehouse: Warehouse) -> None:
    write_deltalake(warehouse.table("quarantine"), pa.table({"reason": ["empty"]}))


def broken_note(warehouse: Warehouse) -> None:
    (warehouse.reports / "newest.json").write_text('{"run_id": "../first"}')


@pytest.mark.parametrize("change", [more_readings, analysed_again, quarantined, broken_note])
def test_what_is_new_has_a_report_of_its_own(
    warehouse: Warehouse, contract: Contract, change: Callable[[Warehouse], None]
) -> None:
    change(warehouse)
    assert standing_report(contract, warehouse, account("idle")) is None


@pytest.mark.parametrize(
    "entry",
    [
        account("landed something", LANDED),
        account("../first"),
        account("another source", sources=(SOURCE, SOURCE)),
        account(
            "not all of it", sources=(SOURCE.model_copy(update={"problems": ("row 1 is in no table",)}),)
        ),
    ],
    ids=lambda entry: entry.run_id,
)
def test_a_run_that_has_something_to_say_says_it(
    warehouse: Warehouse, contract: Contract, entry: Entry
) -> None:
    """Also the run whose report it is, when its task is cleared."""
    assert standing_report(contract, warehouse, entry) is None


def test_another_contract_has_another_report(warehouse: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / CONTRACT.name
    file.write_text(CONTRACT.read_text("utf-8").replace("SCADA readings", "Readings"), "utf-8")
    assert standing_report(load_contract(CONTRACT), warehouse, account("idle")) == "../first"
    assert standing_report(load_contract(file), warehouse, account("idle")) is None


def test_a_tables_version_is_that_of_its_newest_commit(warehouse: Warehouse) -> None:
    table = warehouse.table(READINGS)
    open_table(table).create_checkpoint()
    more_readings(warehouse)
    assert newest_version(table) == open_table(table).version() == 1


def test_the_newest_account_of_a_run_is_found_among_many(warehouse: Warehouse) -> None:
    old = account("old'; DROP TABLE ledger")
    append_entry(warehouse, old)
    again = account(old.run_id)
    append_entry(warehouse, again)
    for number in range(20):
        append_entry(warehouse, account(str(number)))
    assert require_account(warehouse, old.run_id) == again
    assert require_account(warehouse, "19").run_id == "19"
