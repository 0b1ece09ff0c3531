"""The command `headrace`; `headrace try` is tested in tests/unit/headrace/sample/test_try_sample.py."""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from deltalake import write_deltalake
from typer.testing import CliRunner

from headrace.cli import app
from headrace.cli.console import CONNECTION, broker_of
from headrace.errors import SettingsError
from headrace.settings import PROJECT, Settings

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


def written(folder: Path, *signals: dict[str, Any]) -> Path:
    file = folder / "mill.yaml"
    definition = {
        "stream": "mill",
        "source": {"kind": "external"},
        "topic": {"name": "mill"},
        "record": {"event_time": {"field": "at", "format": "yyyy"}, "signals": signals},
    }
    file.write_text(yaml.safe_dump(definition), encoding="utf-8")
    return file


@pytest.mark.parametrize("pair", [("Temp", "temp"), ("a b", "a_b"), ("t", "T"), ("readings", "x")])
def test_check_refuses_signals_that_gold_tables_could_not_tell_apart(
    tmp_path: Path, pair: tuple[str, str]
) -> None:
    file = written(tmp_path, *({"name": name, "fields": [name]} for name in pair))
    done = CliRunner().invoke(app, ["check", "--json", str(file)])
    assert done.exit_code == 1
    fault = json.loads(done.stdout)[0]["fault"]
    assert f"two columns of hourly_average would be called '{pair[0].replace(' ', '_')}'" in fault


def test_check_takes_a_signals_name_that_is_another_signals_field(tmp_path: Path) -> None:
    """Each value is found by the fields of its own signal, so nothing clashes."""
    signals = [{"name": "temp", "fields": ["temperature"]}, {"name": "temp_raw", "fields": ["temp"]}]
    assert CliRunner().invoke(app, ["check", str(written(tmp_path, *signals))]).exit_code == 0


CLASHES = {
    "signal name 'a' stands twice": [{"name": "a", "fields": ["x"]}, {"name": "a", "fields": ["y"]}],
    "field 'x' stands twice": [{"name": "a", "fields": ["x"]}, {"name": "b", "fields": ["x"]}],
    "field 'at' is both a signal and the event time": [{"name": "a", "fields": ["at"]}],
}


@pytest.mark.parametrize("message", CLASHES)
def test_check_refuses_fields_that_two_claim(tmp_path: Path, message: str) -> None:
    done = CliRunner().invoke(app, ["check", "--json", str(written(tmp_path, *CLASHES[message]))])
    assert done.exit_code == 1
    assert message in json.loads(done.stdout)[0]["fault"]


def test_show_waits_for_no_import_that_it_does_not_need(tmp_path: Path) -> None:
    day = {"signal_date": [date(2018, 1, 1)], "entity": ["a"], "distinct_signal_ts": [144]}
    rows = pl.DataFrame(day | {"expected": [144], "missing": [0]})
    write_deltalake(tmp_path / "wind_turbine" / "daily_completeness", rows)
    code = (
        "import sys\nfrom headrace.cli import app\nfrom headrace.kafka import topics\n"
        "topics.ANSWER_SECONDS = 0.2  # nothing listens there\n"
        "try: app()\n"
        "finally: print({'pandas', 'pyspark', 'matplotlib'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "show", "wind_turbine", "--bootstrap", "127.0.0.1:1"],
        env={**os.environ, "HEADRACE_WAREHOUSE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "1, 1 complete; 0 of 144 readings missing" in done.stdout
    assert done.stdout.endswith("\nset()\n")


def test_commands_ask_the_broker_of_the_connection_in_their_environment(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {"bootstrap.servers": "k:1", "sasl.password": "x"}
    for said in (extra, json.dumps(extra)):  # Airflow takes both
        monkeypatch.setenv(CONNECTION, json.dumps({"conn_type": "kafka", "extra": said}))
        assert broker_of(settings, None) == extra
        assert broker_of(settings, "other:2") == {**extra, "bootstrap.servers": "other:2"}


@pytest.mark.parametrize(
    "said", ["kafka://u:hush@h", '{"host": "hush"}', '["hush"]', '{"extra": 1, "p": "hush"}']
)
def test_a_connection_in_another_form_is_refused_without_its_text(
    said: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONNECTION, said)
    with pytest.raises(SettingsError, match=CONNECTION) as refused:
        broker_of(settings, None)
    assert "hush" not in str(refused.value)


def test_a_named_broker_is_not_given_the_embedded_ones_login(settings: Settings) -> None:
    assert broker_of(settings, "other:2") == {"bootstrap.servers": "other:2"}
