"""A contract is right, or its file, line and field are named."""

import json
import os
import re
from pathlib import Path

import pytest

from headrace.contract.loader import load_contract, load_signal_names
from headrace.contract.record import EventTime
from headrace.errors import ContractError
from headrace.settings import PROJECT
from testbed.time_cases import FORMATS

SPEED, POWER = "Wind Speed (m/s)", "LV ActivePower (kW)"
SHIPPED = PROJECT / "include/streams/wind_turbine.yaml"

# What is replaced in the shipped contract, by what, and what the message must say.
FAULTS = {
    "no YAML": ("record:", "record: [", r"line 1\d: no valid YAML"),
    "a key twice": (
        "schedule: null",
        "schedule: null\nschedule: null",
        r"line 5: field schedule: stands twice",
    ),
    "unknown field": ("  key: [", "  kei: [", r"line 15: field record\.kei: no such field"),
    "missing field": ("    field: Date/Time\n", "", r"line 17: field record\.event_time\.field: is missing"),
    "stream id": ("stream: wind_turbine", "stream: ../etc", r"line 2: field stream: .*'\.\./etc'"),
    "other file name": (
        "stream: wind_turbine",
        "stream: mill",
        r"line 2: field stream: .*name it mill\.yaml",
    ),
    "schedule": ("schedule: null", "schedule: every day", r"line 4: field schedule: 'every day' is neither"),
    "source kind": (
        "kind: csv",
        "kind: ftp",
        r"line 6: field source: .*'csv', 'jsonl', 'parquet', 'sql', 'ex",
    ),
    "encoding": ("utf-8-sig}", "klingon}", r"line 6: field source\.encoding"),
    "topic name": ("name: wind_turbine.readings", "name: a b", r"line 9: field topic\.name"),
    "partitions": ("partitions: 4", "partitions: 0", r"line 10: field topic\.partitions: .*\(it is 0\)"),
    "zone": ("Europe/Istanbul", "Mars/Utopia", r"line 20: field record\.event_time\.timezone: 'Mars/Utopia'"),
    "cadence": ("PT10M", "PT7M", r"line 21: field record\.event_time\.every: must divide a day evenly"),
    "beyond all readers": (
        "earliest: 2000-01-01",
        "latest: 9999-12-31",
        r"line 22: field record\.event_time\.latest: must be a day from 1678-01-01 to 2261-12-31, or a dur",
    ),
    "a bare number as a bound": (
        "earliest: 2000-01-01",
        "latest: 30",
        r"line 22: field record\.event_time\.latest: must be a day .* for example 2000-01-01 or P1D",
    ),
    "a bound in the past of the past": (
        "earliest: 2000-01-01",
        "earliest: -P1D",
        r"line 22: field record\.event_time\.earliest: must be a day",
    ),
    "nothing between": (
        "earliest: 2000-01-01",
        "earliest: 2000-01-02\n    latest: 2000-01-01",
        r"earliest is after latest",
    ),
    "a field twice": (
        "[Wind_Speed,",
        "[LV_ActivePower,",
        r"field record: field 'LV_ActivePower' stands twice",
    ),
    "no signal": ("minimum: -100", "minimum: 9000", r"field record\.signals\.0: minimum is above maximum"),
    "bare limit": (
        "quarantine_limit: 1%",
        "quarantine_limit: 0.5",
        r"field landing\.quarantine_limit: 0\.5 is neither a share nor a count",
    ),
    "open bands": (
        "Exceptional: null",
        "Exceptional: 9",
        r"field analysis\.indicator: the last band must be null",
    ),
    "falling bands": ("Medium: 600", "Medium: 100", r"field analysis\.indicator: bounds must ascend"),
    "indicator's signal": (
        "    signal: LV",
        "    signal: XX",
        r"'XX ActivePower \(kW\)' is none of the numeric signals",
    ),
    "mapping absent": ("wind_turbine.signal_names.json", "absent.json", r"absent\.json: cannot be read"),
    "no mapping at all": (
        "stream: wind_turbine",
        "- stream",
        r"line \d: no valid YAML",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_named_with_file_line_and_field(case: str, tmp_path: Path) -> None:
    old, new, message = FAULTS[case]
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "wind_turbine.yaml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContractError, match=message) as raised:
        load_contract(file)
    assert str(raised.value).startswith("[HR102]")
    assert case == "mapping absent" or str(file) in str(raised.value)


# What people write (case 27 and what Spark took), and what the message must say.
PATTERNS = {
    "YYYY-MM-DD HH:mm:ss": "Y is the year of a week; the year is y; is yyyy-MM-dd HH:mm:ss meant?",
    "%Y-%m-%d %H:%M:%S": "% stands for nothing here; text stands in quotes",
    "iso8601": "is iso meant?",
    "yyyy-MM-dd hh:mm:ss": "h is an hour of half a day; without a it is H; is yyyy-MM-dd HH:mm:ss meant?",
    "yyyy-mm-dd HH:MM:ss": "is yyyy-MM-dd HH:mm:ss meant?",
    "epoch": "is epoch_s, epoch_ms, epoch_us or epoch_ns meant?",
    "EEE dd MMM yyyy": "a weekday's name is not read",
    "yyyy-MM-dd G": "eras are not read",
    "yyyy-MM-dd HH:mm z": "short names of zones are not read, several share one; VV is a full one",
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_time_pattern_that_cannot_be_meant_is_named_with_the_one_that_is(
    pattern: str, tmp_path: Path
) -> None:
    file = tmp_path / "wind_turbine.yaml"
    text = SHIPPED.read_text(encoding="utf-8")
    file.write_text(text.replace("dd MM yyyy HH:mm", f'"{pattern}"', 1), encoding="utf-8")
    with pytest.raises(ContractError) as raised:
        load_contract(file)
    place, field, message = str(raised.value).removeprefix("[HR102] ").split(": ", 2)
    assert (place, field) == (f"{file}, line 19", "field record.event_time.format")
    assert message.startswith(f"{pattern!r} is no time pattern: ")
    assert PATTERNS[pattern] in message


@pytest.mark.parametrize("pattern", FORMATS)
def test_a_time_pattern_that_is_read_is_taken(pattern: str) -> None:
    assert EventTime.model_validate({"field": "t", "format": pattern}).format == (pattern,)


# As above. Pydantic puts the kind of a source into the path to its fields; only there nobody wrote it.
NAMED_AS_A_KIND = {
    "band": (
        "{Low: 200",
        "{csv: much",
        r"line 38: field analysis\.indicator\.bands\.csv: .*\(it is 'much'\)",
    ),
    "field of a part": ("  format: json", "  csv: 1", r"line 14: field record\.csv: no such field"),
    "setting of the topic": (
        "compression.type: zstd",
        "external: [1]",
        r"line 11: field topic\.config\.external: ",
    ),
    "field of the source": ("kind: csv", "kind: csv, csv: 1", r"line 6: field source\.csv: no such field"),
    "field of the contract": ("schedule: null", "external: 1", r"line 4: field external: no such field"),
}


@pytest.mark.parametrize("case", NAMED_AS_A_KIND)
def test_what_is_called_as_a_kind_of_source_is_named_too(case: str, tmp_path: Path) -> None:
    old, new, message = NAMED_AS_A_KIND[case]
    file = tmp_path / "wind_turbine.yaml"
    file.write_text(SHIPPED.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContractError, match=message):
        load_contract(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stream: &all\n  record: *all\n", r"line 2: no valid YAML: aliases are not taken in a contract"),
        ("a: &a [x]\nb: &b [*a,*a]\nc: [*b,*b]\n", r"line 2: no valid YAML: aliases are not taken"),
        ("a: &a {b: 1}\nstream: {<<: *a}\n", r"line 2: no valid YAML: aliases are not taken"),
        ("stream: " + "[" * 21 + "]" * 21, r"line 1: no valid YAML: it is nested too deeply"),
        ("stream: " + "[" * 9_000, r"line 1: no valid YAML: it is nested too deeply"),
        ("stream: " + "9" * 5_000, r"no valid YAML: Exceeds the limit"),
        ("? {a: 1}\n: 1\n", r"line 1: no valid YAML: found unhashable key"),
        ("stream: !!set {a, b}\n", r"line 1: field stream"),
        ("# " + "x" * 262_144, r"cannot be read: it is larger than 262,144 bytes"),
        ("? [stream]\n: mill\n", r"line 1: no valid YAML: found unhashable key"),
        ("record:\n  event_time: !secret x\n", r"line 2: no valid YAML: could not determine a constructor"),
        ("record: {event_time: {earliest: 2000-13-01}}\n", r"no valid YAML: month must be in 1\.\.12"),
        ("- stream\n", r"line 1: a contract is a mapping that begins with 'stream:'"),
        ("stream: a\nrecord:\n- key: 1\n  key: 1\n", r"line 4: field key: stands twice; keep one"),
    ],
)
def test_yaml_that_is_no_contract_is_named(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "mill.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ContractError, match=f"{re.escape(str(file))}[,:] {message}"):
        load_contract(file)


@pytest.mark.parametrize("kind", ["a pipe", "a folder", "a device", "a link to nothing"])
@pytest.mark.timeout(20)
def test_what_is_no_regular_file_is_named_and_never_waited_for(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "wind_turbine.yaml"
    lay(kind, file)
    with pytest.raises(ContractError, match=re.escape(f"{file}: cannot be read: ")):
        load_contract(file)
    file.rename(tmp_path / "names.json")
    shipped = SHIPPED.read_text(encoding="utf-8")
    file.write_text(
        shipped.replace("include/streams/wind_turbine.signal_names.json", f"{tmp_path}/names.json")
    )
    with pytest.raises(ContractError, match=re.escape(f"{tmp_path}/names.json: cannot be read")):
        load_contract(file)


def lay(kind: str, file: Path) -> None:
    """Put something at that place that is no file."""
    if kind == "a pipe":
        os.mkfifo(file)
    elif kind == "a folder":
        file.mkdir()
    else:
        file.symlink_to("/dev/zero" if kind == "a device" else "nothing")


def test_every_fault_of_a_file_is_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "wind_turbine.yaml"
    text = SHIPPED.read_text(encoding="utf-8")
    file.write_text(text.replace("partitions: 4", "partitions: 0").replace("PT10M", "PT7M"), encoding="utf-8")
    with pytest.raises(ContractError, match=r"(?s)topic\.partitions.*event_time\.every"):
        load_contract(file)


def test_the_shipped_contract_is_what_the_assignment_asks() -> None:
    contract = load_contract(SHIPPED)
    assert [signal.name for signal in contract.record.signals] == [
        "LV ActivePower (kW)",
        "Wind Speed (m/s)",
        "Theoretical_Power_Curve (KWh)",
        "Wind Direction (°)",
    ]
    assert contract.landing.quarantine_limit == 0.01
    assert contract.topic.config == {"retention.ms": "-1", "compression.type": "zstd"}


def test_the_double_entry_of_the_mapping_is_one_name() -> None:
    contract = load_contract(SHIPPED)
    assert contract.analysis.signal_names_file is not None
    assert (
        contract.analysis.signal_names_file.read_text(encoding="utf-8").count("theo_power_curve_average") == 2
    )
    assert load_signal_names(contract)["Theoretical_Power_Curve (KWh)"] == "theo_power_curve_average"


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ("[{", "line 1: no JSON"),
        ("[" * 100_000, "must be a JSON list"),
        ('{"a": "b"}', "must be a JSON list"),
        ('[{"sig_name": "a"}]', "must be a JSON list"),
        (
            '[{"sig_name": "a", "sig_mapping_name": "x"}, {"sig_name": "a", "sig_mapping_name": "y"}]',
            "signal 'a' has two names",
        ),
        (
            json.dumps(
                [{"sig_name": SPEED, "sig_mapping_name": "x"}, {"sig_name": POWER, "sig_mapping_name": "x"}]
            ),
            "'x' would be the name of two signals",
        ),
    ],
)
def test_a_broken_mapping_is_named(mapping: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "names.json").write_text(mapping, encoding="utf-8")
    file = tmp_path / "wind_turbine.yaml"
    text = SHIPPED.read_text(encoding="utf-8")
    names = "include/streams/wind_turbine.signal_names.json"
    file.write_text(text.replace(names, str(tmp_path / "names.json")), encoding="utf-8")
    with pytest.raises(ContractError, match=re.escape(str(tmp_path / "names.json")) + ".*" + message):
        load_contract(file)


def test_the_analysis_hash_follows_the_mappings_text(tmp_path: Path) -> None:
    names = tmp_path / "names.json"
    file = tmp_path / "wind_turbine.yaml"
    text = SHIPPED.read_text(encoding="utf-8")
    file.write_text(
        text.replace("include/streams/wind_turbine.signal_names.json", str(names)), encoding="utf-8"
    )
    names.write_text("[]", encoding="utf-8")
    before = load_contract(file)
    hashes = before.sha256, before.analysis_sha256
    names.write_text('[{"sig_name": "Wind Speed (m/s)", "sig_mapping_name": "speed"}]', encoding="utf-8")
    after = load_contract(file)
    assert after.sha256 == hashes[0]
    assert after.analysis_sha256 != hashes[1]
