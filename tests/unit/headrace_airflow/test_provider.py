"""Headrace as Airflow's provider: its information fits Airflow's schema, and every name in it is there."""

import json
import re
import tomllib
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import airflow
import jsonschema
import pytest

import headrace_airflow
from headrace.settings import PROJECT
from headrace_airflow.provider import get_provider_info

SCHEMA = Path(airflow.__file__).parent / "provider_info.schema.json"


def test_the_information_is_as_airflow_wants_it() -> None:
    jsonschema.validate(get_provider_info(), json.loads(SCHEMA.read_text("utf-8")))


def test_every_module_and_class_in_it_is_there() -> None:
    info = get_provider_info()
    for sort in ("operators", "sensors", "triggers", "hooks"):
        for part in info[sort]:
            for module in part["python-modules"]:
                import_module(module)
    for path in [*info["extra-links"], *info["executors"]]:
        module, name = path.rsplit(".", 1)
        assert getattr(import_module(module), name)


def test_airflow_finds_it() -> None:
    (found,) = (
        each for each in entry_points(group="apache_airflow_provider") if each.value.startswith("headrace")
    )
    assert found.load() is get_provider_info


@pytest.mark.parametrize("name", headrace_airflow.__all__)
def test_what_people_import_is_there(name: str) -> None:
    assert getattr(headrace_airflow, name).__name__ == name


def test_what_is_not_there_is_said_as_python_says_it() -> None:
    with pytest.raises(ImportError, match="cannot import name 'Gatte'"):
        exec("from headrace_airflow import Gatte")


def test_the_wheel_needs_nothing_that_is_not_tried_here() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    tried = (PROJECT / "requirements.in").read_text("utf-8").splitlines()
    names = {re.split(r"[<>=! #]", line, maxsplit=1)[0] for line in tried}
    assert {re.split(r"[<>=]", each, maxsplit=1)[0] for each in project["dependencies"]} <= names
