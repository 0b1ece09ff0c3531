"""Contracts to and from ODCS: documents fit the standard's schema, and nothing is lost on the way."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft201909Validator
from typer.testing import CliRunner, Result

from headrace.cli import app
from headrace.contract.loader import contract_files, load_contract
from headrace.contract.model import Contract
from headrace.errors import ContractError
from headrace.odcs.document import VERSION, as_text, faults_of, schema_file
from headrace.odcs.exporting import exported
from headrace.odcs.importing import imported
from headrace.settings import PROJECT

SHIPPED = contract_files(PROJECT / "include" / "streams")

VALIDATOR = Draft201909Validator(json.loads(schema_file(VERSION).read_text("utf-8")))


def through_text(contract: Contract) -> Contract:
    """What comes back of a contract that was exported, written, read and imported."""
    document = yaml.safe_load(as_text(exported(contract)))
    VALIDATOR.validate(document)
    found = imported(document, "a document")
    assert found.missing == []
    return Contract.model_validate(yaml.safe_load(as_text(found.definition)))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_the_shipped_contracts_come_back_as_they_were(file: Path) -> None:
    contract = load_contract(file)
    assert through_text(contract).model_dump() == contract.model_dump()


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=8)


def some(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=optional)


NUMBERS = some(
    type=st.sampled_from(["double", "integer", "decimal(20, 3)"]),
    minimum=st.integers(-10, 0),
    maximum=st.integers(1, 10),
    required=st.booleans(),
    missing=st.just(["-", "NA"]),
)
TEXTS = st.sampled_from(
    [
        {"type": "string", "pattern": "[A-Z]+"},
        {"type": "string", "one_of": ["a", "b"]},
        {"type": "timestamp", "format": ["epoch_ms", "iso"]},
        {"type": "boolean", "required": True},
        {"type": "array"},
        {"type": "struct"},
    ]
)
SOURCES = st.sampled_from(
    [
        {"kind": "external"},
        {"kind": "csv", "path": "in/*.csv.gz", "delimiter": ";", "units": 1, "settle": "PT1M"},
        {"kind": "parquet", "path": "in/a.parquet", "columns": ["at", "v"]},
        {"kind": "sql", "connection": "plant", "query": "SELECT * FROM t", "cursor": "id"},
    ]
)
EVENT_TIMES = some(
    format=st.sampled_from(["iso", "epoch_ms", "yyyy-MM-dd HH:mm"]),
    timezone=st.sampled_from(["UTC", "Europe/Istanbul"]),
    doubled=st.sampled_from(["by_order", "later"]),
    every=st.sampled_from(["PT10M", "PT0.5S", "P1D"]),
    earliest=st.sampled_from(["1990-01-01", "P7D"]),
    latest=st.sampled_from(["2099-01-01", "P3D"]),
)
OTHERS = some(
    description=st.text(max_size=30),
    owner=NAMES,
    schedule=st.sampled_from(["@daily", "*/5 * * * *"]),
    landing=some(engine=st.just("worker"), quarantine_limit=st.sampled_from(["0.5%", "29%", "100%"])),
)


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    fields = draw(st.lists(NAMES, min_size=3, max_size=6, unique=True))
    time, entity, *measured = fields
    signals = [
        {"name": draw(st.sampled_from([field, f"{field} (kW)"])), "fields": [field], **draw(NUMBERS | TEXTS)}
        for field in measured
    ]
    if draw(st.booleans()):
        signals[0]["fields"] = [measured[0], f"{measured[0]} before"]
    record: dict[str, Any] = {
        "event_time": {"field": time, "format": "iso", **draw(EVENT_TIMES)},
        "signals": signals,
        **draw(
            some(entity=st.just(entity), key=st.just([entity]), trim=st.just(True), nan=st.just("missing"))
        ),
        **draw(some(identity=st.permutations(fields).map(lambda given: given[:2]))),
    }
    topic = {"name": "mill.readings", **draw(some(partitions=st.integers(1, 9)))}
    definition = {"stream": "mill", "source": draw(SOURCES), "topic": topic, "record": record}
    return Contract.model_validate(definition | draw(OTHERS))


@settings(max_examples=30, deadline=None)
@given(contracts())
def test_any_contract_comes_back_as_it_was(contract: Contract) -> None:
    assert through_text(contract).model_dump() == contract.model_dump()


def test_what_another_tool_changes_in_an_export_is_taken_over() -> None:
    document = exported(load_contract(PROJECT / "include/streams/wind_turbine.yaml"))
    power = next(each for each in document["schema"][0]["properties"] if each["name"] == "LV_ActivePower")
    power["logicalTypeOptions"]["maximum"] = 4321
    power["required"] = True
    changed = Contract.model_validate(imported(document, "it").definition)
    signal = next(each for each in changed.record.signals if "LV_ActivePower" in each.fields)
    assert (signal.maximum, signal.required) == (4321, True)


TIME = {"name": "x", "logicalType": "date"}

FOREIGN = """
version: 1.0.0
apiVersion: v3.0.2
kind: DataContract
id: 53581432-6c55-4ba2-a65f-72344a91553a
status: active
name: Pump telemetry
description: {purpose: Vibration of the pumps}
schema:
  - name: tbl_pumps
    physicalType: table
    properties:
      - {name: pump, logicalType: string, primaryKey: true, primaryKeyPosition: 1, required: true}
      - {name: measured_at, physicalType: TIMESTAMP, primaryKey: true, primaryKeyPosition: 2}
      - name: vibration
        logicalType: number
        logicalTypeOptions: {minimum: 0, maximum: 80, exclusiveMaximum: 80}
        quality: [{type: library, metric: nullValues, mustBe: 0}]
      - {name: state, logicalType: string, logicalTypeOptions: {pattern: "[A-Z]+"}}
      - {name: serviced, logicalType: date, logicalTypeOptions: {format: dd.MM.yyyy}}
      - {name: note}
slaProperties:
  - {property: frequency, value: 5, unit: minutes}
  - {property: latency, value: 4, unit: d}
"""


def command(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["contract", *map(str, arguments)])


def test_a_document_by_another_tool(tmp_path: Path) -> None:
    (tmp_path / "pumps.odcs.yaml").write_text(FOREIGN, "utf-8")
    said = command("import", tmp_path / "pumps.odcs.yaml", "--output", tmp_path / "pump_telemetry.yaml")
    assert said.exit_code == 1, said.output
    contract = load_contract(tmp_path / "pump_telemetry.yaml")
    assert contract.stream == "pump_telemetry"
    assert contract.description == "Vibration of the pumps"
    assert contract.record.identity == ("pump", "measured_at")
    assert contract.record.event_time.field == ("measured_at",)
    assert contract.record.event_time.every is not None
    assert contract.record.event_time.every.total_seconds() == 300
    kinds = {signal.name: signal.type for signal in contract.record.signals}
    expected = {"pump": "string", "vibration": "double", "state": "string", "serviced": "timestamp"}
    assert kinds == {**expected, "note": "string"}
    vibration = contract.record.signals[1]
    assert (vibration.minimum, vibration.maximum) == (0, 80)
    said_missing = " ".join(said.output.split())
    for missing in (
        "source: ODCS does not say where records come from",
        "topic.name: table 'tbl_pumps' is no topic",
        "event_time.format: no logicalTypeOptions.format: ISO 8601 is taken",
        "signal vibration: not taken over: logicalTypeOptions.exclusiveMaximum, quality",
        "signal note: no logicalType: string is taken",
        "slaProperties 'latency': not taken over",
    ):
        assert missing in said_missing
        assert missing in " ".join((tmp_path / "pump_telemetry.yaml").read_text("utf-8").split())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "Table"}, "is no document of ODCS"),
        ({"apiVersion": "v2.2.2"}, "has apiVersion 'v2.2.2'; give one of ODCS 3"),
        ({"status": 7}, "does not fit ODCS' schema: status: 7 is not of type 'string'"),
        ({"schema": []}, "a stream is one object of schema; it has none"),
        (
            {"schema": [{"name": "a", "properties": [{"name": "x", "logicalType": "date"}]}]},
            "no property but",
        ),
    ],
)
def test_what_cannot_be_imported_is_named(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    file = tmp_path / "other.odcs.yaml"
    file.write_text(yaml.safe_dump(deepcopy(yaml.safe_load(FOREIGN)) | change), "utf-8")
    ended = command("import", file, "--output", tmp_path / "other.yaml")
    assert ended.exit_code == 2
    assert said in " ".join(ended.output.split())
    assert not (tmp_path / "other.yaml").exists()


def test_a_contract_is_exported_and_never_overwritten(tmp_path: Path) -> None:
    said = command("export", PROJECT / "include/streams/wind_turbine.yaml")
    assert said.exit_code == 0
    document = yaml.safe_load(said.stdout)
    assert [*faults_of(document)] == []
    (tmp_path / "it.odcs.yaml").write_text(said.stdout, "utf-8")
    target = tmp_path / "wind_turbine.yaml"
    assert command("import", tmp_path / "it.odcs.yaml", "--output", target).exit_code == 0
    own = load_contract(PROJECT / "include/streams/wind_turbine.yaml")
    assert load_contract(target).sha256 == own.sha256
    again = command("import", tmp_path / "it.odcs.yaml", "--output", target)
    assert (again.exit_code, "is not overwritten" in " ".join(again.output.split())) == (2, True)


def test_a_faulty_contract_of_a_document_is_not_left_behind(tmp_path: Path) -> None:
    document = yaml.safe_load(FOREIGN)
    document["schema"][0]["properties"][2]["logicalTypeOptions"] = {"minimum": 5, "maximum": 1}
    (tmp_path / "x.odcs.yaml").write_text(yaml.safe_dump(document), "utf-8")
    ended = command("import", tmp_path / "x.odcs.yaml", "--output", tmp_path / "x.yaml")
    assert (ended.exit_code, (tmp_path / "x.yaml").exists()) == (2, False)
    assert "minimum is above maximum" in " ".join(ended.output.split())
    with pytest.raises(ContractError):
        load_contract(tmp_path / "x.yaml")


def test_a_topic_without_a_time_of_its_own_has_kafkas(tmp_path: Path) -> None:
    document = yaml.safe_load(FOREIGN)
    del document["schema"][0]["properties"][4], document["schema"][0]["properties"][1]
    (tmp_path / "x.odcs.yaml").write_text(yaml.safe_dump(document), "utf-8")
    assert command("import", tmp_path / "x.odcs.yaml", "--output", tmp_path / "x.yaml").exit_code == 1
    assert load_contract(tmp_path / "x.yaml").record.event_time.from_ == "kafka_timestamp"
