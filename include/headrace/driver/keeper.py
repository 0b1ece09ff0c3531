"""The keeper: starts drivers before there is a job for them, and gives each to one task.

`python -m headrace.driver.keeper --master local[*] --deploy-mode client`: the arguments are those that tasks
give to spark-submit, but for name and script. It runs where tasks run, as their user and in their
environment. A driver ends with the keeper as long as no task has it, and with its task from then on.
"""

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import psutil
from filelock import FileLock, Timeout
from pydantic import ValidationError

from headrace.driver.likeness import NOISE, Likeness, driver_environment
from headrace.driver.process_tree import kill_tree
from headrace.driver.protocol import Guardian
from headrace.driver.spark_submit import SPARK_SUBMIT
from headrace.driver.warm import (
    KEEPER_VARIABLE,
    LARGEST,
    WITHIN,
    Answer,
    Claim,
    KeptDriver,
    Request,
    State,
    keeper_socket,
)
from headrace.errors import SettingsError
from headrace.private_socket import peer, private_folder
from headrace.settings import PROJECT, Settings, load_settings

LOOK_EVERY = 5.0
"""Seconds between two looks at the code: a driver of older code is of no use to anybody."""

QUIET = 10.0
"""Seconds without a driver at work before another is started beside an idle one: a run's `land` and `analyse`
have two, and are not to share the processors with a third that starts."""

SHORT = timedelta(seconds=30)
"""What works longer than this is not waited for."""

LONGEST_PAUSE = 300.0
"""Seconds before another driver is started where one after the other ended before it had a job."""

SCRIPT = PROJECT / "spark_jobs" / "warm.py"

log = logging.getLogger("keeper")


class _Driver:
    """One driver, from its start to its end; the keeper holds its pipes until a task claims it."""

    def __init__(self, command: Sequence[str], likeness: Likeness) -> None:
        self.likeness = likeness
        job, self.job = os.pipe()
        self.output, output = os.pipe()
        own = {name: value for name, value in driver_environment(os.environ).items() if name not in NOISE}
        keeper = Guardian.of(os.getpid()).model_dump_json()
        self._process = subprocess.Popen(  # noqa: S603  # spark-submit of this Python, an argument list
            command,
            env={**own, KEEPER_VARIABLE: keeper},
            stdin=job,
            stdout=output,
            stderr=output,
            start_new_session=True,  # the keeper's end is none of a driver's that a task has
        )
        os.close(job)
        os.close(output)
        self.guardian = Guardian.of(self._process.pid)
        self._told("starting")
        self.claim: Claim | None = None
        self._task: int | None = None

    @property
    def pid(self) -> int:
        """Its JVM."""
        return self._process.pid

    def told_warm(self) -> None:
        """It has said that it is warm."""
        if self.claim is None:
            self._told("idle")

    def _told(self, state: State) -> None:
        self.state: State = state
        self._since = datetime.now(UTC)

    def seen(self) -> KeptDriver:
        """As others see it."""
        return KeptDriver(
            process=self.guardian,
            state=self.state,
            since=self._since,
            job=self.claim.job if self.claim else None,
            task=self._task,
        )

    def is_busy(self) -> bool:
        """Whether it starts, or works and may soon have done."""
        working = self.state == "in use" and datetime.now(UTC) - self._since < SHORT
        return working or self.state == "starting"

    def give(self, connection: socket.socket, claim: Claim, task: int) -> None:
        """Hand it over to the task at the other end.

        Raises:
            OSError: the task is gone; the driver is still to be had.
        """
        answer = Answer(driver=self.seen()).model_dump_json().encode()
        socket.send_fds(connection, [answer], [self.job, self.output])
        self.claim, self._task = claim, task
        self._told("in use")
        os.close(self.job)
        os.close(self.output)

    def await_end(self) -> int:
        """Its exit code, when it has ended."""
        return self._process.wait()

    def last_words(self) -> str:
        """What it said, if it ended before a task had it."""
        os.close(self.job)
        with os.fdopen(self.output, encoding="utf-8", errors="replace") as said:
            return said.read()[-5_000:]

    def kill(self) -> None:
        """End it, unless it is a task's."""
        if self.claim is None:
            with suppress(psutil.NoSuchProcess):
                kill_tree(self.guardian.find())


class Keeper:
    """Keeps as many drivers as the settings say; `command` starts one, with `arguments` among it."""

    def __init__(self, settings: Settings, arguments: Sequence[str], command: Sequence[str]) -> None:
        self._home, self._count = settings.home_path, settings.warm_drivers or 1
        self._arguments, self._command = arguments, command
        self._changed = threading.Condition()
        self._drivers: list[_Driver] = []
        self._worked = -QUIET

    def keep(self) -> None:
        """Until the code has changed: whoever supervises this process then starts the new one.

        Raises:
            SettingsError: another keeper of this home is running, or its socket would not be private.
        """
        os.umask(0o077)
        path = keeper_socket(self._home)
        private_folder(path.parent)
        try:
            with FileLock(path.with_suffix(".lock"), timeout=0), socket.socket(*_KIND) as server:
                path.unlink(missing_ok=True)
                server.bind(os.fspath(path))
                server.listen()
                self._serve(server)
        except Timeout:
            raise SettingsError(f"another keeper of {self._home} is running already") from None

    def _serve(self, server: socket.socket) -> None:
        as_started = self._likeness().code
        for _ in range(self._count):
            threading.Thread(target=self._keep_one, daemon=True).start()
        server.settimeout(LOOK_EVERY)
        look_at = time.monotonic() + LOOK_EVERY
        while True:
            with suppress(TimeoutError):
                connection, _ = server.accept()
                with connection:
                    self._answer(connection)
            if time.monotonic() >= look_at:
                if self._likeness().code != as_started:
                    break
                look_at = time.monotonic() + LOOK_EVERY
        log.info("code or configuration has changed: this keeper ends, with the drivers that no task has")
        with self._changed:
            for driver in self._drivers:
                driver.kill()

    def _likeness(self) -> Likeness:
        return Likeness.now(self._arguments, driver_environment(os.environ))

    # -- one driver after the other

    def _keep_one(self) -> None:
        pause = 1.0
        while True:
            try:
                pause = 1.0 if self._kept() else min(2 * pause, LONGEST_PAUSE)
            except OSError as failed:  # no process, no pipe: the machine is short of them
                log.warning("no driver could be started: %s", failed)
                pause = LONGEST_PAUSE
            if pause > 1.0:
                time.sleep(pause)

    def _kept(self) -> bool:
        """Start a driver when it is time, and wait for its end; whether a task had it."""
        with self._changed:
            while not self._is_time():
                self._changed.wait(1.0)
            driver = _Driver(self._command, self._likeness())
            self._drivers.append(driver)
        log.info("driver %s is starting", driver.pid)
        code = driver.await_end()
        with self._changed:
            self._drivers.remove(driver)
            self._worked = time.monotonic()
            self._changed.notify_all()
        if driver.claim is not None:
            log.info("driver %s has ended (%s): it was for %s", driver.pid, code, driver.claim.job)
            return True
        log.warning("driver %s ended (%s) without a job:\n%s", driver.pid, code, driver.last_words())
        return False

    def _is_time(self) -> bool:
        """Whether a start takes the processor from nobody who will soon be done with it."""
        if any(driver.is_busy() for driver in self._drivers):
            return False
        idle = any(driver.state == "idle" for driver in self._drivers)
        return not idle or time.monotonic() - self._worked >= QUIET

    # -- requests

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(WITHIN)
        try:
            asking = peer(connection)
            request = Request.model_validate_json(connection.recv(LARGEST))
            with self._changed:
                answer = self._answer_to(request, asking, connection)
            if answer:
                connection.sendall(answer.model_dump_json().encode())
        except PermissionError as foreign:
            log.warning("refused: %s", foreign)
        except (OSError, ValidationError, psutil.Error) as failed:
            log.info("a request came to nothing: %s", failed)

    def _answer_to(self, request: Request, asking: int, connection: socket.socket) -> Answer | None:
        if request.claim:
            return self._give(request.claim, asking, connection)
        if request.warm:
            own = {asking, psutil.Process(asking).ppid()}  # its Python asks
            for driver in self._drivers:
                if driver.pid in own:
                    driver.told_warm()
                    self._changed.notify_all()
        return Answer(drivers=tuple(driver.seen() for driver in self._drivers))

    def _give(self, claim: Claim, asking: int, connection: socket.socket) -> Answer | None:
        """A driver to the task, an idle one before one that still starts: both are ahead of a new one."""
        free = [driver for driver in self._drivers if driver.claim is None]
        if not free:
            return Answer(why="all are in use")
        driver = min(free, key=lambda each: each.state != "idle")
        if differing := claim.likeness.differences(driver.likeness):
            return Answer(why=f"it differs in {', '.join(differing)}")
        driver.give(connection, claim, asking)
        log.info("driver %s is given to process %s for %s", driver.pid, asking, claim.job)
        return None


_KIND = (socket.AF_UNIX, socket.SOCK_SEQPACKET)


def main(arguments: Sequence[str]) -> None:
    """Keep drivers that are started with these arguments."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)
    command = (SPARK_SUBMIT, *arguments, "--name", "headrace, kept warm", str(SCRIPT))
    Keeper(load_settings(), arguments, command).keep()


if __name__ == "__main__":
    main(sys.argv[1:])
