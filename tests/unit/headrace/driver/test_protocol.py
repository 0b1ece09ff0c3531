"""What a task and its driver tell each other arrives as it was said, and a secret stays one."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from headrace.contract.loader import WrittenContract, load_contract, load_signal_names
from headrace.driver.protocol import (
    JOB_VARIABLE,
    LAST_WORD,
    DriverError,
    Guardian,
    Job,
    read_job,
    read_last_word,
)
from headrace.errors import BrokerUnreachable, ContractError, HeadraceError, SettingsError
from headrace.tables.slices import new_slice

JOB = Job(
    contract=WrittenContract(file=Path("/srv/été 1/mill.yaml"), text="stream: é\n", signal_names=None),
    run_id="manual__2026-01-01T00:00:00+00:00 <b>'; drop",
    warehouse=Path("/srv/warehouse"),
    kafka={"bootstrap.servers": "h:1", "sasl.password": 'p"ä\n=', "enable.auto.commit": False},
    slice=new_slice("run", "readings", "id", {0: 5}, {0: 9, 1: 4}),
    accept_loss=True,
    guardians=(Guardian(pid=1, started=1.5),),
)


@pytest.fixture(autouse=True)
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where jobs are written down."""
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path / "a home"))
    return tmp_path / "a home" / "jobs"


def given(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_a_job_is_read_once_and_by_its_user_alone(jobs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with JOB.handed_over() as variables:
        (file,) = jobs.iterdir()
        assert (stat.S_IMODE(jobs.stat().st_mode), stat.S_IMODE(file.stat().st_mode)) == (0o700, 0o600)
        assert "sasl" not in str(variables)
        given(monkeypatch, variables)
        assert read_job() == JOB
        assert not file.exists()
        with pytest.raises(SettingsError, match="a job is read once"):
            read_job()


def test_a_job_that_nobody_has_read_is_gone_with_its_driver(jobs: Path) -> None:
    def killed() -> None:
        with JOB.handed_over():
            assert len(list(jobs.iterdir())) == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert not list(jobs.iterdir())


def test_what_killed_tasks_have_left_is_removed_after_a_day(jobs: Path) -> None:
    (old,) = JOB.environment().values()
    (young,) = JOB.environment().values()
    os.utime(old, (0, 0))
    JOB.environment()
    assert not Path(old).exists()
    assert Path(young).exists()


def test_a_job_of_ten_thousand_partitions_reaches_a_process() -> None:
    """One variable of an environment may have 128 kB: with 4,000 partitions the driver did not start."""
    ends = dict.fromkeys(range(10_000), 1_000_000_000)
    job = JOB.model_copy(update={"slice": new_slice("run", "readings", "id", {}, ends)})
    assert len(job.model_dump_json()) > 131_072
    script = "from headrace.driver.protocol import read_job; print(len(read_job().slice.until))"
    with job.handed_over() as variables:
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout == "10000\n"


def test_a_driver_has_the_contract_that_its_task_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the files hold by then, or where there are none: the driver may be on another machine."""
    names = tmp_path / "names.json"
    names.write_text('[{"sig_name": "power", "sig_mapping_name": "p"}]', encoding="utf-8")
    file = tmp_path / "mill.yaml"
    file.write_text(CONTRACT.format(names=names), encoding="utf-8")
    contract = load_contract(file)
    job = JOB.model_copy(update={"contract": WrittenContract.of(file)})
    given(monkeypatch, job.environment())
    sums = (contract.sha256, contract.analysis_sha256)
    file.unlink()
    names.unlink()
    loaded = read_job().contract.load()
    assert (loaded.sha256, loaded.analysis_sha256) == sums
    assert load_signal_names(loaded) == {"power": "p"}


CONTRACT = """\
stream: mill
source: {{kind: external}}
topic: {{name: mill}}
record:
  event_time: {{field: at, format: yyyy}}
  signals: [{{name: power, fields: [power]}}]
analysis: {{signal_names: "{names}"}}
"""


def test_a_stage_that_no_task_started_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(JOB_VARIABLE, raising=False)
    with pytest.raises(SettingsError, match="HEADRACE_JOB is not set: Spark stages are started by their"):
        read_job()


WRITTEN = '"contract": {"file": "c.yaml", "text": "", "signal_names": null}'


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (f'{{{WRITTEN}, "warehouse": "w", "kafka": {{"sasl.password": "hush"}}}}', "run_id"),
        (f'{{{WRITTEN}, "run_id": "r", "warehouse": "w", "kafka": "hush"}}', "kafka"),
        (
            f'{{{WRITTEN}, "run_id": "r", "warehouse": "w", "slice": {{"topic": "hush"}}}}',
            r"slice\.run_id, ",
        ),
        ('{"kafka": "hush', ""),
    ],
)
def test_a_broken_job_is_named_without_its_text(
    text: str, fields: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "job"
    file.write_text(text, encoding="utf-8")
    monkeypatch.setenv(JOB_VARIABLE, str(file))
    with pytest.raises(SettingsError, match=f"HEADRACE_JOB is broken in: {fields}") as broken:
        read_job()
    assert "hush" not in str(broken.value)
    assert broken.value.__suppress_context__  # no traceback shows pydantic's message, which has the text


@pytest.mark.parametrize("error", [ContractError("two\nlines, “quoted”"), BrokerUnreachable("away")])
def test_a_last_word_is_one_line_and_comes_back_as_it_was_said(error: HeadraceError) -> None:
    line = DriverError.of(error).last_word()
    assert line.startswith(LAST_WORD)
    assert "\n" not in line
    assert read_last_word(f"{line}\n") == DriverError(
        code=error.code, transient=error.transient, message=str(error)
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "batch 0: 0:[0, 5) records 5",
        LAST_WORD,
        f"{LAST_WORD}disk full",
        f'{LAST_WORD}{{"code": "HR101"}}',
        f" {DriverError.of(ContractError('it is wrong')).last_word()}",
    ],
)
def test_any_other_line_is_none(line: str) -> None:
    assert read_last_word(line) is None


def test_a_guardian_is_one_process_and_no_later_one_with_its_id() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        guardian = Guardian.of(process.pid)
        assert guardian.is_alive()
        assert not guardian.model_copy(update={"started": guardian.started - 60}).is_alive()
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not guardian.is_alive()  # ended, and not waited for: a zombie
    assert not guardian.is_alive()


def test_a_step_of_the_clock_leaves_a_guardian_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux tells the machine's start by the clock of now, and a process's start by that."""
    guardian = Guardian.of(os.getpid())
    stepped = psutil.boot_time() + 3600
    for where in ("psutil.boot_time", "psutil._pslinux.boot_time"):
        monkeypatch.setattr(where, lambda: stepped)
    assert psutil.Process().create_time() > time.time() + 3000
    assert guardian.is_alive()
