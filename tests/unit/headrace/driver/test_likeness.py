"""A driver that was started earlier is used only where one that is started now would be the same."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.driver import likeness
from headrace.driver.likeness import Likeness, driver_environment

ARGUMENTS = ("--master", "local[*]")
ENVIRONMENT = {"TZ": "UTC", "HEADRACE_HOME": "/h"}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of this test's own."""
    (tmp_path / "spark_jobs" / "parts").mkdir(parents=True)
    (tmp_path / "spark_jobs" / "parts" / "land.py").write_text("1", "utf-8")
    monkeypatch.setattr(likeness, "PROJECT", tmp_path)
    return tmp_path


def test_the_same_is_alike() -> None:
    assert not Likeness.now(ARGUMENTS, ENVIRONMENT).differences(Likeness.now(ARGUMENTS, ENVIRONMENT))


@pytest.mark.parametrize(
    ("arguments", "environment", "differing"),
    [
        (("--master", "yarn"), ENVIRONMENT, "arguments (--master yarn is not --master local[*])"),
        ((*ARGUMENTS, "--driver-memory", "2g"), ENVIRONMENT, "arguments"),
        (ARGUMENTS, ENVIRONMENT | {"TZ": "CET", "NEW": "secret"}, "environment (NEW, TZ)"),
        (ARGUMENTS, {"TZ": "UTC"}, "environment (HEADRACE_HOME)"),
    ],
)
def test_what_differs_is_named_without_its_value(
    arguments: tuple[str, ...], environment: dict[str, str], differing: str
) -> None:
    (found,) = Likeness.now(arguments, environment).differences(Likeness.now(ARGUMENTS, ENVIRONMENT))
    assert found.startswith(differing)
    assert "secret" not in found


def test_what_a_task_imports_makes_no_difference() -> None:
    """Libraries set variables too; a task imports more of them than a keeper."""
    script = (
        "import json, os; before = dict(os.environ)\n"
        "import polars, pyarrow, deltalake, confluent_kafka, headrace_airflow.hooks.spark\n"
        "print(json.dumps([before, dict(os.environ)]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    before, after = (driver_environment(each) for each in json.loads(done.stdout.splitlines()[-1]))
    assert not Likeness.now(ARGUMENTS, after).differences(Likeness.now(ARGUMENTS, before))


def test_what_a_shell_or_a_test_adds_makes_no_difference() -> None:
    more = ENVIRONMENT | {"PWD": "/", "_": "python", "HEADRACE_CRASH_AT": "land.before_write"}
    assert not Likeness.now(ARGUMENTS, more).differences(Likeness.now(ARGUMENTS, ENVIRONMENT))


@pytest.mark.parametrize("change", ["text", "time", "new", "gone", "configuration"])
def test_other_code_is_another_driver(project: Path, tmp_path: Path, change: str) -> None:
    conf = tmp_path / "conf"
    conf.mkdir()
    environment = ENVIRONMENT | {"SPARK_CONF_DIR": str(conf)}
    before = Likeness.now(ARGUMENTS, environment)
    file = project / "spark_jobs" / "parts" / "land.py"
    if change == "text":
        file.write_text("22", "utf-8")
    elif change == "time":
        os.utime(file, ns=(1, 1))
    elif change == "new":
        file.with_name("more.py").touch()
    elif change == "gone":
        file.unlink()
    else:
        (conf / "spark-defaults.conf").write_text("spark.driver.memory=2g", "utf-8")
    assert Likeness.now(ARGUMENTS, environment).differences(before) == ["code or configuration"]


def test_a_driver_gets_nothing_of_airflows_or_the_process_managers() -> None:
    given = {"AIRFLOW_HOME": "", "_AIRFLOW__X": "", "SUPERVISOR_PROCESS_NAME": "", "JAVA_HOME": "j"}
    assert driver_environment(given) == {"JAVA_HOME": "j"}
