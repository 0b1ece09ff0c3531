"""An account stands sealed and the next run counts what is new; after anything else it counts all again."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from headrace.errors import NotReconciled
from headrace.offsets import OffsetRange
from headrace.publish.publications import change_publications, read_publications
from headrace.reconcile.account import Account
from headrace.reconcile.ledger import Entry, read_ledger
from headrace.reconcile.seal import read_seal, seal_file
from headrace.tables.batches import append_batch
from headrace.tables.commits import log_file, open_table
from headrace.tables.names import BATCHES, LEDGER, QUARANTINE, READINGS
from testbed.batch_rows import a_batch
from testbed.landed_batches import commit_open, land_sent
from testbed.mill import PUBLICATION, ROWS, RUN, Mill
from testbed.parse_cases import TOPIC_ID

Tamper = Callable[[Mill], None]


def counted(entry: Entry) -> tuple[int, int]:
    """Records counted now, and those that stood sealed."""
    assert entry.counted
    return entry.counted.new, entry.counted.sealed


def reason(mill: Mill) -> str | None:
    """Why the newest account counted everything."""
    newest = read_ledger(mill.warehouse)[-1]
    assert newest.counted
    return newest.counted.reason


def problems(mill: Mill) -> list[str]:
    """What a run names that counts everything, as its seal does not hold."""
    with pytest.raises(NotReconciled):
        mill.reconcile()
    assert reason(mill)
    return list(read_ledger(mill.warehouse)[-1].problems)


def table(mill: Mill, name: str = READINGS) -> DeltaTable:
    return open_table(mill.warehouse.table(name))


def files(mill: Mill, name: str = READINGS) -> list[Path]:
    listed = pa.table(table(mill, name).get_add_actions())["path"].to_pylist()
    return [mill.warehouse.table(name) / each for each in sorted(listed)]


def row(mill: Mill, number: int) -> pa.Table:
    """The reading of that row of the source."""
    rows = table(mill).to_pyarrow_table()
    return rows.filter(pc.equal(pc.struct_field(rows["provenance"], "row"), number))


def test_the_next_run_counts_what_is_new(sealed: Mill) -> None:
    sealed.land(2, *range(21, 31))
    entry = sealed.reconcile()
    assert counted(entry) == (10, 20)
    (source,) = entry.sources
    assert (source.rows, source.landed, source.quarantined, source.pending) == (ROWS, 27, 3, False)
    assert f"10 new records counted; 20 sealed at version {table(sealed).version() - 1}" in entry.lines()[-1]


def test_a_run_with_nothing_new_reads_no_file_and_writes_no_seal(
    sealed: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: Any) -> None:
        raise AssertionError("the tables were read")

    monkeypatch.setattr(Account, "add_files", lambda _, __, files: [read() for _ in files])
    before = seal_file(sealed.warehouse).stat().st_ino
    assert counted(sealed.reconcile()) == (0, 20)
    assert seal_file(sealed.warehouse).stat().st_ino == before  # a new one is another file


def test_a_run_with_nothing_new_imports_no_polars(sealed: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor what reads tables: an import of it would fail."""
    for module in ("table_files", "batch_counts"):
        monkeypatch.setitem(sys.modules, f"headrace.reconcile.{module}", None)
    assert counted(sealed.reconcile()) == (0, 20)
    imports = "import sys, headrace.reconcile.reconciliation, headrace.report.run_note"
    told = f"{imports}; print('polars' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_what_is_lost_of_the_new_is_named(sealed: Mill) -> None:
    sealed.land(2, *range(21, 30), 31)
    problem, foreign = ordinary(sealed)
    assert problem.endswith(": row 30 is in no table")
    assert foreign.endswith(f": row 31 is in the tables, but the source has {ROWS} rows")


def ordinary(mill: Mill) -> list[str]:
    """What a run names whose seal held."""
    with pytest.raises(NotReconciled):
        mill.reconcile()
    newest = read_ledger(mill.warehouse)[-1]
    assert (reason(mill), counted(newest)[1]) == (None, 20)
    return list(newest.problems)


def test_a_row_that_landed_before_the_seal_and_again_after_it_is_named(sealed: Mill) -> None:
    sealed.land(2, *range(21, 31), 7)
    (problem,) = ordinary(sealed)
    assert problem.endswith(": row 7 stands 2 times in readings and 0 times in quarantine")


def test_a_copy_of_a_row_at_another_offset_is_counted_and_no_fault(sealed: Mill) -> None:
    """Row 10 is none that can be read, so that all of its records are in quarantine."""
    sealed.land(2, *range(21, 31), *[10] * 150)
    for new in (160, 0):  # when they have come, and on the seal that has them
        entry = sealed.reconcile()
        (source,) = entry.sources
        assert (counted(entry)[0], source.landed, source.quarantined) == (new, 27, 3)
        (note,) = entry.notes
        assert "150 records more are copies of its rows at other offsets" in note


def test_an_offset_that_landed_before_the_seal_and_again_after_it_is_named(sealed: Mill) -> None:
    commit_open(sealed.attempt(), 2, 5, sealed.sent(21))
    write_deltalake(  # the batch's own account is right, its place is taken
        str(sealed.warehouse.table(BATCHES)), _closing(sealed, 2, records=1), mode="append"
    )
    assert "topic readings, partition 0, offset 5: is in the tables more than once" in ordinary(sealed)


def _closing(mill: Mill, batch: int, records: int) -> pa.Table:
    (newest,) = table(mill, BATCHES).to_pyarrow_table(filters=[("batch", "=", 1)]).to_pylist()
    said = newest | {"batch": batch, "records": records, "landed": records, "quarantined": 0, "ranges": []}
    return pa.Table.from_pylist([said], table(mill, BATCHES).to_pyarrow_table().schema)


def delete_a_row(mill: Mill) -> None:
    """As anybody would with delta-rs; it cannot name a struct's field, so by the day of all but one."""
    kept = table(mill).to_pyarrow_table()
    kept = kept.filter(pc.not_equal(pc.struct_field(kept["provenance"], "row"), 7))
    write_deltalake(str(mill.warehouse.table(READINGS)), kept, mode="overwrite")


def restore_an_older_version(mill: Mill) -> None:
    table(mill).restore(1)  # with the first batch alone


def move_a_row_to_another_place(mill: Mill) -> None:
    rows = table(mill).to_pyarrow_table().to_pylist()
    next(each for each in rows if each["provenance"]["row"] == 7)["provenance"] |= {"row": 8, "offset": 7}
    changed = pa.Table.from_pylist(rows, table(mill).to_pyarrow_table().schema)
    write_deltalake(str(mill.warehouse.table(READINGS)), changed, mode="overwrite")


def append_a_copy(mill: Mill) -> None:
    write_deltalake(str(mill.warehouse.table(READINGS)), row(mill, 7), mode="append")


def replace_a_file_in_place(mill: Mill) -> None:
    file = next(each for each in files(mill) if 7 in _rows(each))
    rows = pq.read_table(file, partitioning=None)
    pq.write_table(rows.filter(pc.not_equal(pc.struct_field(rows["provenance"], "row"), 7)), file)


def _rows(file: Path) -> list[int]:
    found: list[int] = pc.struct_field(
        pq.read_table(file, partitioning=None)["provenance"], "row"
    ).to_pylist()
    return found


def pretend_to_compact(mill: Mill) -> None:
    """A commit that says of itself that it changes no row, and leaves one out."""
    old = next(each for each in files(mill) if 7 in _rows(each))
    new = old.with_name("compacted.parquet")
    rows = pq.read_table(old, partitioning=None)
    pq.write_table(rows.filter(pc.not_equal(pc.struct_field(rows["provenance"], "row"), 7)), new)
    _commit(mill, {"remove": _removal(old)}, {"add": _addition(new)})


def _removal(file: Path) -> dict[str, Any]:
    return {"path": file.name, "dataChange": False, "deletionTimestamp": 1, "partitionValues": {}}


def _addition(file: Path) -> dict[str, Any]:
    return {
        "path": file.name,
        "size": file.stat().st_size,
        "modificationTime": 1,
        "dataChange": False,
        "partitionValues": {},
    }


def _commit(mill: Mill, *actions: dict[str, Any]) -> None:
    info = {"commitInfo": {"operation": "OPTIMIZE", "timestamp": 1}}
    file = log_file(mill.warehouse.table(READINGS), table(mill).version() + 1)
    file.write_text("\n".join(map(json.dumps, (*actions, info))), encoding="utf-8")


ROW_7_IS_LOST = ": row 7 is in no table"

TAMPERINGS: dict[str, tuple[Tamper, str]] = {
    "a row is deleted": (delete_a_row, ROW_7_IS_LOST),
    "an older version is restored": (restore_an_older_version, ": row 11 is in no table"),
    "a row is moved": (move_a_row_to_another_place, ROW_7_IS_LOST),
    "a row is appended": (append_a_copy, ": row 7 stands 2 times in readings and 0 times in quarantine"),
    "a file is replaced in place": (replace_a_file_in_place, ROW_7_IS_LOST),
    "a file is removed": (lambda mill: files(mill)[0].unlink(), " is in the table's log, but is gone"),
    "a file is cut off": (
        lambda mill: os.truncate(files(mill)[0], 700),
        " is in the table's log, but cannot be read: ",
    ),
    "a compaction leaves a row out": (pretend_to_compact, ROW_7_IS_LOST),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_tampering_after_the_seal_is_named_by_the_next_run(sealed: Mill, what: str) -> None:
    tamper, named = TAMPERINGS[what]
    sealed.land(2, *range(21, 31))
    tamper(sealed)
    assert any(named in problem for problem in problems(sealed)), problems(sealed)


def test_tampering_is_named_by_every_run_until_it_is_mended(sealed: Mill) -> None:
    delete_a_row(sealed)
    assert problems(sealed) == problems(sealed)
    table(sealed).restore(table(sealed).version() - 1)
    assert counted(sealed.reconcile()) == (20, 0)
    assert counted(sealed.reconcile()) == (0, 20)


def test_a_quarantined_row_that_is_deleted_is_named(sealed: Mill) -> None:
    sealed.land(2, *range(21, 31))
    table(sealed, QUARANTINE).delete("reason <> ''")
    assert [each.rsplit(":", 1)[1] for each in problems(sealed)[:3]] == [
        f" row {number} is in no table" for number in (10, 20, 30)
    ]


def test_a_batch_that_says_one_too_many_is_named(sealed: Mill) -> None:
    rows = table(sealed, BATCHES).to_pyarrow_table()
    told = rows.to_pylist()
    told[0]["landed"] += 1
    write_deltalake(
        str(sealed.warehouse.table(BATCHES)), pa.Table.from_pylist(told, rows.schema), mode="overwrite"
    )
    (problem,) = ordinary(sealed)
    assert problem.startswith(
        f"batch {told[0]['batch']}: `batches` says 10 records, 10 landed, 1 quarantined;"
    )


def test_values_that_are_rewritten_make_it_count_everything_and_say_so(sealed: Mill) -> None:
    """It counts records and does not read what they say: the counts are right, the reason stands there."""
    table(sealed).update(updates={"entity": "'another'"})
    assert counted(sealed.reconcile()) == (20, 0)
    assert reason(sealed) == f"readings: version {table(sealed).version()} (UPDATE) was not made by landing"


SEALS: dict[str, tuple[Tamper, str]] = {
    "gone": (lambda mill: seal_file(mill.warehouse).unlink(), "there is no seal"),
    "empty": (lambda mill: os.truncate(seal_file(mill.warehouse), 0), "the seal is damaged"),
    "cut off": (lambda mill: os.truncate(seal_file(mill.warehouse), 900), "the seal is damaged"),
    "of another format": (lambda mill: _rewrite(mill, b'"format":1', b'"format":2'), "another version"),
    "of another stream": (lambda mill: _rewrite(mill, b'"mill"', b'"sail"'), "of stream sail"),
}


def _rewrite(mill: Mill, old: bytes, new: bytes) -> None:
    file = seal_file(mill.warehouse)
    rest = file.read_bytes().partition(b"\n")[2].replace(old, new, 1)
    file.write_bytes(hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest)


@pytest.mark.parametrize("what", SEALS)
def test_without_a_sound_seal_everything_is_counted_and_sealed_anew(sealed: Mill, what: str) -> None:
    spoil, said = SEALS[what]
    spoil(sealed)
    assert counted(sealed.reconcile()) == (20, 0)
    assert said in str(reason(sealed))
    assert counted(sealed.reconcile()) == (0, 20)
    delete_a_row(sealed)
    spoil(sealed)  # which hides nothing
    (problem,) = problems(sealed)
    assert problem.startswith(
        "batch 0: `batches` says 10 records, 9 landed, 1 quarantined; the tables hold 8"
    )


def test_an_older_seal_is_gone_on_from(sealed: Mill, tmp_path: Path) -> None:
    shutil.copy2(seal_file(sealed.warehouse), tmp_path / "older")
    sealed.land(2, *range(21, 31))
    assert counted(sealed.reconcile()) == (10, 20)
    shutil.copy2(tmp_path / "older", seal_file(sealed.warehouse))
    assert counted(sealed.reconcile()) == (10, 20)


def test_an_older_seal_hides_nothing(sealed: Mill, tmp_path: Path) -> None:
    shutil.copy2(seal_file(sealed.warehouse), tmp_path / "older")
    sealed.land(2, *range(21, 31))
    sealed.reconcile()
    delete_a_row(sealed)
    shutil.copy2(tmp_path / "older", seal_file(sealed.warehouse))
    assert problems(sealed)[0].endswith(ROW_7_IS_LOST)


def test_a_table_that_is_older_than_its_seal_is_counted_whole(mill: Mill, tmp_path: Path) -> None:
    """A backup of the tables alone: the newest batch is in neither of them, and the seal knows it."""
    shutil.copytree(mill.warehouse.folder, tmp_path / "backup")
    mill.land(2, *range(21, 31))
    mill.reconcile()
    for name in (READINGS, QUARANTINE, BATCHES):
        shutil.rmtree(mill.warehouse.table(name))
        shutil.copytree(tmp_path / "backup" / name, mill.warehouse.table(name))
    assert counted(mill.reconcile()) == (20, 0)
    assert "before the sealed" in str(reason(mill))


def test_a_log_that_was_exchanged_behind_the_seal_is_counted_whole(sealed: Mill) -> None:
    """The version is the sealed one, but a file less is in it."""
    file = log_file(sealed.warehouse.table(READINGS), table(sealed).version())
    lines = [line for line in file.read_text("utf-8").splitlines() if '"add"' not in line]
    file.write_text("\n".join(lines), encoding="utf-8")
    (problem,) = problems(sealed)
    assert problem.startswith("batch 1: `batches` says 10 records, 9 landed")
    assert reason(sealed) == "readings: lists other files than the sealed ones and those added since"


def test_compaction_that_loses_nothing_keeps_the_seal(sealed: Mill) -> None:
    sealed.land(2, *range(21, 31))
    table(sealed).optimize.compact()
    table(sealed).vacuum(dry_run=False)
    entry = sealed.reconcile()
    assert counted(entry) == (10, 20)
    assert len(files(sealed)) == 1
    assert counted(sealed.reconcile()) == (0, 30)


def test_a_batch_that_is_not_closed_is_not_counted_yet(sealed: Mill) -> None:
    """As an audit may meet it, beside which landing goes on."""
    commit_open(sealed.attempt(), 2, 20, sealed.sent(*range(21, 31)))
    entry = sealed.reconcile()
    assert counted(entry) == (0, 20)
    assert entry.sources[0].pending


def test_a_spool_that_is_gone_later_does_not_matter(sealed: Mill) -> None:
    sealed.spool.unlink()
    sealed.land(2, *range(21, 31))
    entry = sealed.reconcile()
    assert entry.sources[0].rows == ROWS
    assert "the rows of 1 source stood as counted before" in entry.lines()[-1]


def test_a_spool_that_is_gone_before_it_was_counted_is_a_known_state(mill: Mill) -> None:
    mill.spool.unlink()
    entry = mill.reconcile()
    assert entry.balanced
    assert (
        f"its copy in the spool is gone, so its {ROWS} rows are those that `publish` counted"
        in entry.lines()[-1]
    )
    assert read_ledger(mill.warehouse)[-1].notes == entry.notes


def test_a_source_is_counted_as_it_was_read_when_it_was_published(mill: Mill) -> None:
    """The next file has another delimiter: by it a row of the old one has a field too few."""
    published = read_publications(mill.warehouse)[0]
    as_read = published.model_copy(update={"encoding": "utf-8", "delimiter": ","})
    change_publications(mill.warehouse, lambda _: [as_read])
    source = mill.contract.own_source
    assert source
    other = source.model_copy(update={"delimiter": ";", "encoding": "latin-1"})
    mill.contract = mill.contract.model_copy(update={"source": other})
    entry = mill.reconcile()
    assert (entry.balanced, entry.sources[0].rows) == (True, ROWS)


def test_lines_that_are_no_rows_are_counted_as_such(mill: Mill) -> None:
    """The source had two lines before its header and a blank one, as its contract said then."""
    source = mill.contract.own_source
    assert source
    content = b"# a logger\n# of a mill\n" + mill.spool.read_bytes() + b"\n"
    sha256 = hashlib.sha256(content).hexdigest()
    (mill.settings.spool_path / sha256).write_bytes(content)
    then = source.model_copy(update={"preamble": 2, "blank_lines": "skip"})
    as_read = {"sha256": sha256, "options": then.model_dump_json()}
    published = read_publications(mill.warehouse)[0].model_copy(update=as_read)
    change_publications(mill.warehouse, lambda _: [published])
    entry = mill.reconcile()
    assert (entry.balanced, entry.sources[0].rows) == (True, ROWS)
    assert "3 lines more are no rows, as its contract says" in entry.lines()[-1]
    assert mill.reconcile().notes == entry.notes  # on the seal


def test_a_loss_excuses_the_publications_that_can_have_had_its_offsets_alone(mill: Mill) -> None:
    """Rows 21 to 30 are lost; then the source is published once more, and one of its rows is not landed."""
    append_batch(
        mill.warehouse, a_batch(2, (0, 20, ROWS), kind="gap", topic_id=TOPIC_ID, records=10, landed=0)
    )
    entry = mill.reconcile()
    assert (entry.balanced, entry.sources[0].accepted_loss) == (True, 10)
    first = read_publications(mill.warehouse)[0]
    later = {"publication": "f" * 20, "started": first.started + timedelta(1), "until": {0: 2 * ROWS}}
    change_publications(mill.warehouse, lambda rows: [*rows, first.model_copy(update=later)])
    again = [
        replace(each, headers=[("headrace-publication", b"f" * 20), each.headers[1]])
        for each in mill.sent(*range(1, ROWS))
    ]
    land_sent(mill.attempt(), 3, ROWS, again)
    nothing = {"records": 0, "landed": 0}
    append_batch(mill.warehouse, a_batch(4, (0, 2 * ROWS - 1, 2 * ROWS), topic_id=TOPIC_ID, **nothing))
    with pytest.raises(NotReconciled, match=f"publication {'f' * 20}.*: row {ROWS} is in no table"):
        mill.reconcile()


def test_what_an_open_batch_had_lost_is_a_named_loss(mill: Mill) -> None:
    lost = (OffsetRange(partition=0, start=20, until=25),)
    staged = commit_open(mill.attempt(), 2, 25, mill.sent(*range(26, 31)))
    counts = {"landed": staged.landed, "quarantined": staged.quarantined, "records": staged.records}
    append_batch(mill.warehouse, a_batch(2, (0, 20, ROWS), topic_id=TOPIC_ID, lost=lost, **counts))
    entry = mill.reconcile()
    assert (entry.balanced, entry.sources[0].accepted_loss) == (True, 5)


def test_a_spool_that_was_changed_is_named(mill: Mill) -> None:
    with mill.spool.open("a", encoding="utf-8") as spool:
        spool.write("01 01 2018 00:10,1\n")
    with pytest.raises(NotReconciled, match="its copy in the spool is not what was published"):
        mill.reconcile()


def test_an_account_that_is_not_in_balance_is_not_sealed(mill: Mill) -> None:
    append_a_copy(mill)
    problems(mill)
    assert not seal_file(mill.warehouse).exists()


def test_a_ledger_of_before_there_were_seals_is_read_and_written_on(mill: Mill) -> None:
    mill.reconcile()
    ledger = mill.warehouse.table(LEDGER)
    old = open_table(ledger).to_pyarrow_table().drop_columns(["counted"])
    shutil.rmtree(ledger)
    write_deltalake(str(ledger), old)
    mill.reconcile()
    first, second = read_ledger(mill.warehouse)
    assert (first.counted, first.run_id, first.balanced) == (None, RUN, True)
    assert counted(second) == (0, 20)


def test_the_seal_holds_what_was_counted(sealed: Mill) -> None:
    seal = read_seal(sealed.warehouse)
    whole = Account({PUBLICATION: range(1, ROWS + 1)})
    for name in (READINGS, QUARANTINE):
        whole.add_files(name, files(sealed, name))
    assert seal.account.same_as(whole)
    assert seal.account.batches.tolist() == [[0, 9, 1], [1, 9, 1]]


def test_offsets_that_the_broker_gave_out_again_stand_once_in_each_of_its_logs(sealed: Mill) -> None:
    rewind = a_batch(2, (0, 15, 20), kind="rewind", topic_id=TOPIC_ID, records=0, landed=0)
    append_batch(sealed.warehouse, rewind)
    land_sent(sealed.attempt(), 3, 15, sealed.sent(21, 22, 23, 24, 25))
    first = sealed.reconcile()
    assert first.balanced
    assert reason(sealed) == "landing went back since to where the topic's log was cut off"
    assert counted(first) == (25, 0)
    land_sent(sealed.attempt(), 4, 20, sealed.sent(26))
    assert counted(sealed.reconcile()) == (1, 25)
    land_sent(sealed.attempt(), 5, 21, sealed.sent(27))
    append_batch(
        sealed.warehouse, a_batch(6, (0, 21, 22), kind="rewind", topic_id=TOPIC_ID, records=0, landed=0)
    )
    land_sent(sealed.attempt(), 7, 21, sealed.sent(28))
    assert sealed.reconcile().balanced
