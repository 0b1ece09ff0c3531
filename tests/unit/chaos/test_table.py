"""The arithmetic of the result table."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chaos import table
from chaos.trial import Result


def _result(fault: str, **more: Any) -> Result:
    sound: dict[str, Any] = {
        "seed": 1,
        "number": 0,
        "commit": "0123456",
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "first": 1,
        "rows": 10,
        "recovered": True,
        "lost": 0,
        "doubled": 0,
        "gold": 0,
        "seconds": 1.0,
        "whole": 2.0,
        "problems": (),
        "notes": (),
    }
    return Result(fault=fault, **(sound | more))


def test_several_runs_add_up_in_the_order_of_the_faults(tmp_path: Path) -> None:
    file = tmp_path / "kept" / "results.jsonl"
    table.keep(file, _result("b", seconds=4.0))
    table.keep(file, _result("a", seconds=2.0, lost=3))
    table.keep(file, _result("b", seconds=1.0, doubled=2))
    table.keep(file, _result("b", recovered=False, seconds=None, problems=("land did not succeed",)))
    table.keep(file, _result("b", seconds=7.0, problems=("Airflow would not have tried again",)))
    a, b, everything = table.rows(table.read(file), ["a", "b", "never run"])
    assert a == table.Row("a", trials=1, recovered=1, lost=3, doubled=0, seconds=2.0)
    assert b == table.Row("b", trials=4, recovered=2, lost=0, doubled=2, seconds=4.0)
    assert everything == table.Row("all", trials=5, recovered=3, lost=3, doubled=2, seconds=3.0)
    assert table.markdown([a]).splitlines()[-1] == "| a | 1 | 1 | 3 | 0 | 2.0 |"


def test_a_trial_is_good_only_if_nothing_at_all_is_wrong() -> None:
    assert _result("a").good
    for wrong in ({"lost": 1}, {"doubled": 1}, {"gold": 1}, {"recovered": False}, {"problems": ("x",)}):
        assert not _result("a", **wrong).good
