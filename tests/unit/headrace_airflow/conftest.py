"""The broker that gates and triggers are pointed at."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Connect = Callable[[int], None]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Connect:
    """Points `kafka_default` at a port; questions to the broker end after a moment."""
    monkeypatch.setenv("HEADRACE_WAREHOUSE", str(tmp_path / "warehouse"))
    monkeypatch.setattr("headrace.kafka.topics.ANSWER_SECONDS", 0.5)

    def at(port: int) -> None:
        extra = {"bootstrap.servers": f"127.0.0.1:{port}"}
        monkeypatch.setenv("AIRFLOW_CONN_KAFKA_DEFAULT", json.dumps({"conn_type": "kafka", "extra": extra}))

    at(1)  # nothing listens on port 1
    return at
