"""What Headrace takes from the private parts of Airflow's providers is still there, and still does the same.

Who raises a provider's version reads the places that name the old one, and then changes MEANT.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.apache.kafka.hooks.base import KafkaBaseHook
from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator

from headrace.settings import PROJECT

MEANT = {
    "apache-airflow-providers-apache-spark": (
        "6.3.4",
        ["plugins/headrace_airflow/hooks/spark.py", "plugins/headrace_airflow/operators/spark_stage.py"],
    ),
    "apache-airflow-providers-apache-kafka": ("2.1.0", ["plugins/headrace_airflow/hooks/kafka.py"]),
}
"""The version of each provider whose behaviour is meant, and where the code says so."""


@pytest.mark.parametrize("provider", MEANT)
def test_the_provider_is_of_the_version_that_is_meant(provider: str) -> None:
    meant, files = MEANT[provider]
    assert version(provider) == meant
    assert f"\n{provider}=={meant} " in (PROJECT / "requirements.txt").read_text("utf-8")
    for file in files:
        named = re.findall(r"provider(?:'s|) .*?(\d+\.\d+\.\d+)", (PROJECT / file).read_text("utf-8"))
        assert set(named) == {meant}, file


@pytest.fixture
def spark_submit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the place of spark-submit: it says two lines and ends with 7."""
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_DEFAULT", json.dumps({"conn_type": "spark", "host": "local[1]"}))
    program = tmp_path / "spark-submit"
    program.write_text('#!/bin/sh\necho one\necho "$ONLY"\nexit 7\n', "utf-8")
    program.chmod(0o755)
    return program


def test_spark_submit_is_a_private_process_whose_lines_go_through_one_private_method(
    spark_submit: Path,
) -> None:
    class Hook(SparkSubmitHook):
        heard: list[list[str]] = []  # noqa: RUF012  # one instance only

        def _process_spark_submit_log(self, itr: Iterator[Any]) -> None:
            assert self._submit_sp.returncode is None  # nobody has waited for its end yet
            self.heard.append(list(itr))
            super()._process_spark_submit_log(iter(self.heard[0]))

    hook = Hook(conn_id="spark_default", spark_binary=str(spark_submit), name="to be shown")
    assert hook._build_spark_common_args() == ["--master", "local[1]", "--name", "to be shown"]
    assert hook._submit_sp is None
    with pytest.raises(Exception, match="Error code is: 7"):
        hook.submit("application.py", env={"PATH": "/bin:/usr/bin", "ONLY": "two"})
    assert hook.heard == [["one\n", "two\n"]]
    assert hook._submit_sp.returncode == 7
    assert hook._submit_sp.pid > 0


def test_the_operator_runs_the_private_hook_that_it_finds(
    spark_submit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted: list[str] = []

    class Hook(SparkSubmitHook):
        def submit(self, application: str = "", **kwargs: Any) -> None:
            submitted.append(application)

    made: list[object] = []
    monkeypatch.setattr(SparkSubmitOperator, "_get_hook", made.append)
    stage = SparkSubmitOperator(
        task_id="stage", application="stage.py", spark_binary=str(spark_submit), durable=False
    )
    assert stage._hook is None
    assert stage._spark_binary == str(spark_submit)
    stage._hook = Hook(conn_id="spark_default", spark_binary=stage._spark_binary)
    stage.execute({})
    assert submitted == ["stage.py"]
    assert made == []


def test_kafkas_own_configuration_is_made_of_the_two_private_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"bootstrap.servers": "h:1", "client.id": "x"}
    connection = json.dumps({"conn_type": "kafka", "extra": extra})
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_DEFAULT", connection)
    steps: list[tuple[object, ...]] = []

    class Hook(KafkaBaseHook):
        def _resolve_callbacks(self, *given: object) -> None:
            steps.append(("callbacks", *given))

        def _maybe_add_msk_iam_oauth(self, *given: object) -> None:
            steps.append(("token", *given))

    assert Hook()._build_config() == extra
    assert steps == [("callbacks", extra), ("token", extra, "h:1")]


def test_kafkas_two_private_steps_complete_a_configuration_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__APACHE_KAFKA__CALLBACK_ALLOWLIST", "os.getcwd")
    config: dict[str, Any] = {"error_cb": "os.getcwd"}
    KafkaBaseHook()._resolve_callbacks(config)
    assert config == {"error_cb": os.getcwd}
    with pytest.raises(ValueError, match="Refusing to resolve"):
        KafkaBaseHook()._resolve_callbacks({"error_cb": "os.system"})

    class Signer:
        MSKAuthTokenProvider = None

    monkeypatch.setitem(sys.modules, "aws_msk_iam_sasl_signer", Signer)
    servers = "b-1.demo.abcde1.c2.kafka.us-east-1.amazonaws.com:9098"
    config = {"sasl.mechanism": "OAUTHBEARER"}
    KafkaBaseHook()._maybe_add_msk_iam_oauth(config, servers)
    assert isinstance(config["oauth_cb"], partial)
    assert config["oauth_cb"].args == ("us-east-1",)
    plain: dict[str, Any] = {}
    KafkaBaseHook()._maybe_add_msk_iam_oauth(plain, servers)
    assert plain == {}
