"""The wheel in a virtual environment of its own: ten lines of somebody's DAG, against a real broker."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Consumer

from headrace.settings import PROJECT, load_settings
from local.stack.broker import Broker

DAG = """\
import sys
from datetime import UTC, datetime

from airflow.sdk import DAG, chain
from headrace_airflow import Gate, ProvisionTopicsOperator, PublishOperator, topic_ready, visible

with DAG("mine", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
    topic = ProvisionTopicsOperator(task_id="provision_topics", contract="mine.yaml")
    ready = Gate(task_id="ready", until=topic_ready("mine.readings", partitions=2))
    publish = PublishOperator(task_id="publish", contract="mine.yaml")
    seen = Gate(task_id="seen", until=visible("mine.readings", until=publish.output["until"]))
    chain(topic, ready, publish, seen)

if __name__ == "__main__":
    run = dag.test()
    sys.exit(0 if run.state == "success" else f"the run ended as {run.state}")
"""

CONTRACT = """\
stream: mine
description: two readings of somebody's own
schedule: null
source: {kind: csv, path: mine.csv}
topic: {name: mine.readings, partitions: 2}
record:
  format: json
  key: [at]
  identity: [at]
  event_time: {field: at, format: yyyy-MM-dd HH:mm, timezone: UTC}
  signals:
    - {name: value, fields: [value], type: double}
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with Airflow and the wheel, and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    uv = load_settings().home_path / "uv" / "bin" / "uv"
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=PROJECT)
    (wheel,) = folder.glob("headrace-*.whl")
    run(uv, "venv", "--python", sys.executable, folder / "venv")
    install = (uv, "pip", "install", "--python", folder / "venv" / "bin" / "python")
    run(*install, "--constraints", PROJECT / "requirements.txt", wheel)
    return folder / "venv"


def run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture
def home(tmp_path: Path, broker: Broker) -> dict[str, str]:
    """The environment variables of somebody who has the wheel, his DAG and his contract in `tmp_path`."""
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "mine.py").write_text(DAG, "utf-8")
    (tmp_path / "mine.yaml").write_text(CONTRACT.replace("mine.csv", f"{tmp_path}/mine.csv"), "utf-8")
    (tmp_path / "mine.csv").write_text("at,value\n2026-01-01 00:00,1\n2026-01-01 00:10,2\n", "utf-8")
    kept = {
        name: value for name, value in os.environ.items() if "AIRFLOW" not in name and name != "PYTHONPATH"
    }
    extra = broker.config
    return kept | {
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_CONN_KAFKA_DEFAULT": json.dumps({"conn_type": "kafka", "extra": extra}),
        "HEADRACE_HOME": str(tmp_path / "home"),
        "HEADRACE_WAREHOUSE": str(tmp_path / "warehouse"),
        "HEADRACE_STREAMS": str(tmp_path),
        "HEADRACE_SOURCE_ROOTS": str(tmp_path),
    }


def test_ten_lines_of_a_dag_publish_through_two_gates(
    environment: Path, home: dict[str, str], tmp_path: Path, broker: Broker
) -> None:
    airflow, python = environment / "bin" / "airflow", environment / "bin" / "python"
    assert "headrace" in run(airflow, "providers", "list", cwd=tmp_path, env=home)
    run(airflow, "db", "migrate", cwd=tmp_path, env=home)
    run(python, "dags/mine.py", cwd=tmp_path, env=home)
    consumer = Consumer(
        {
            **broker.config,
            "group.id": "wheel",
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
    )
    consumer.subscribe(["mine.readings"])
    found = {json.loads(message.value() or b"")["value"] for message in consumer.consume(2, timeout=60)}
    consumer.close()
    assert found == {"1", "2"}
