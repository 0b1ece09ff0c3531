"""The process manager: supervisord with a generated configuration, spoken to through its private socket."""

import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from headrace.errors import StackUnhealthy
from headrace.private_socket import private_folder, private_socket


@dataclass(frozen=True)
class Program:
    """One process that is kept running: what it is called, its command line, the folder it runs in."""

    name: str
    command: tuple[str, ...]
    folder: Path


@dataclass(frozen=True)
class State:
    """What the process manager knows of a program: `RUNNING`, `BACKOFF`, `STOPPED` …"""

    name: str
    state: str
    pid: int
    log: Path


class Supervisor:
    """The process manager of the stack in `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.logs = home / "logs"

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return private_socket(self.home, "supervisor")

    def log(self, program: str) -> Path:
        """The log file of a program."""
        return self.logs / f"{program}.log"

    def start(self, programs: list[Program], environment: Mapping[str, str], within: float = 30) -> None:
        """Start supervisord, detached from this terminal; it starts no program by itself.

        Raises:
            StackUnhealthy: it does not answer `within` seconds.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        private_folder(self.socket.parent)
        configuration = self.home / "run" / "supervisord.conf"
        configuration.parent.mkdir(parents=True, exist_ok=True)
        configuration.write_text(self._configuration(programs), encoding="utf-8")
        with (self.logs / "supervisord.out").open("wb") as out:
            started = subprocess.Popen(
                (sys.executable, "-P", "-m", "supervisor.supervisord", "-n", "-c", str(configuration)),
                cwd=self.home,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + within
        while not self.is_running():
            if started.poll() is not None or time.monotonic() > deadline:
                raise StackUnhealthy(
                    f"The process manager did not start: see {self.logs / 'supervisord.out'}."
                )
            time.sleep(0.05)

    def _configuration(self, programs: list[Program]) -> str:
        sections = [
            f"""\
; Written at each start. Environment and secrets come from the process, none stands here.
[unix_http_server]
file={self.socket}
chmod=0700

[supervisord]
logfile={self.logs / "supervisord.log"}
logfile_maxbytes=5MB
logfile_backups=2
loglevel=info
pidfile={self.home / "run" / "supervisord.pid"}
childlogdir={self.logs}
umask=077
silent=true

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
        ]
        sections += [
            f"""
[program:{program.name}]
command={shlex.join(program.command)}
directory={program.folder}
autostart=false
autorestart=true
startsecs=2
startretries=5
stopwaitsecs=20
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile={self.log(program.name)}
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""
            for program in programs
        ]
        return "".join(sections)

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self.socket}")
        with ServerProxy("http://supervisor", transport=transport) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)

    def is_running(self) -> bool:
        """Whether the process manager answers."""
        try:
            self._call("getState")
        except (OSError, HTTPException):
            return False
        return True

    def ensure(self, program: str) -> None:
        """Start a program unless it runs or is about to."""
        if self.state(program).state not in ("RUNNING", "STARTING", "BACKOFF"):
            with suppress(Fault):  # it was started meanwhile
                self._call("startProcess", program, False)

    def states(self) -> dict[str, State]:
        """Every program's state; empty when the process manager does not answer."""
        try:
            found = self._call("getAllProcessInfo")
        except (OSError, HTTPException):
            return {}
        return {
            one["name"]: State(one["name"], one["statename"], int(one["pid"]), Path(one["stdout_logfile"]))
            for one in found
        }

    def state(self, program: str) -> State:
        """One program's state; `STOPPED` when the process manager does not answer."""
        return self.states().get(program, State(program, "STOPPED", 0, self.log(program)))

    def stop(self, within: float = 40) -> None:
        """End all programs at once, then the process manager; returns when it is gone or time is up."""
        with suppress(OSError, HTTPException, Fault):
            self._call("stopAllProcesses")
            self._call("shutdown")
        deadline = time.monotonic() + within
        while self.is_running() and time.monotonic() < deadline:
            time.sleep(0.1)
