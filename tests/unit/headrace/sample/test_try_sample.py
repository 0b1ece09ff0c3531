"""`headrace try` on a sample with bad rows: what landing would make of it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from headrace.cli import app
from headrace.parse.reasons import Reason
from headrace.sample import records
from headrace.settings import PROJECT

CONTRACT = PROJECT / "include/streams/wind_turbine.yaml"
SAMPLE = """\
Date/Time,LV_ActivePower,Wind_Speed,Theoretical_Power_Curve,Wind_Direction
01 01 2018 00:00,380.05,5.31,416.33,259.99
01 01 2018 00:10,calm,5.67,519.92,268.64
31 02 2018 00:20,306.38,5.22,390.90,272.56
01 01 2018 00:30,,5.66,516.13,271.26
"""


@pytest.fixture(autouse=True, params=[1, 10_000], ids=["a record at a time", "all at once"])
def _batches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many records are parsed at a time changes nothing."""
    monkeypatch.setattr(records, "ROWS", request.param)


def told(contract: Path, sample: Path, *more: str, exit_code: int) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["try", str(contract), str(sample), "--json", *more])
    assert done.exit_code == exit_code, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def fed_by_others(folder: Path, *lines: str, **record: Any) -> tuple[Path, Path]:
    """The contract of an external stream, and a sample of it."""
    definition = {
        "stream": "events",
        "source": {"kind": "external"},
        "topic": {"name": "events"},
        "record": {
            "identity": ["at"],
            "event_time": {"field": "at", "format": "yyyy-MM-dd HH:mm[XXX]", "timezone": "Europe/Berlin"},
            "signals": [{"name": "v", "fields": ["v"], "type": "string"}],
        }
        | record,
    }
    contract, sample = folder / "events.yaml", folder / "events.jsonl"
    contract.write_text(yaml.safe_dump(definition), encoding="utf-8")
    sample.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return contract, sample


def test_it_says_what_landing_would_make_of_it(tmp_path: Path) -> None:
    sample = tmp_path / "a sample.csv"
    sample.write_text(SAMPLE, encoding="utf-8")
    answer = told(CONTRACT, sample, exit_code=1)
    assert (answer["records"], answer["readings"]) == (4, 2)
    assert answer["refused"] == {"bad_event_time": 1, "not_a_number": 1}
    assert [row["row"] for row in answer["first_readings"]] == [1, 4]
    assert answer["first_readings"][0]["signals"]["LV ActivePower (kW)"] == "380.05"
    assert answer["first_readings"][0]["signal_ts"] == "2017-12-31 21:00:00"
    assert [(row["row"], row["reason"]) for row in answer["first_refused"]] == [
        (2, "not_a_number"),
        (3, "bad_event_time"),
    ]
    assert '"LV_ActivePower":"calm"' in answer["first_refused"][0]["value"]
    assert answer["warnings"] == []


def test_a_sample_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    sample = tmp_path / "short.csv"
    sample.write_text(SAMPLE + "01 01 2018 00:40,1\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["try", str(CONTRACT), str(sample)])
    assert done.exit_code == 2
    assert "[HR201]" in done.stderr
    assert f"{sample}, line 6" in done.stderr


@pytest.mark.parametrize("source", ["csv", "external"])
def test_a_sample_that_is_not_there_is_named(tmp_path: Path, source: str) -> None:
    contract = CONTRACT if source == "csv" else fed_by_others(tmp_path)[0]
    done = CliRunner().invoke(app, ["try", str(contract), str(tmp_path / "absent")])
    assert done.exit_code == 2
    assert "absent: cannot be read: No such file" in done.stderr


def test_repeats_are_refused_as_landing_refuses_them(tmp_path: Path) -> None:
    sample = tmp_path / "sample.csv"
    head, first, *_ = SAMPLE.splitlines()
    other = first.replace("380.05", "1")
    sample.write_text("\n".join([head, first, first, other, first, ""]), encoding="utf-8")
    answer = told(CONTRACT, sample, "--rows", "2", exit_code=1)
    assert (answer["records"], answer["readings"]) == (4, 1)
    assert answer["refused"] == {"duplicate": 2, "conflict": 1}
    assert [row["row"] for row in answer["first_readings"]] == [1]
    assert [(row["row"], row["message"]) for row in answer["first_refused"]] == [
        (2, f"{Reason.DUPLICATE.text}; row 1"),
        (3, f"{Reason.CONFLICT.text}; row 1"),
    ]


def test_a_line_is_a_record_of_an_external_source(tmp_path: Path) -> None:
    contract, sample = fed_by_others(tmp_path, '{"at": "2024-01-01 00:00", "v": "ä"}', "no JSON", "")
    answer = told(contract, sample, exit_code=1)
    assert [row["signals"] for row in answer["first_readings"]] == [{"v": "ä"}]
    assert [(row["row"], row["reason"]) for row in answer["first_refused"]] == [
        (2, "not_an_object"),
        (3, "empty"),
    ]


def test_without_a_declared_identity_equal_lines_are_records_of_their_own(tmp_path: Path) -> None:
    line = '{"at": "2024-01-01 00:00", "v": "a"}'
    answer = told(*fed_by_others(tmp_path, line, line, identity=None), exit_code=0)
    assert (answer["readings"], len(answer["first_readings"])) == (2, 2)


def test_a_sample_without_records_is_good(tmp_path: Path) -> None:
    answer = told(*fed_by_others(tmp_path), exit_code=0)
    assert (answer["records"], answer["refused"], answer["first_readings"]) == (0, {}, [])


TWICE = '{"at": "2024-10-27 02:30", "v": "a"}'


def test_an_hour_that_comes_twice_is_told_of(tmp_path: Path) -> None:
    lines = ['{"at": "2024-10-27 01:59"}', TWICE, TWICE.replace('"a"', '"b"'), '{"at": "2024-10-27 03:00"}']
    answer = told(*fed_by_others(tmp_path, *lines), exit_code=1)
    assert answer["refused"] == {"conflict": 1}
    [warning] = answer["warnings"]
    assert warning.startswith("2 of the event times stand in an hour that comes twice in Europe/Berlin")
    assert "(the first: row 2, 2024-10-27 02:30)" in warning
    assert "The identity holds field at, which cannot tell the two hours apart" in warning


def test_of_a_doubled_hour_an_offset_says_which_it_is(tmp_path: Path) -> None:
    with_offsets = [TWICE.replace(":30", f":30{offset}") for offset in ("+02:00", "+01:00")]
    assert told(*fed_by_others(tmp_path, *with_offsets), exit_code=0)["warnings"] == []
    answer = told(*fed_by_others(tmp_path, *with_offsets, TWICE, identity=None), exit_code=0)
    [warning] = answer["warnings"]
    assert warning.startswith("1 of the event times")
    assert "row 3" in warning
    assert "identity" not in warning


ISO_OR_NUMBER = {"field": "at", "format": ["iso", "epoch_s"], "timezone": "Europe/Berlin"}


def test_of_a_doubled_hour_numbers_and_offsets_say_which_it_is(tmp_path: Path) -> None:
    exact = ['{"at": "2024-10-27T02:30+02:00"}', '{"at": "2024-10-27T01:30Z"}', '{"at": 1729989000}']
    record = {"identity": None, "event_time": ISO_OR_NUMBER}
    assert told(*fed_by_others(tmp_path, *exact, **record), exit_code=0)["warnings"] == []
    answer = told(*fed_by_others(tmp_path, *exact, '{"at": "2024-10-27T02:30"}', **record), exit_code=0)
    [warning] = answer["warnings"]
    assert warning.startswith("1 of the event times stand in an hour that comes twice")
    assert "row 4, 2024-10-27T02:30" in warning


def test_the_parts_of_a_doubled_time_are_named(tmp_path: Path) -> None:
    both = {"field": ["day", "at"], "format": "yyyy-MM-dd HH:mm", "timezone": "Europe/Berlin"}
    line = '{"day": "2024-10-27", "at": "02:30"}'
    files = fed_by_others(tmp_path, line, identity=["day", "at"], event_time=both)
    [warning] = told(*files, exit_code=0)["warnings"]
    assert "row 1, 2024-10-27 02:30" in warning
    assert "The identity holds field day and at, which cannot tell the two hours apart" in warning


def test_one_instant_in_three_spellings_is_one_reading(tmp_path: Path) -> None:
    spellings = ("2024-05-30T22:00:00Z", "2024-05-31T00:00:00+02:00", "2024-05-30T22:00:00.000Z")
    lines = [f'{{"at": "{text}", "v": "1"}}' for text in spellings]
    answer = told(*fed_by_others(tmp_path, *lines, event_time={"field": "at", "format": "iso"}), exit_code=1)
    assert (answer["readings"], answer["refused"]) == (1, {"duplicate": 2})


def test_a_records_own_time_is_that_of_the_trial(tmp_path: Path) -> None:
    record = {"format": "text", "event_time": {"from": "kafka_timestamp"}, "identity": None}
    signals = [{"name": "text", "fields": ["text"], "type": "string"}]
    answer = told(*fed_by_others(tmp_path, "a line", "", **record, signals=signals), exit_code=1)
    assert answer["refused"] == {"empty": 1}
    assert answer["first_readings"][0]["signals"] == {"text": "a line"}


def test_gold_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    signals = [{"name": name, "fields": [name]} for name in ("Temp", "temp")]
    contract, sample = fed_by_others(tmp_path, signals=signals)
    done = CliRunner().invoke(app, ["try", str(contract), str(sample)])
    assert done.exit_code == 2
    assert "two columns of hourly_average would be called 'Temp'" in done.stderr


def test_nothing_is_imported_that_a_sample_does_not_need(tmp_path: Path) -> None:
    """Five rows are to take a second; pandas alone, which pyarrow likes to import, is 0.7 s."""
    sample = tmp_path / "sample.csv"
    sample.write_text(SAMPLE, encoding="utf-8")
    code = (
        "import sys\nfrom headrace.cli import app\n"
        "try: app()\n"
        "finally: print({'pandas', 'pyspark', 'deltalake', 'confluent_kafka'} & sys.modules.keys())"
    )
    command = [sys.executable, "-c", code, "try", str(CONTRACT), str(sample)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stdout.endswith("\nset()\n")
