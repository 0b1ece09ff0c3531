"""Drivers that are kept warm: what task, keeper and driver tell each other, and how a task gets one.

A keeper (`keeper.py`) starts drivers before there is a job for them and listens on a private socket. A task
that claims one gets two pipes from it, as if it had started the driver itself: one that the driver reads its
job from, and the driver's output. Whoever holds the first is who the driver lives for: when it is closed
without a job, by whatever death, the driver ends. So a driver has one task, and the kernel says which.
"""

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import psutil
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from headrace.driver.likeness import Likeness
from headrace.driver.process_tree import kill_tree
from headrace.driver.protocol import Guardian
from headrace.private_socket import peer, private_socket

KEEPER_VARIABLE = "HEADRACE_KEEPER"
"""Tells a driver its keeper, a `Guardian` as JSON."""

WITHIN = 2.0
"""Seconds in which a keeper must answer; a task goes on without it."""

LARGEST = 100_000
"""Bytes of a message; a claim has some five thousand."""

UNANSWERED = (OSError, ValidationError, AttributeError)
"""What a keeper that is gone or hangs comes to; AttributeError: a system without SO_PEERCRED."""

State = Literal["starting", "idle", "in use"]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class Claim(_Message):
    """A task asks for a driver like this one; `job`: stage, stream and run, for `make status`."""

    likeness: Likeness
    job: str


class Request(_Message):
    """What comes to a keeper: a claim, a driver's word that it is warm, or the question how things are."""

    claim: Claim | None = None
    warm: bool = False


class KeptDriver(_Message):
    """A keeper's driver; `process`: its JVM; `job`, `task`: what it was claimed for, and by which process."""

    process: Guardian
    state: State
    since: datetime
    job: str | None = None
    task: int | None = None

    def __str__(self) -> str:
        seconds = max(0, round((datetime.now(UTC) - self.since).total_seconds()))
        job = f" by {self.job}" if self.job else ""
        return f"driver {self.process.pid} {self.state}{job} for {seconds} s"


class Answer(_Message):
    """A keeper's answer: the driver that comes with two pipes, or why there is none; or all that it keeps."""

    driver: KeptDriver | None = None
    why: str = ""
    drivers: tuple[KeptDriver, ...] = ()


class Handover(_Message):
    """What a task writes to its driver, one line: the script to run, variables for it, and a secret.

    The secret (`mark`) tells the driver's own words from whatever else it prints.
    """

    application: Path
    environment: dict[str, str]
    mark: str = Field(default_factory=lambda: secrets.token_hex(16))

    def took(self) -> str:
        """The line with which the driver begins the job."""
        return f"HEADRACE-WARM {self.mark} took"

    def ended(self, code: int) -> str:
        """The line with which it ends it, by an exit code."""
        return f"HEADRACE-WARM {self.mark} ended {code}"


def keeper_socket(home: Path) -> Path:
    """Where the keeper of that home listens."""
    return private_socket(home, "drivers")


@dataclass
class WarmDriver:
    """A claimed driver; `job`, `output`: the pipes; `took`: it began the job; `ended`: its exit code."""

    process: psutil.Process
    state: State
    job: int
    output: int
    took: bool = field(default=False, init=False)
    ended: int | None = field(default=None, init=False)

    def run(self, handover: Handover) -> Iterator[str]:
        """Hand the job over; the driver's lines until it has ended it, or has ended itself."""
        with suppress(BrokenPipeError), os.fdopen(self.job, "w", encoding="utf-8") as writing:
            writing.write(handover.model_dump_json(ensure_ascii=True) + "\n")
        beginning = handover.ended(0).removesuffix("0")
        with os.fdopen(self.output, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith(handover.took()):
                    self.took = True
                elif line.startswith(beginning):
                    self.ended = int(line.removeprefix(beginning))
                    return
                else:
                    yield line

    def kill(self) -> list[int]:
        """Kill all of its processes, whose ids are returned."""
        return kill_tree(self.process)


def claim(home: Path, wanted: Claim) -> WarmDriver | str:
    """A driver for this process alone, or in a word why there is none."""
    try:
        with _asked(home, Request(claim=wanted)) as connection:
            answer, pipes = _answered(connection)
    except FileNotFoundError:
        return "none is kept here"
    except (
        OSError,
        ValidationError,
        AttributeError,
    ) as failed:  # AttributeError: a system without SO_PEERCRED
        return f"the keeper does not answer ({failed})"
    if answer.driver is None or len(pipes) != 2:
        for pipe in pipes:
            os.close(pipe)
        return answer.why or "the keeper sent none"
    try:
        process = answer.driver.process.find()
    except psutil.NoSuchProcess:
        for pipe in pipes:
            os.close(pipe)
        return "it has just ended"
    return WarmDriver(process, answer.driver.state, *pipes)


def kept_drivers(home: Path) -> tuple[KeptDriver, ...] | None:
    """What the keeper of that home keeps; None where it does not answer."""
    try:
        with _asked(home, Request()) as connection:
            answer, _ = _answered(connection)
    except UNANSWERED:
        return None
    return answer.drivers


def say_warm(home: Path) -> None:
    """Tell the keeper that this driver is warm; one that is gone need not know."""
    with suppress(*UNANSWERED), _asked(home, Request(warm=True)) as connection:
        _answered(connection)


def _asked(home: Path, request: Request) -> socket.socket:
    """A connection to the keeper on which it was asked."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.settimeout(WITHIN)
        connection.connect(os.fspath(keeper_socket(home)))
        peer(connection)
        connection.sendall(request.model_dump_json().encode())
    except BaseException:
        connection.close()
        raise
    return connection


def _answered(connection: socket.socket) -> tuple[Answer, list[int]]:
    message, pipes, _, _ = socket.recv_fds(connection, LARGEST, 2, socket.MSG_CMSG_CLOEXEC)
    return Answer.model_validate_json(message), pipes
