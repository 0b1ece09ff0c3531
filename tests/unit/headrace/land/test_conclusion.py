"""The end of a landing: how much of what is new may be refused, as a share or as a count."""

from pathlib import Path

import pytest

from headrace.errors import QuarantineLimitExceeded
from headrace.land.conclusion import conclude
from headrace.tables.attempt import Attempt
from headrace.tables.creation import create_tables
from headrace.tables.slices import new_slice
from headrace.tables.warehouse import Warehouse
from testbed.landed_batches import land_values
from testbed.parse_cases import TOPIC_ID, at, contract

GOOD, BAD = 7, 3


@pytest.mark.parametrize(
    ("limit", "fails"), [(2, True), (3, False), (0, True), ("29%", True), ("30%", False), ("0%", True)]
)
def test_the_limit_is_a_share_or_a_count(tmp_path: Path, limit: str | int, fails: bool) -> None:
    of = contract(landing={"quarantine_limit": limit})
    attempt = Attempt(of, Warehouse(tmp_path, "small"), "r")
    attempt.warehouse.prepare()
    create_tables(attempt.warehouse)
    good = [at(f"01 01 2018 00:{minute:02}") for minute in range(GOOD)]
    land_values(attempt, 0, 0, *good, *[b"{"] * BAD)
    run_slice = new_slice("r", "readings", TOPIC_ID, {}, {0: GOOD + BAD})
    if not fails:
        conclude(of, attempt.warehouse, run_slice)
        return
    said = f"{limit} records" if isinstance(limit, int) else f"{float(limit[:-1]):.1f}%"
    with pytest.raises(QuarantineLimitExceeded, match=rf"3 of 10 new .* limit is {said}: not_an_object 3"):
        conclude(of, attempt.warehouse, run_slice)
