"""The demonstration is right whatever the machine: time zone, locale, working directory, letters in paths.

`make demo` as a person on such a machine gives it, without the set-up. The stack of test_pipeline.py comes up
in New York's zone, that of wrong_input/test_set_up.py in UTC; both hold the same tables against DuckDB.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.reconcile.ledger import read_ledger
from headrace.settings import Settings
from headrace.tables.warehouse import Warehouse
from local.stack.stack import Stack
from testbed.answers import ROWS, assert_right
from testbed.pipeline import DAG, foreign_settings, local

pytestmark = pytest.mark.timeout(900)

STAGES = {
    "provision_topics": "topic wind_turbine.readings, 4 partitions",
    "publish": "50,530 rows published",
    "land": "50,530 landed + 0 quarantined, in 1 batch",
    "analyse": "356 days, 8,439 hours in the gold tables",
    "reconcile": "50,530 rows of the source, every one accounted for",
}
"""What the person is told that each stage did."""


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[Settings]:
    """A stack to come, in foreign paths; it is ended."""
    settings = foreign_settings(tmp_path)
    yield settings
    Stack(settings).down()


def test_the_demonstration_is_right(foreign: Settings, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    run = local("demo", foreign, "Asia/Kolkata", elsewhere)
    output, _ = run.communicate(timeout=800)
    assert run.returncode == 0, output
    warehouse = Warehouse.of(foreign, DAG)
    assert_right(warehouse)
    entry = read_ledger(warehouse)[-1]
    assert (entry.balanced, entry.slice.landed) == (True, ROWS)
    report = warehouse.report(entry.run_id)
    assert "2,030 of 52,560 readings are missing" in report.read_text(encoding="utf-8")
    for stage, did in STAGES.items():
        assert re.search(rf"{stage}: success after \d+\.\d s: {re.escape(did)}\n", output), output
    assert f"report     {report}" in output
    assert list(elsewhere.iterdir()) == []
