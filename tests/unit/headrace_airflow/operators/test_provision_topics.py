"""A run's parameters are those of its DAG, or the run does nothing."""

from types import SimpleNamespace
from typing import Any

import pytest

from headrace.errors import SettingsError
from headrace_airflow.operators.provision_topics import refuse_unknown_params

KNOWN = {"republish": False, "accept_loss": False}


def context(conf: dict[str, Any] | None) -> Any:
    dag = SimpleNamespace(dag_id="wind_turbine", params=KNOWN)
    return {"dag": dag, "dag_run": SimpleNamespace(conf=conf), "run_id": "manual__1"}


@pytest.mark.parametrize("conf", [None, {}, {"republish": True}, KNOWN])
def test_parameters_of_the_dag_are_taken(conf: dict[str, Any] | None) -> None:
    refuse_unknown_params(context(conf))


def test_a_misspelt_parameter_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(SettingsError, match=r"no parameter 'republsh'; there are accept_loss, republish\."):
        refuse_unknown_params(context({"republsh": True, "accept_loss": True}))
