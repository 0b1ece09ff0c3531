"""Keeper and tasks, with drivers that are small programs: who gets a driver, and for whom it lives."""

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from headrace.driver.warm import Handover, WarmDriver, keeper_socket, kept_drivers
from testbed.keepers import IMITATION, claimed, keeper, the_driver
from testbed.waiting import awaited

# With LC_ALL, because Python sets a variable of its own where there is no locale.
ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "PATH": os.defpath,
    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
}
DRIVER = (sys.executable, "-c", IMITATION)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose keeper has one driver after the other, each test's own."""
    home = tmp_path_factory.mktemp("home")
    with keeper(home, ENVIRONMENT, *DRIVER):
        yield home


def a_driver(home: Path) -> WarmDriver:
    """A claimed one; the keeper may have to start it first."""

    def claim() -> WarmDriver | None:
        found = claimed(home, ENVIRONMENT)
        assert "differs" not in str(found)
        return found if isinstance(found, WarmDriver) else None

    driver: WarmDriver = awaited(claim)
    return driver


def handover(do: str = "pass", code: int = 0) -> Handover:
    return Handover(application=Path("x"), environment={"DO": do, "CODE": str(code)})


@pytest.mark.parametrize("code", [0, 1])
def test_a_task_reads_its_drivers_lines_and_exit_code(home: Path, code: int) -> None:
    driver = a_driver(home)
    lines = list(driver.run(handover("print('Zoë: HEADRACE-WARM 0 ended 0')", code)))
    assert lines[1:] == ["Zoë: HEADRACE-WARM 0 ended 0\n"]
    assert (driver.took, driver.ended) == (True, code)


def test_of_two_claims_at_once_one_gets_the_driver(home: Path) -> None:
    the_driver(home, "idle")
    found: list[WarmDriver | str] = []
    threads = [threading.Thread(target=lambda: found.append(claimed(home, ENVIRONMENT))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (driver,) = (each for each in found if isinstance(each, WarmDriver))
    assert "all are in use" in found
    seen = the_driver(home, "in use")
    assert (seen.process.pid, seen.job, seen.task) == (driver.process.pid, "a job", os.getpid())
    assert "in use by a job" in str(seen)
    assert list(driver.run(handover()))


def test_a_used_driver_is_replaced(home: Path) -> None:
    first = a_driver(home)
    assert list(first.run(handover()))
    second = a_driver(home)
    assert second.process.pid != first.process.pid
    assert list(second.run(handover()))


def test_a_task_that_wants_another_driver_gets_none(home: Path) -> None:
    the_driver(home, "idle")
    assert claimed(home, ENVIRONMENT, "--master", "yarn") == (
        "it differs in arguments (--master yarn is not --master local[1] --deploy-mode client)"
    )
    assert claimed(home, ENVIRONMENT | {"TZ": "CET"}) == "it differs in environment (TZ)"


def test_a_task_that_dies_with_its_claim_takes_the_driver_along(home: Path) -> None:
    driver = a_driver(home)
    os.close(driver.job)  # as the kernel does for a dead process
    driver.process.wait(30)
    os.close(driver.output)


def test_a_driver_that_dies_idle_is_told_and_replaced(home: Path) -> None:
    driver = a_driver(home)
    driver.process.kill()
    assert [line for line in driver.run(handover()) if "made for" not in line] == []
    assert (driver.took, driver.ended) == (False, None)
    another = a_driver(home)
    assert another.process.pid != driver.process.pid
    assert list(another.run(handover()))


def test_a_keeper_that_is_killed_takes_its_idle_driver_along_and_no_other(tmp_path: Path) -> None:
    with keeper(tmp_path, ENVIRONMENT | {"HEADRACE_WARM_DRIVERS": "2"}, *DRIVER) as process:
        environment = ENVIRONMENT | {"HEADRACE_WARM_DRIVERS": "2"}
        awaited(lambda: [each.state for each in kept_drivers(tmp_path) or ()] == ["idle", "idle"])
        driver = claimed(tmp_path, environment)
        assert isinstance(driver, WarmDriver)
        idle = [each for each in kept_drivers(tmp_path) or () if each.state == "idle"]
        assert len(idle) == 1
        process.kill()
        assert psutil.wait_procs([psutil.Process(each.process.pid) for each in idle], 30)[1] == []
        assert list(driver.run(handover("print('still here')")))[-1] == "still here\n"
        assert "does not answer" in str(claimed(tmp_path, environment))


def test_where_no_keeper_is_there_is_no_driver(tmp_path: Path) -> None:
    assert claimed(tmp_path, ENVIRONMENT) == "none is kept here"
    assert kept_drivers(tmp_path) is None


def test_a_second_keeper_of_a_home_is_refused(home: Path) -> None:
    with keeper(home, ENVIRONMENT, *DRIVER) as second:
        assert second.wait(60) == 1
    assert kept_drivers(home)


def test_nobody_else_reaches_the_socket(home: Path) -> None:
    socket = keeper_socket(home)
    assert (socket.stat().st_mode | socket.parent.stat().st_mode) & 0o077 == 0
