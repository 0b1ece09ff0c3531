"""The published JSON Schema is that of the models, and says what they say."""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError

from headrace.contract.loader import contract_files
from headrace.reference_pages import SCHEMA_FILE, schema_text
from headrace.settings import PROJECT


def test_the_committed_schema_is_fresh() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run `headrace schema --write`"


@pytest.mark.parametrize("file", contract_files(PROJECT / "include/streams"), ids=lambda file: file.stem)
def test_every_shipped_contract_fits_it(file: Path) -> None:
    contract = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    # BaseLoader leaves every scalar a text, as an editor's date would be; numbers are checked by the models.
    errors = [e for e in validator().iter_errors(contract) if e.validator not in ("type", "anyOf")]
    assert errors == []


def test_it_refuses_what_the_models_refuse() -> None:
    with pytest.raises(ValidationError, match=r"0\.5 is not valid under any of the given schemas"):
        validator().evolve(schema={"$ref": "#/$defs/Landing", **json.loads(schema_text())}).validate(
            {"quarantine_limit": 0.5}
        )


def validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema_text()))
