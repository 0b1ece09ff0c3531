"""Who publishes: what a contract may ask of Spark is found before a run."""

from pathlib import Path

import pytest
import yaml

from headrace.contract.loader import load_contract
from headrace.errors import ContractError
from headrace.settings import PROJECT

SHIPPED = PROJECT / "include/streams/wind_turbine.yaml"


def contract(folder: Path, **source: object) -> Path:
    definition = yaml.safe_load(SHIPPED.read_text("utf-8")) | {"publish": {"engine": "spark"}}
    definition["source"] |= source
    file = folder / SHIPPED.name
    file.write_text(yaml.safe_dump(definition, sort_keys=False), "utf-8")
    return file


@pytest.mark.parametrize(
    "source", [{}, {"encoding": "latin-1"}, {"delimiter": ";", "quote": None}, {"escape": "\\"}]
)
def test_spark_publishes_csv_files(source: dict[str, object], tmp_path: Path) -> None:
    assert load_contract(contract(tmp_path, **source)).publish.engine == "spark"
    assert load_contract(SHIPPED).publish.engine == "worker"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"preamble": 3}, "source.preamble"),
        ({"comment": "#", "trim": True}, "source.comment, source.trim"),
        ({"blank_lines": "skip"}, "source.blank_lines: skip"),
        ({"encoding": "cp1252"}, "source.encoding: cp1252 .it reads utf-8"),
    ],
)
def test_what_sparks_reader_cannot_do_is_refused(
    source: dict[str, object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ContractError, match=f"publish.engine: Spark's CSV reader cannot do {said}"):
        load_contract(contract(tmp_path, **source))


def test_no_other_kind_of_source_is_sparks(tmp_path: Path) -> None:
    file = contract(tmp_path)
    definition = yaml.safe_load(file.read_text("utf-8"))
    definition["source"] = {"kind": "jsonl", "path": "in/a.jsonl"}
    file.write_text(yaml.safe_dump(definition, sort_keys=False), "utf-8")
    with pytest.raises(ContractError, match="Spark publishes CSV files, and the source is jsonl; set worker"):
        load_contract(file)
