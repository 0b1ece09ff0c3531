"""The command `headrace`; `headrace try` is tested in tests/unit/headrace/sample/test_try_sample.py."""

import json
from pathlib import Path

from typer.testing import CliRunner

from headrace.cli import app
from headrace.settings import PROJECT

SHIPPED = PROJECT / "include/streams/wind_turbine.yaml"


def test_check_passes_the_shipped_contract_and_fails_a_broken_one(tmp_path: Path) -> None:
    broken = tmp_path / "mill.yaml"
    broken.write_text("stream: mill\n", encoding="utf-8")
    good = CliRunner().invoke(app, ["check", str(SHIPPED)])
    assert good.exit_code == 0
    assert "stream wind_turbine" in good.output
    bad = CliRunner().invoke(app, ["check", str(SHIPPED), str(broken)])
    assert bad.exit_code == 1
    assert "mill.yaml, line 1: field source: is missing; add it" in bad.output
    assert "1 of 2 contracts are wrong" in bad.output


def test_check_tells_scripts_the_same_as_json(tmp_path: Path) -> None:
    broken = tmp_path / "mill.yaml"
    broken.write_text("stream: mill\n", encoding="utf-8")
    told = CliRunner().invoke(app, ["check", "--json", str(SHIPPED), str(broken)])
    assert told.exit_code == 1
    good, bad = json.loads(told.stdout)
    assert good == {
        "file": str(SHIPPED),
        "stream": "wind_turbine",
        "topic": "wind_turbine.readings",
        "fault": None,
    }
    assert (bad["file"], bad["stream"]) == (str(broken), None)
    assert "mill.yaml, line 1: field source: is missing; add it" in bad["fault"]
