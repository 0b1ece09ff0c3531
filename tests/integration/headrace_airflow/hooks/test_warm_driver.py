"""A task and a driver that was kept for it: the real keeper, spark-submit and session, small scripts as jobs.

The tests stand in their order: they share one keeper, whose next driver each of them claims while it starts,
so that nobody waits for one to be warm.
"""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from airflow.sdk.exceptions import AirflowException

from headrace.contract.loader import WrittenContract
from headrace.driver.likeness import driver_environment
from headrace.driver.protocol import DriverError, Guardian, Job
from headrace.driver.spark_submit import SPARK_SUBMIT
from headrace.driver.warm import KeptDriver, kept_drivers
from headrace.settings import load_settings
from headrace_airflow.hooks.spark import DriverHook
from local.stack.spark import spark_environment
from testbed.keepers import keeper, the_driver
from testbed.waiting import awaited

SECRET = "hush-hush-hush"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def the_keeper(home: Path) -> Iterator["psutil.Process"]:
    environment = {**driver_environment(os.environ), **spark_environment(load_settings())}
    environment.pop("PYTEST_CURRENT_TEST", None)
    with keeper(home, environment) as process:
        yield psutil.Process(process.pid)


@pytest.fixture(autouse=True)
def _task(home: Path, the_keeper: psutil.Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a task beside that keeper."""
    for name, value in spark_environment(load_settings()).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HEADRACE_HOME", str(home))
    connection = '{"conn_type": "spark", "host": "local[1]", "extra": {"deploy-mode": "client"}}'
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_DEFAULT", connection)
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", SECRET)


def driver(tmp_path: Path, script: str) -> tuple[DriverHook, str]:
    os.environ.pop("PYTEST_CURRENT_TEST", None)  # pytest's own, which the keeper has not
    file = tmp_path / "a job.py"
    file.write_text(script, "utf-8")
    job = Job(
        contract=WrittenContract(file=Path("c.yaml"), text="", signal_names=None),
        run_id="'; DROP TABLE x",
        warehouse=tmp_path,
        kafka={"sasl.password": SECRET},
        guardians=(Guardian.of(os.getpid()),),
    )
    return DriverHook(job=job, conn_id="spark_default", name="a driver", spark_binary=SPARK_SUBMIT), str(file)


@pytest.fixture
def kept(home: Path) -> KeptDriver:
    """The driver that the next job gets."""
    return the_driver(home, "starting")


def failure(hook: DriverHook, file: str) -> str:
    with pytest.raises(AirflowException) as failed:
        hook.submit(file)
    return str(failed.value)


def both(kept: KeptDriver) -> list[psutil.Process]:
    """The driver's JVM and its Python, once that runs."""
    jvm = psutil.Process(kept.process.pid)
    return awaited(lambda: [jvm, *jvm.children()] if jvm.children() else None)


def test_a_kept_driver_gets_the_job_and_says_its_last_word(
    tmp_path: Path, kept: KeptDriver, capsys: pytest.CaptureFixture[str]
) -> None:
    error = DriverError(code="HR305", transient=True, message="[HR305] 17 offsets\nare gone")
    hook, file = driver(
        tmp_path,
        "import os, sys\n"
        "from pyspark.sql import SparkSession\n"
        "from headrace.driver.protocol import read_job\n"
        "job = read_job()\n"
        "print('run', job.run_id, len(job.kafka['sasl.password']), __name__)\n"
        "print('session', SparkSession.getActiveSession().range(3).count())\n"
        "print('airflow', [name for name in os.environ if 'AIRFLOW' in name])\n"
        f"print({error.last_word()!r})\nsys.exit(1)\n",
    )
    assert failure(hook, file) == "[HR305] 17 offsets\nare gone"
    log = capsys.readouterr().out
    assert f"Spark driver {kept.process.pid} was kept for this job" in log
    assert f"run '; DROP TABLE x {len(SECRET)} __main__" in log
    assert "session 3" in log
    assert "airflow []" in log
    assert SECRET not in log
    assert "HEADRACE-WARM" not in log
    awaited(lambda: not kept.process.is_alive(), 60)


def test_a_killed_task_takes_its_kept_driver_along(tmp_path: Path, kept: KeptDriver) -> None:
    hook, file = driver(
        tmp_path, f"import threading\nopen({str(tmp_path / 'began')!r}, 'w')\nthreading.Event().wait()\n"
    )
    said: list[str] = []
    task = threading.Thread(target=lambda: said.append(failure(hook, file)))
    task.start()
    processes = both(kept)
    awaited((tmp_path / "began").exists)
    hook.on_kill()
    task.join()
    assert psutil.wait_procs(processes, timeout=30)[1] == []
    assert "without naming a reason" in said[0]


def test_a_jvm_that_is_killed_inside_a_job_fails_it_for_another_try(tmp_path: Path, kept: KeptDriver) -> None:
    hook, file = driver(tmp_path, "import threading\nthreading.Event().wait()\n")
    said: list[str] = []
    task = threading.Thread(target=lambda: said.append(failure(hook, file)))
    task.start()
    processes = both(kept)
    awaited(lambda: hook._warm and hook._warm.took)
    processes[0].kill()
    task.join()
    assert "the Spark driver ended (killed) without naming a reason" in said[0]
    assert psutil.wait_procs(processes, timeout=30)[1] == []


def test_a_task_that_vanishes_takes_its_kept_driver_along(tmp_path: Path, kept: KeptDriver) -> None:
    """As SIGKILL leaves it: nobody calls on_kill; the guardian is gone."""
    with psutil.Popen(["sleep", "1000"]) as guardian:
        hook, file = driver(
            tmp_path,
            "import threading\nfrom headrace.driver.protocol import read_job\n"
            "from headrace_spark.watchdog import watch\nwatch(read_job().guardians)\n"
            f"open({str(tmp_path / 'began')!r}, 'w')\nthreading.Event().wait()\n",
        )
        hook._job = hook._job.model_copy(update={"guardians": (Guardian.of(guardian.pid),)})
        said: list[str] = []
        task = threading.Thread(target=lambda: said.append(failure(hook, file)))
        task.start()
        processes = both(kept)
        awaited((tmp_path / "began").exists)
        guardian.kill()
        task.join()
    assert psutil.wait_procs(processes, timeout=30)[1] == []


def test_a_killed_keeper_takes_its_driver_along_and_the_next_task_has_its_own(
    home: Path,
    tmp_path: Path,
    kept: KeptDriver,
    the_keeper: psutil.Process,
    capsys: pytest.CaptureFixture[str],
) -> None:
    processes = both(kept)
    the_keeper.kill()
    assert psutil.wait_procs(processes, timeout=60)[1] == []
    assert kept_drivers(home) is None
    hook, file = driver(tmp_path, "print('done all the same')\n")
    hook.submit(file)
    log = capsys.readouterr().out
    assert "A new Spark driver is started; of those that are kept warm: the keeper does not answer" in log
    assert "done all the same" in log
