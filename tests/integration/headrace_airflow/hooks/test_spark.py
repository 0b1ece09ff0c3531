"""A driver and its task, through the real spark-submit; the drivers are small scripts without a session."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from tenacity import retry, stop_after_delay, wait_fixed

from headrace.contract.loader import WrittenContract
from headrace.driver.compilers import BOTH_FROM, QUICK_ONLY
from headrace.driver.protocol import DriverError, Job, News
from headrace.driver.spark_submit import SPARK_SUBMIT
from headrace.errors import SettingsError
from headrace.land.progress import Progress
from headrace.settings import load_settings
from headrace.tables.slices import new_slice
from headrace_airflow.hooks.spark import DriverHook, require_spark_connection
from headrace_airflow.operators.land import LandOperator
from local.stack.spark import spark_environment

SECRET = "hush-hush-hush"


@pytest.fixture(autouse=True)
def _spark(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in spark_environment(load_settings()).items():
        monkeypatch.setenv(name, value)
    connect(monkeypatch, {"conn_type": "spark", "host": "local[1]", "extra": {"deploy-mode": "client"}})
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", SECRET)


def connect(monkeypatch: pytest.MonkeyPatch, connection: dict[str, object]) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_DEFAULT", json.dumps(connection))


def driver(tmp_path: Path, script: str, records: int = 1) -> tuple[DriverHook, str]:
    file = tmp_path / "driver with a blank.py"
    file.write_text(script, "utf-8")
    job = Job(
        contract=WrittenContract(file=Path("c.yaml"), text="", signal_names=None),
        run_id="'; DROP TABLE x; $(reboot)",
        warehouse=tmp_path,
        kafka={"sasl.password": SECRET},
        slice=new_slice("run", "t", "id", {}, {0: records}),
    )
    return DriverHook(job=job, conn_id="spark_default", name="a driver", spark_binary=SPARK_SUBMIT), str(file)


def test_a_driver_gets_its_job_and_no_secret_of_airflow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many partitions it has: an environment's variable would end at some 4,000."""
    hook, file = driver(
        tmp_path,
        "import os, sys, psutil\n"
        "from headrace.driver.protocol import read_job\n"
        "job = read_job()\n"
        "tree = [psutil.Process(), *psutil.Process().parents()]\n"
        "assert not any(job.kafka['sasl.password'] in ' '.join(p.cmdline()) for p in tree)\n"
        "print('run', job.run_id)\n"
        "print('partitions', len(job.slice.until))\n"
        "assert not any(job.kafka['sasl.password'] in str(p.environ()) for p in tree[:2])\n"
        "print('airflow', [name for name in os.environ if 'AIRFLOW' in name])\n",
    )
    many = new_slice("run", "t", "id", {}, dict.fromkeys(range(10_000), 1_000_000_000))
    hook._job = hook._job.model_copy(update={"slice": many.model_copy(update={"start": many.until})})
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path / "home"))
    hook.submit(file)
    log = capsys.readouterr().out
    assert "run '; DROP TABLE x; $(reboot)" in log
    assert "partitions 10000" in log
    assert not list((tmp_path / "home" / "jobs").iterdir())
    assert "airflow []" in log
    assert SECRET not in log


@pytest.mark.parametrize("records", [BOTH_FROM - 1, BOTH_FROM])
def test_a_large_slice_gets_both_of_javas_compilers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], records: int
) -> None:
    script = "import psutil\nprint('one compiler:', {!r} in psutil.Process().parent().cmdline())\n"
    hook, file = driver(tmp_path, script.format(QUICK_ONLY), records)
    hook.submit(file)
    assert f"one compiler: {records < BOTH_FROM}" in capsys.readouterr().out


@pytest.mark.parametrize("transient", [False, True])
def test_a_drivers_last_word_is_the_tasks_error(tmp_path: Path, transient: bool) -> None:
    error = DriverError(code="HR305", transient=transient, message="[HR305] 17 offsets\nare gone")
    hook, file = driver(tmp_path, f"import sys\nprint({error.last_word()!r})\nsys.exit(1)\n")
    with pytest.raises(AirflowException) as failed:
        hook.submit(file)
    assert str(failed.value) == "[HR305] 17 offsets\nare gone"
    assert isinstance(failed.value, AirflowFailException) is not transient


def test_a_driver_that_dies_without_a_word_is_tried_again(tmp_path: Path) -> None:
    hook, file = driver(tmp_path, "import os\nos.kill(os.getpid(), 9)\n")
    with pytest.raises(AirflowException, match="without naming a reason") as failed:
        hook.submit(file)
    assert not isinstance(failed.value, AirflowFailException)


def test_a_killed_task_takes_its_whole_driver_along(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    hook, file = driver(
        tmp_path,
        f"import os, threading\nopen({str(pid_file)!r} + '.new', 'w').write(str(os.getpid()))\n"
        f"os.rename({str(pid_file)!r} + '.new', {str(pid_file)!r})\nthreading.Event().wait()\n",
    )
    ended: list[BaseException] = []
    thread = threading.Thread(target=lambda: ended.extend(_failure(hook, file)))
    thread.start()
    processes = _tree(pid_file)
    hook.on_kill()
    thread.join()
    assert psutil.wait_procs(processes, timeout=30)[1] == []
    assert isinstance(ended[0], AirflowException)


def _failure(hook: DriverHook, file: str) -> Iterator[BaseException]:
    try:
        hook.submit(file)
    except AirflowException as error:
        yield error


@retry(wait=wait_fixed(0.1), stop=stop_after_delay(60))
def _tree(pid_file: Path) -> list[psutil.Process]:
    """The driver's Python and the JVM that started it."""
    python = psutil.Process(int(pid_file.read_text()))
    jvm = python.parent()
    assert jvm is not None
    assert jvm.name() == "java"
    return [python, jvm]


@pytest.mark.parametrize(
    ("connection", "message"),
    [
        ({"conn_type": "http", "host": "h"}, "has type 'http'"),
        ({"conn_type": "spark"}, "and host None"),
        (
            {"conn_type": "spark", "host": "spark://h:7077", "extra": {"deploy-mode": "cluster"}},
            "deploy-mode must be client",
        ),
    ],
)
def test_a_wrong_spark_connection_is_refused(
    monkeypatch: pytest.MonkeyPatch, connection: dict[str, object], message: str
) -> None:
    connect(monkeypatch, connection)
    with pytest.raises(SettingsError, match=message):
        require_spark_connection("spark_default")


def test_an_absent_spark_connection_is_not_taken_for_yarn() -> None:
    with pytest.raises(SettingsError, match="not_there is missing"):
        require_spark_connection("not_there")


@pytest.mark.parametrize(
    ("master", "besides"),
    [
        ("spark://h:7077", "refuses Python drivers"),
        ("yarn", "stays on the cluster"),
        ("k8s://https://h", "pod"),
    ],
)
def test_cluster_mode_is_refused_when_the_dag_is_parsed_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, master: str, besides: str
) -> None:
    connect(monkeypatch, {"conn_type": "spark", "host": master, "extra": {"deploy-mode": "cluster"}})
    with pytest.raises(SettingsError, match=rf"spark_default: deploy-mode must be client, .*{besides}"):
        LandOperator(task_id="land", contract=Path("c.yaml"))
    connect(monkeypatch, {"conn_type": "spark", "host": master})
    LandOperator(task_id="land", contract=Path("c.yaml"))
    with pytest.raises(SettingsError, match="must be client, not cluster"):
        LandOperator(task_id="land", contract=Path("c.yaml"), deploy_mode="cluster")


def test_news_of_the_job_reach_who_watches_and_not_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = Progress(
        batch=3, batch_records=10, records_per_second=5, landed=40, lag=2, at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    news = [News(progress=progress), News(spark_ui="http://127.0.0.1:4040")]
    lines = [*(each.line() for each in news), "HEADRACE-NEWS no JSON"]
    hook, file = driver(tmp_path, "".join(f"print({line!r})\n" for line in lines))
    told: list[News] = []
    hook._tell = told.append
    hook.submit(file)
    assert told == news
    said = capsys.readouterr().out
    assert "no JSON" in said
    assert "4040" not in said
