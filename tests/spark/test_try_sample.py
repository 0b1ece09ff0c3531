"""`headrace try` on a sample with bad rows: what landing would make of it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from headrace.cli import app
from headrace.settings import PROJECT, load_settings
from local.stack.spark import spark_environment

CONTRACT = PROJECT / "include/streams/wind_turbine.yaml"
SAMPLE = """\
Date/Time,LV_ActivePower,Wind_Speed,Theoretical_Power_Curve,Wind_Direction
01 01 2018 00:00,380.05,5.31,416.33,259.99
01 01 2018 00:10,calm,5.67,519.92,268.64
31 02 2018 00:20,306.38,5.22,390.90,272.56
01 01 2018 00:30,,5.66,516.13,271.26
"""


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in spark_environment(load_settings()).items():
        monkeypatch.setenv(name, value)


def test_it_says_what_landing_would_make_of_it(tmp_path: Path) -> None:
    sample = tmp_path / "a sample.csv"
    sample.write_text(SAMPLE, encoding="utf-8")
    done = CliRunner().invoke(app, ["try", str(CONTRACT), str(sample), "--json"])
    assert done.exit_code == 1, done.output
    told = json.loads(done.stdout)
    assert (told["records"], told["readings"]) == (4, 2)
    assert told["refused"] == {"bad_event_time": 1, "not_a_number": 1}
    assert [row["row"] for row in told["first_readings"]] == [1, 4]
    assert told["first_readings"][0]["signals"]["LV ActivePower (kW)"] == "380.05"
    assert [(row["row"], row["reason"]) for row in told["first_refused"]] == [
        (2, "not_a_number"),
        (3, "bad_event_time"),
    ]


def test_a_sample_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    sample = tmp_path / "short.csv"
    sample.write_text(SAMPLE + "01 01 2018 00:40,1\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["try", str(CONTRACT), str(sample)])
    assert done.exit_code == 2
    assert "[HR201]" in done.stderr
    assert "line 6" in done.stderr
