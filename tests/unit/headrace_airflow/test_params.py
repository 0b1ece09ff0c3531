"""A run's parameters: what the form has for which stream, what JSON Schema and the first stage refuse."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError

from headrace.contract.model import Contract
from headrace.errors import SettingsError
from headrace.land.bounds import parse_bound
from headrace_airflow.params import refuse_params, stream_params, with_source
from testbed.parse_cases import contract

CSV = contract(source={"kind": "csv", "path": "x.csv"})
EXTERNAL = contract()
SQL = contract(source={"kind": "sql", "connection": "db", "query": "SELECT 1", "cursor": "id"})

EVERY = {"records_per_batch", "skip_report", "accept_loss", "skip_offsets"}


def context(conf: dict[str, Any] | None) -> Any:
    params = {name: param.value for name, param in stream_params(CSV).items()}
    dag = SimpleNamespace(dag_id="wind_turbine", params=params)
    return {
        "dag": dag,
        "dag_run": SimpleNamespace(conf=conf),
        "run_id": "manual__1",
        "params": params | (conf or {}),
    }


@pytest.mark.parametrize(
    ("of", "own"),
    [(CSV, {"source_path", "republish"}), (SQL, {"republish"}), (EXTERNAL, {"from", "until"})],
)
def test_a_stream_has_the_parameters_that_mean_something_to_it(of: Contract, own: set[str]) -> None:
    assert set(stream_params(of)) == EVERY | own


def test_every_parameter_is_explained_and_does_nothing_by_itself() -> None:
    for param in (stream_params(CSV) | stream_params(EXTERNAL)).values():
        assert not param.value
        assert param.schema["title"]
        assert len(str(param.description)) > 40


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("records_per_batch", 0),
        ("records_per_batch", "many"),
        ("source_path", "a\nb"),
        ("source_path", ""),
        ("skip_report", "yes"),
        ("until", "yesterday"),
        ("until", "2026-03-01T06:00"),  # in which zone?
        ("from", "0:1-2"),
        ("from", "0:1; rm -rf /"),
        ("skip_offsets", "0:5-"),
    ],
)
def test_json_schema_refuses_what_it_can(name: str, value: object) -> None:
    param = (stream_params(CSV) | stream_params(EXTERNAL))[name]
    with pytest.raises(ParamValidationError):
        param.resolve(value)


@pytest.mark.parametrize(
    "written", ["0:1200 1:900", "0:1200, 1:900", "2026-03-01T06:00+03:00", "2026-03-01T06:00:00.5Z", None]
)
def test_what_the_schema_takes_landing_understands(written: str | None) -> None:
    assert stream_params(EXTERNAL)["until"].resolve(written) == written
    assert (parse_bound("until", written) is None) == (written is None)


@pytest.mark.parametrize("written", ["0:1 0:2", "0:1 later", "2026-02-30T00:00Z", "2026-03-01T06:00"])
def test_what_the_schema_cannot_tell_is_refused_in_words(written: str) -> None:
    with pytest.raises(SettingsError, match="is neither partition:offset"):
        parse_bound("until", written)


@pytest.mark.parametrize("conf", [None, {}, {"republish": True}])
def test_parameters_of_the_dag_are_taken(conf: dict[str, Any] | None) -> None:
    refuse_params(CSV, context(conf))


def test_a_misspelt_parameter_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(SettingsError, match=r"no parameter 'republsh'; there are accept_loss, "):
        refuse_params(CSV, context({"republsh": True, "accept_loss": True}))


def test_another_source_path_changes_nothing_else_of_the_contract() -> None:
    other = with_source(CSV, {"source_path": "y.csv"})
    assert other.own_source
    assert other.own_source.path == Path("y.csv")
    assert other.model_copy(update={"source": CSV.source}) == CSV
    for none in (None, ""):
        assert with_source(CSV, {"source_path": none}) is CSV
    assert with_source(EXTERNAL, {"source_path": "y.csv"}) is EXTERNAL
