"""Real tables maintained: fewer files, a shorter log, the same rows; the account holds without a recount."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import duckdb
import pytest

from headrace.analyse.engines import analyse_here
from headrace.errors import TooManySmallFiles
from headrace.identities.index import catch_up
from headrace.maintain import maintenance
from headrace.maintain.kept_files import remove_copies, remove_logs, remove_pages
from headrace.maintain.maintenance import maintain
from headrace.maintain.tables import maintain_tables
from headrace.publish.publications import change_publications, read_publications
from headrace.reconcile.ledger import read_ledger
from headrace.reconcile.seal import read_seal
from headrace.settings import Settings
from headrace.tables.batches import landed_position, newest_closing
from headrace.tables.commits import entries, log_file, newest_batch, open_table
from headrace.tables.names import BATCHES, GOLD, LANDED, LEDGER, READINGS
from headrace.tables.progress import nothing_to_analyse
from testbed.mill import Mill, make_mill
from testbed.parse_cases import TOPIC_ID

DAY = 24 * 3600


@pytest.fixture
def mill(tmp_path: Path) -> Mill:
    return make_mill(tmp_path)


def rows(mill: Mill) -> dict[str, list[Any]]:
    """Rows of `readings` and `quarantine` by the source's number, each told by DuckDB."""
    told = {}
    for name in LANDED:
        with duckdb.connect() as base:
            base.register("landed", open_table(mill.warehouse.table(name)).to_pyarrow_table())
            asked = "SELECT provenance.row, provenance.batch, provenance.offset FROM landed ORDER BY ALL"
            told[name] = base.execute(asked).fetchall()
    return told


def expected(last: int) -> dict[str, list[Any]]:
    """By the source: every tenth row is no reading, ten are a batch, an offset is a row's number less one."""
    whole = [(row, (row - 1) // 10, row - 1) for row in range(1, last + 1)]
    return {
        "readings": [row for row in whole if row[0] % 10],
        "quarantine": [row for row in whole if row[0] % 10 == 0],
    }


def age_log(path: Path, days: int) -> None:
    """Let the table's commits and checkpoints be of so many days before."""
    for commit in (path / "_delta_log").iterdir():
        os.utime(commit, (time.time() - days * DAY,) * 2)


def test_files_become_few_and_nothing_else_becomes_different(mill: Mill) -> None:
    mill.reconcile()
    sealed = read_seal(mill.warehouse).account.records
    mill.land(2, *range(21, 31))
    done = {each.table: each for each in maintain_tables(mill.warehouse, 30)}
    assert (done[READINGS].before.files, done[READINGS].after.files) == (3, 1)
    assert not any(each.put_off for each in done.values())
    assert rows(mill) == expected(30)
    entry = mill.reconcile()
    assert entry.counted
    assert (entry.counted.sealed, entry.counted.new, entry.counted.reason) == (sealed, 10, None)
    assert len(catch_up(mill.warehouse).runs) >= 1
    assert landed_position(mill.warehouse, TOPIC_ID) == {0: 30}


def test_twice_in_a_row_the_second_makes_no_commit(mill: Mill) -> None:
    maintain_tables(mill.warehouse, 30)
    versions = {name: open_table(mill.warehouse.table(name)).version() for name in (*LANDED, BATCHES)}
    maintain_tables(mill.warehouse, 30)
    assert {name: open_table(mill.warehouse.table(name)).version() for name in versions} == versions


def test_readings_are_clustered_by_time_only_when_that_is_asked_for(mill: Mill) -> None:
    maintain_tables(mill.warehouse, 30)
    maintain_tables(mill.warehouse, 30, cluster=True)
    (newest,) = open_table(mill.warehouse.table(READINGS)).history(1)
    assert newest["operation"] == "OPTIMIZE"
    times = open_table(mill.warehouse.table(READINGS)).to_pyarrow_table()["signal_ts"].to_pylist()
    assert times == sorted(times)
    assert rows(mill) == expected(20)
    assert mill.reconcile().balanced


def test_gold_is_maintained_too_and_stays_where_it_was(mill: Mill) -> None:
    analyse_here(mill.attempt())
    path = mill.warehouse.table(GOLD[1])
    orphan = path / "part-left-behind.parquet"
    orphan.write_bytes(b"of a killed process")
    os.utime(orphan, (time.time() - 8 * DAY,) * 2)
    before = open_table(path).to_pyarrow_table()
    maintain_tables(mill.warehouse, 30)
    assert not orphan.exists()
    assert open_table(path).to_pyarrow_table() == before
    assert nothing_to_analyse(mill.contract, mill.warehouse)


def test_gold_is_left_alone_while_somebody_writes(mill: Mill) -> None:
    analyse_here(mill.attempt())
    with mill.warehouse.writing():
        done = maintain_tables(mill.warehouse, 30)
    put_off = [line for each in done for line in each.put_off]
    assert len(put_off) == len(GOLD)
    assert all("files together: left for the next time: [HR401]" in line for line in put_off)


def test_an_old_log_is_cleaned_up_behind_a_checkpoint(mill: Mill) -> None:
    path = mill.warehouse.table(READINGS)
    maintain_tables(mill.warehouse, 30)
    checkpoint = open_table(path).version()
    age_log(path, days=40)
    mill.land(2, *range(21, 31))
    maintain_tables(mill.warehouse, 30)
    assert not any(log_file(path, version).exists() for version in range(checkpoint))
    assert log_file(path, checkpoint + 1).exists()
    assert newest_batch(path, "mill") == 2
    assert rows(mill) == expected(30)
    assert mill.reconcile().balanced


def test_a_ledger_of_many_runs_has_a_short_log_too(mill: Mill) -> None:
    for _ in range(2):
        mill.reconcile()
    path = mill.warehouse.table(LEDGER)
    maintain_tables(mill.warehouse, 30)
    age_log(path, days=40)
    mill.reconcile()
    maintain_tables(mill.warehouse, 30)
    assert not log_file(path, 0).exists()
    assert [entry.balanced for entry in read_ledger(mill.warehouse)] == [True] * 3


def test_the_log_of_a_table_at_rest_keeps_what_says_how_far_it_is(mill: Mill) -> None:
    for name in (*LANDED, BATCHES):
        age_log(mill.warehouse.table(name), days=40)
    late = time.time() + 40 * DAY
    with pytest.MonkeyPatch.context() as later:
        later.setattr(time, "time", lambda: late)
        maintain_tables(mill.warehouse, 30)
    for name in (*LANDED, BATCHES):
        assert log_file(mill.warehouse.table(name), 0).exists()
    newest = newest_closing(mill.warehouse)
    assert newest
    assert newest.batch == 1


def test_another_retention_of_the_log_is_noted_in_the_table_once(mill: Mill) -> None:
    maintain_tables(mill.warehouse, 10)
    maintain_tables(mill.warehouse, 10)
    path = mill.warehouse.table(BATCHES)
    assert open_table(path).metadata().configuration["delta.logRetentionDuration"] == "interval 10 days"
    assert [entry["operation"] for entry in entries(open_table(path))].count("SET TBLPROPERTIES") == 1
    newest = newest_closing(mill.warehouse)
    assert newest
    assert newest.batch == 1
    assert mill.reconcile().balanced


def test_landing_goes_on_meanwhile_and_neither_fails(mill: Mill) -> None:
    over, failed = Event(), []

    def keep_maintaining() -> None:
        while not over.is_set():
            try:
                maintain_tables(mill.warehouse, 30)
            except BaseException as error:
                failed.append(error)
                raise

    maintaining = Thread(target=keep_maintaining)
    maintaining.start()
    try:
        mill.land(2, *range(21, 31))
        for batch in range(3, 23):  # duplicates of nothing: they have no row of the source
            mill.land(batch, *range(10 * batch + 1, 10 * batch + 11))
    finally:
        over.set()
        maintaining.join()
    assert failed == []
    assert rows(mill) == expected(230)


KILLED = """
import sys
from pathlib import Path
from headrace.maintain.tables import maintain_tables
from headrace.tables.warehouse import Warehouse
maintain_tables(Warehouse(Path(sys.argv[1]), "mill"), 30)
"""


def test_killed_in_the_middle_it_goes_on_the_next_time(mill: Mill) -> None:
    mill.land(2, *range(21, 31))
    environment = {**os.environ, "HEADRACE_CRASH_AT": f"maintain.{READINGS}"}
    command = [sys.executable, "-c", KILLED, str(mill.warehouse.root)]
    assert subprocess.run(command, env=environment, check=False).returncode == -9
    maintain_tables(mill.warehouse, 30)
    assert rows(mill) == expected(30)
    assert mill.reconcile().balanced


def test_what_it_did_is_a_table_and_too_many_small_files_fail(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    maintain(mill.warehouse, mill.settings, said.append)
    head, readings, after = said[:3]
    assert " ".join(head.split()) == "table files small MB on disk MB on disk commits in the log"
    assert readings.split()[:4] == ["readings", "before", "2", "2"]
    assert after.split()[:3] == ["after", "1", "1"]
    monkeypatch.setattr(maintenance, "MOST_SMALL", 0)
    with pytest.raises(TooManySmallFiles, match=r"readings has 1, .*small files"):
        maintain(mill.warehouse, mill.settings, said.append)


def test_copies_that_nothing_needs_are_let_go_and_the_account_says_so(mill: Mill) -> None:
    mill.land(2, *range(21, 31))
    mill.reconcile()
    spool = mill.settings.spool_path
    assert remove_copies(mill.warehouse, spool, 1) == []  # the newest of its source
    (published,) = read_publications(mill.warehouse)
    newer = published.model_copy(
        update={"publication": "f" * 20, "sha256": "0" * 64, "rows": 0, "started": datetime.now(UTC)}
    )
    change_publications(
        mill.warehouse, lambda _: [published.model_copy(update={"state": "superseded"}), newer]
    )
    assert remove_copies(mill.warehouse, spool, 100_000) == []
    assert remove_copies(mill.warehouse, spool, 1) == [mill.spool]
    assert remove_copies(mill.warehouse, spool, 1) == []


def test_pages_are_let_go_but_for_the_newest(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = mill.warehouse
    warehouse.reports.mkdir()
    for run_id in ("old", "newest"):
        warehouse.report(run_id).write_text("a page")
    os.link(warehouse.report("newest"), warehouse.report("with nothing new"))
    (warehouse.reports / "newest.json").write_text('{"run_id": "newest"}')
    assert remove_pages(warehouse, 3) == []
    late = time.time() + 4 * DAY
    monkeypatch.setattr(time, "time", lambda: late)
    assert remove_pages(warehouse, 3) == [warehouse.report("old")]


def test_logs_are_let_go_with_their_empty_folders(tmp_path: Path) -> None:
    old, young = tmp_path / "dag" / "run" / "1.log", tmp_path / "dag" / "2.log"
    for file in (old, young):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("said")
    os.utime(old, (time.time() - 8 * DAY,) * 2)
    assert remove_logs(tmp_path, 7) == [old]
    assert not old.parent.exists()
    assert young.exists()


def test_by_default_nothing_is_let_go() -> None:
    settings = Settings()
    assert (settings.keep_spool_days, settings.keep_report_days, settings.keep_log_days) == (None, None, None)
    assert timedelta(days=settings.keep_table_log_days) == timedelta(days=30)
