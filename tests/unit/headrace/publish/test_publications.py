"""The table `publications` keeps the newest state of each, also when several publishers write at once."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from headrace.errors import WarehouseUnavailable
from headrace.publish.publications import Publication, change_publications, read_publications
from headrace.settings import PROJECT
from headrace.tables.warehouse import Warehouse

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def publication(number: int) -> Publication:
    return Publication(
        publication=f"p{number}",
        source="a 'hostile'; path.csv",
        sha256="0" * 64,
        rows=number,
        topic="t",
        topic_id="id",
        run_id="manual__2026-01-01T00:00:00+00:00 <b>",
        state="publishing",
        started=NOON + timedelta(minutes=number),
    )


def test_a_publication_comes_back_as_it_was_noted(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path, "mill")
    assert read_publications(warehouse) == []
    change_publications(warehouse, lambda rows: [*rows, publication(1)])
    done = {"state": "published", "finished": NOON, "until": {0: 5, 11: 2**40}}
    change_publications(warehouse, lambda rows: [row.model_copy(update=done) for row in rows])
    assert read_publications(warehouse) == [publication(1).model_copy(update=done)]


def test_no_commit_is_made_when_nothing_changes(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path, "mill")
    change_publications(warehouse, lambda rows: [*rows, publication(1)])
    change_publications(warehouse, lambda rows: rows)
    assert len(list(warehouse.table("publications").glob("_delta_log/*.json"))) == 1


def test_nothing_is_lost_when_several_write_at_once(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path, "mill")

    def note(number: int) -> None:
        change_publications(warehouse, lambda rows: [*rows, publication(number)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(note, range(8)))
    assert read_publications(warehouse) == [publication(number) for number in range(8)]


def test_a_table_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path, "mill")
    warehouse.prepare()
    warehouse.table("publications").symlink_to("/proc/nowhere")  # where not even root makes a folder
    with pytest.raises(WarehouseUnavailable, match="mill/publications: cannot be written"):
        change_publications(warehouse, lambda rows: [*rows, publication(1)])


NOTING = """
import sys
from pathlib import Path
import headrace.publish.publishing
from headrace.publish.publications import change_publications, read_publications
from headrace.tables.warehouse import Warehouse
from tests.unit.headrace.publish.test_publications import publication

at_first = {'polars', 'pyarrow', 'pandas'} & sys.modules.keys()
change_publications(Warehouse(Path(sys.argv[1]), "mill"), lambda rows: [*rows, publication(1)])
print(at_first, {'polars', 'pandas'} & sys.modules.keys())
"""


def test_what_takes_a_second_to_import_is_left_alone(tmp_path: Path) -> None:
    """A publisher that finds nothing new has little else to do; and who forks must not have polars."""
    command = [sys.executable, "-c", NOTING, str(tmp_path)]
    said = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert said.stdout == "set() set()\n"
    assert read_publications(Warehouse(tmp_path, "mill")) == [publication(1)]
