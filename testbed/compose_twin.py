"""docker-compose.yaml without containers: its own commands, settings and health checks, on this machine.

What is not the same here is in `TABLE`, `_start_kafka` and `_start_postgres`, and nowhere else.
"""

import os
import re
import shlex
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import yaml

from headrace.settings import PROJECT
from local.stack import processes
from local.stack.broker_properties import LOG4J
from local.stack.kafka_tools import TOOLS
from local.stack.ports import free_port
from testbed.postgres import Postgres
from testbed.waiting import awaited

FILE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yaml").read_text(encoding="utf-8"))
COMPOSE: dict[str, dict[str, Any]] = FILE["services"]
DOCKERFILE = (PROJECT / "Dockerfile").read_text(encoding="utf-8")

TABLE = (
    # In the files, here; in one pass, so that no row reads what another has written.
    # No network of containers, and nothing listens beyond this machine:
    (r"\b(?:kafka|api-server|localhost)(?=:)|\bspark-master\b|\b0\.0\.0\.0\b", "127.0.0.1"),
    (r"(?<=://)(?=:\d)", "127.0.0.1"),  # Kafka's listeners on all addresses
    (r"@postgres/", "@127.0.0.1:{postgres}/"),
    (r"(?<= )driver$", "127.0.0.1"),
    # One space of ports for all services: free ones.
    (r"(?<![\d.])(?:9092|1909[23]|9093|8080|7077|8081|8082)(?!\d)", "{port}"),
    # No file system of an image:
    (r"/opt/headrace/docker/spark-conf\b", "{folder}/spark-conf"),
    (r"/opt/headrace\b", "{project}"),
    (r"/opt/jars\b", "{jars}"),
    (r"/opt/kafka/bin\b", "{folder}/bin"),
    (r"/etc/kafka\b", "{folder}/kafka"),
    (r"/usr/local/bin/python3\b", "{python}"),
    (r"/var/lib/headrace\b", "{folder}/state"),
    (r"/var/lib/kafka/data\b", "{folder}/kafka/data"),
)
PATTERN = re.compile("|".join(f"({pattern})" for pattern, _ in TABLE), flags=re.MULTILINE)

CLUSTER_ID = "5L6g3nShT-eMCtK--X86sw"
"""What Kafka's image takes where the environment names none."""


class Twin:
    """The services as processes; `secrets` is what .env would hold.

    `folder` keeps what they write; `image` in it is their working directory, which in a container is root's.
    """

    def __init__(self, folder: Path, jars: Path, java: Path, postgres: Path, secrets: dict[str, str]) -> None:
        self.folder, self.image = folder, folder / "image"
        self._ports: dict[str, int] = {}
        self._jars, self._java, self._secrets = jars, java, secrets
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._postgres = Postgres(postgres, self.port("5432"), self._said(COMPOSE["postgres"]))
        self._make_files()

    def port(self, said: str) -> int:
        """The free port that stands here for one of the file's."""
        return self._ports.setdefault(said, free_port())

    # -- what the files say, said for this machine

    def translated(self, text: str) -> str:
        """The text by `TABLE`, then with the variables of .env put in, as Compose does."""

        def here(found: re.Match[str]) -> str:
            template = TABLE[(found.lastindex or 0) - 1][1]
            return template.format(
                folder=self.folder,
                project=PROJECT,
                jars=self._jars,
                python=sys.executable,
                postgres=self.port("5432"),
                port=self.port(found[0]) if "{port}" in template else None,
            )

        def variable(found: re.Match[str]) -> str:
            return self._secrets.get(found[1]) or found[2] or self._secrets[found[1]]

        text = PATTERN.sub(here, text)
        return re.sub(r"\$\{(\w+)(?::\?[^}]*|:-([^}]*))\}", variable, text).replace("$$", "$")

    def _said(self, service: dict[str, Any]) -> dict[str, str]:
        """The environment of a service: its image's, then its own."""
        image = re.search(r"^ENV (.*?[^\\])\n", DOCKERFILE, flags=re.MULTILINE | re.DOTALL)
        assert image is not None
        pairs = shlex.split(image[1].replace("\\\n", " ")) if "build" in service else []
        said = dict(pair.split("=", 1) for pair in pairs) | (service.get("environment") or {})
        return {name: self.translated(value) for name, value in said.items()}

    def environment(self, name: str) -> dict[str, str]:
        """A process's whole environment: a container has nothing of its host's either."""
        binaries = (Path(sys.executable).parent, self._java / "bin", self._postgres.binaries)
        return {
            "PATH": os.pathsep.join([*map(str, binaries), os.defpath]),
            "HOME": str(self.folder / "user"),
            "LANG": "C.UTF-8",
            "SPARK_LOCAL_IP": "127.0.0.1",  # a container has one address; Spark would take a real one here
            "PGPORT": str(self.port("5432")),
            processes.MARK: str(self.folder),
            "SPT_NOENV": "1",  # Airflow's new process names spare the mark
            **self._said(COMPOSE[name]),
        }

    def _make_files(self) -> None:
        for path in (self.image, self.folder / "user", self.folder / "bin", self.folder / "spark-conf"):
            path.mkdir()
        for made in re.findall(r"/var/lib/headrace/\w+", DOCKERFILE.rpartition("install -d -m 0700")[2]):
            Path(self.translated(made)).mkdir(parents=True, mode=0o700)
        for file in (PROJECT / "docker/spark-conf").iterdir():
            text = self.translated(file.read_text(encoding="utf-8"))
            (self.folder / "spark-conf" / file.name).write_text(text, encoding="utf-8")
        for tool in ("kafka-topics", "kafka-configs"):
            script = self.folder / "bin" / f"{tool}.sh"
            command = shlex.join(self._kafka_java(TOOLS[tool]))
            script.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
            script.chmod(0o755)
        for service in COMPOSE.values():
            for config in service.get("configs", ()):
                file = Path(self.translated(config["target"]))
                file.parent.mkdir(exist_ok=True)
                file.write_text(self.translated(FILE["configs"][config["source"]]["content"]), "utf-8")

    # -- up and down

    def up(self) -> None:
        """Start every service when those are ready that it waits for; return when all are healthy."""
        waits = {name: service.get("depends_on") or {} for name, service in COMPOSE.items()}
        for name in TopologicalSorter(waits).static_order():
            for other, dependency in waits[name].items():
                self._await(other, dependency["condition"])
            self._start(name)
        for name, service in COMPOSE.items():
            if "healthcheck" in service:
                self._await(name, "service_healthy")

    def _start(self, name: str) -> None:
        special = {"kafka": self._start_kafka, "postgres": self._start_postgres}
        self._running[name] = special[name]() if name in special else self._popen(name, self._command(name))

    def _command(self, name: str) -> list[str]:
        return [self.translated(word) for word in COMPOSE[name]["command"]]

    def _popen(self, name: str, command: list[str]) -> "subprocess.Popen[bytes]":
        with self.log(name).open("wb") as out:
            return subprocess.Popen(
                command,
                cwd=self.image,
                env=self.environment(name),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _kafka_java(self, *arguments: str) -> list[str]:
        return [str(self._java / "bin/java"), "-cp", f"{self._jars}/broker/*", *arguments]

    def _start_kafka(self) -> "subprocess.Popen[bytes]":
        """By the image's own program: it makes foo.bar of KAFKA_FOO_BAR and formats the data folder."""
        kafka = self.folder / "kafka"
        for part in ("data", "default", "mounted", "final"):
            (kafka / part).mkdir(parents=True)
        folders = [w for p in ("default", "mounted", "final") for w in (f"--{p}-configs-dir", str(kafka / p))]
        environment = self.environment("kafka")
        done = subprocess.run(
            self._kafka_java("kafka.docker.KafkaDockerWrapper", "setup", *folders),
            env={**environment, "CLUSTER_ID": CLUSTER_ID},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        (kafka / "log4j2.properties").write_text(LOG4J, encoding="ascii")
        java, *rest = self._kafka_java("kafka.Kafka", str(kafka / "final/server.properties"))
        options = shlex.split(environment.get("KAFKA_HEAP_OPTS", ""))
        log4j = f"-Dlog4j2.configurationFile={kafka / 'log4j2.properties'}"
        return self._popen("kafka", [java, *options, log4j, *rest])

    def _start_postgres(self) -> "subprocess.Popen[bytes]":
        return self._postgres.start(self.log("postgres"))

    def down(self) -> None:
        """End every process of this twin, and no other."""
        processes.end(self.folder)
        server = self._running.pop("postgres", None)
        if server is not None:
            server.terminate()
            server.wait(30)
        for process in self._running.values():
            process.wait(30)
        self._postgres.remove()

    # -- looking at it

    def log(self, name: str) -> Path:
        """What a service says."""
        return self.folder / f"{name}.log"

    def is_running(self, name: str) -> bool:
        """Whether the service's process lives."""
        return self._running[name].poll() is None

    def check(self, name: str) -> "subprocess.CompletedProcess[str]":
        """Run the service's health check once."""
        kind, *words = COMPOSE[name]["healthcheck"]["test"]
        command = [self.translated(word) for word in words]
        return subprocess.run(
            command if kind == "CMD" else ["/bin/sh", "-c", *command],
            cwd=self.image,
            env=self.environment(name),
            capture_output=True,
            text=True,
            check=False,
        )

    def _await(self, name: str, condition: str) -> None:
        if condition == "service_completed_successfully":
            assert self._running[name].wait(180) == 0, self._said_last(name)
            return
        assert condition == "service_healthy", condition

        def healthy() -> bool:
            assert self.is_running(name), self._said_last(name)
            return self.check(name).returncode == 0

        # A check of Airflow's costs three seconds of a core that the service itself needs to become healthy.
        awaited(healthy, 240, every=2)

    def _said_last(self, name: str) -> str:
        return f"{name}:\n" + self.log(name).read_text(encoding="utf-8", errors="replace")[-4000:]
