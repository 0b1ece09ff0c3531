"""A real Kafka broker of one node (KRaft): its data and log-in, its command line, its start and end."""

import hashlib
import os
import secrets
import signal
import subprocess
import sys
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from headrace.errors import BrokerUnreachable, SetupFailed
from headrace.files import write_whole
from headrace.kafka.login import MECHANISM, USER, Login
from local.install.jars import fetch_jars
from local.install.java import java_home
from local.stack import rejoin
from local.stack.broker_properties import LOG4J, Node, client
from local.stack.credentials import broker_login, controller_password
from local.stack.ports import free_port

JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Djava.awt.headless=true")
"""Small heap, no parallel collector for one machine's data, no file in /tmp/hsperfdata_*."""

SERVER = "server.properties"
ONCE = "once.properties"
"""The broker's configuration, and that of the one start at which it learns a new log-in."""

CLIENT = "client.properties"
"""What Kafka's own tools log in with; beside the broker's configuration."""


@dataclass
class Broker:
    """One broker; everything it keeps is in `folder`, so that it survives its process.

    `more`: further lines of its configuration.
    """

    java_home: Path
    jars: Path
    folder: Path
    port: int
    controller_port: int
    more: str = ""
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def bootstrap(self) -> str:
        """Its address."""
        return f"127.0.0.1:{self.port}"

    @cached_property
    def login(self) -> Login:
        """Its log-in, made with the first look at it."""
        return broker_login(self.folder)

    @property
    def config(self) -> dict[str, Any]:
        """What clients connect with: librdkafka's configuration, which holds the password."""
        return self.login.client(self.bootstrap)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its processes: Java takes the encoding of file names from the locale."""
        return {**os.environ, "LC_ALL": "C.UTF-8"}

    @property
    def command(self) -> list[str]:
        """The broker's command line, to be run in `folder`: its configuration names its data relatively."""
        return self._command(SERVER)

    def _command(self, properties: str) -> list[str]:
        return [sys.executable, "-I", str(Path(rejoin.__file__)), *self._java("kafka.Kafka", properties)]

    def _java(self, main_class: str, *arguments: str) -> list[str]:
        return [
            str(self.java_home / "bin" / "java"),
            *JVM,
            "-Dlog4j2.configurationFile=log4j2.properties",
            "-cp",
            f"{self.jars}/*",
            main_class,
            *arguments,
        ]

    def prepare(self) -> None:
        """Write the configuration and have a data folder that knows the log-in; its records stay.

        Raises:
            SetupFailed: the data folder could not be formatted.
            BrokerUnreachable: a folder of another log-in could not be told the present one.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        node = self._node(self.login)
        self._write(SERVER, node.server() + self.more)
        self._write(rejoin.PROPERTIES, node.controller())
        self._write(CLIENT, client(self.config))
        self._write("log4j2.properties", LOG4J)
        knows = self.folder / "formatted"
        login = hashlib.sha256(self.login.password.encode()).hexdigest()
        if knows.exists() and knows.read_text(encoding="ascii") == login:
            return
        if (self.folder / "data" / "meta.properties").exists():
            self._renew_login()
        else:
            self._format()
        write_whole(knows, login)

    def _node(self, login: Login) -> Node:
        return Node(self.port, self.controller_port, login.password, controller_password(self.folder))

    def _write(self, name: str, text: str) -> None:
        write_whole(self.folder / name, text, mode=0o600)

    def _format(self) -> None:
        """Format the data folder, with the log-in in it."""
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A", 1)
        # From a file: all users of the machine can read a process list.
        user = self.folder / "user.arguments"
        self._write(user.name, f"--add-scram\n{MECHANISM}=[name={USER},password={self.login.password}]\n")
        known = ("--config", SERVER, "--cluster-id", cluster, "--ignore-formatted")
        try:
            done = subprocess.run(
                self._java("kafka.tools.StorageTool", "format", *known, f"@{user.name}"),
                cwd=self.folder,
                env=self.environment,
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            user.unlink()
        if done.returncode:
            said = (done.stderr or done.stdout).replace(self.login.password, "***").strip()
            raise SetupFailed(f"The broker's data folder {self.folder} could not be formatted: {said[-500:]}")

    def _renew_login(self) -> None:
        """Give a data folder its log-in that was formatted without one, or with another.

        For that the broker is started with a password of this start alone, given in its configuration.
        """
        from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are there
            AdminClient,
            ScramCredentialInfo,
            ScramMechanism,
            UserScramCredentialUpsertion,
        )

        once = Login(secrets.token_urlsafe(24))
        config = once.client(self.bootstrap) | {"sasl.mechanism": "PLAIN"}
        self._write(ONCE, self._node(once).server("PLAIN"))
        try:
            self._start(ONCE, config, within=60)
            user = UserScramCredentialUpsertion(
                USER, ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), self.login.password.encode()
            )
            admin = AdminClient(config)  # kept: one that nobody holds answers nothing any more
            admin.alter_user_scram_credentials([user])[USER].result(30)
        finally:
            self.stop()
            (self.folder / ONCE).unlink()

    def start(self, within: float = 60) -> None:
        """Start the broker as a child of this process and return when it answers.

        Raises:
            BrokerUnreachable: it ended, or did not answer `within` seconds.
        """
        self.prepare()
        self._start(SERVER, self.config, within)

    def _start(self, properties: str, config: Mapping[str, Any], within: float) -> None:
        with (self.folder / "broker.log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command(properties),
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + within
        while not answers(config):
            ended = self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                self.kill()
                raise BrokerUnreachable(
                    f"The broker on {self.bootstrap} {'ended' if ended else 'did not answer in time'}: "
                    f"see {self.folder / 'broker.log'}."
                )
            time.sleep(0.1)

    def stop(self, within: float = 30) -> None:
        """End the broker in good order; one that does not end `within` seconds is killed."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(within)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End the broker as a crash would (SIGKILL)."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def answers(config: Mapping[str, Any], timeout: float = 2) -> bool:
    """Whether the broker of this configuration answers a metadata request within `timeout` seconds."""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    # log_level 0: while the broker starts, each refused connection would be a line on stderr.
    admin = AdminClient({**config, "log_level": 0, "socket.timeout.ms": 2000})
    try:
        return bool(admin.list_topics(timeout=timeout).brokers)
    except KafkaException:
        return False


def scratch_broker(home: Path, folder: Path, more: str = "") -> Broker:
    """A broker on free ports with its data in `folder` and the Java and jars of `home`, not started yet."""
    return Broker(java_home(home), fetch_jars(home, "broker"), folder, free_port(), free_port(), more)
