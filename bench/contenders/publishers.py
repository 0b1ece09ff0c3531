"""How the process of each contender is started that publishes a file."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.contenders.start import start_process
from headrace.kafka.librdkafka import bootstrap
from headrace.settings import load_settings
from local.install.jars import fetch_jars
from local.install.java import java_home
from local.stack.broker_properties import client
from testbed.streams import Stream

HERE = Path(__file__).parent

SETTINGS = {"acks": "all", "compression.type": "lz4"}
"""What all have in common."""

HEAP = "-Xmx512M"
"""What Kafka's own script for its tool sets."""


@dataclass(frozen=True)
class Task:
    """What is to be published: the `records` rows of `file` into the stream's empty topic.

    `payload`: JSON texts of some rows, a line each; `home`: a folder for what a contender keeps.
    """

    stream: Stream
    home: Path
    file: Path
    payload: Path
    records: int


def headrace(task: Task) -> "subprocess.Popen[str]":
    """What the task `publish` does."""
    return start_process(
        [sys.executable, "-m", "bench.contenders.headrace_publish", str(task.stream.file)],
        {
            "KAFKA": _config(task),
            "HEADRACE_HOME": str(task.home / "home"),
            "HEADRACE_WAREHOUSE": str(task.home / "warehouse"),
            "HEADRACE_SOURCE_ROOTS": str(task.file.parent),
        },
    )


def plain_script(task: Task) -> "subprocess.Popen[str]":
    """A reader, an encoder, a producer."""
    return _script("plain_publish.py", task)


def polars_script(task: Task) -> "subprocess.Popen[str]":
    """The same with the whole file in a frame."""
    return _script("polars_publish.py", task)


def perf_tool(task: Task) -> "subprocess.Popen[str]":
    """Kafka's producer-perf-test: ready texts, over and over, without keys."""
    home = load_settings().home_path
    properties = [f"{key}={value}" for key, value in SETTINGS.items()]
    login = task.home / "client.properties"
    login.write_text(client(task.stream.config), encoding="utf-8")
    return start_process(
        [
            *(str(java_home(home) / "bin" / "java"), HEAP, "-cp", f"{fetch_jars(home, 'broker')}/*"),
            "org.apache.kafka.tools.ProducerPerformance",
            *("--topic", task.stream.contract.topic.name, "--num-records", str(task.records)),
            *("--payload-file", str(task.payload), "--throughput", "-1"),
            *("--bootstrap-server", bootstrap(task.stream.config), "--command-config", str(login)),
            *("--command-property", *properties),
        ],
        {},
    )


def _script(name: str, task: Task) -> "subprocess.Popen[str]":
    topic = task.stream.contract.topic.name
    return start_process([sys.executable, str(HERE / name), topic, str(task.file)], {"KAFKA": _config(task)})


def _config(task: Task) -> str:
    """The broker's configuration, which holds a password: for the environment, not for a command line."""
    return json.dumps(task.stream.config)
