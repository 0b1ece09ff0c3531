"""What a run measured arrives at a StatsD server, where Airflow is told to send its own figures."""

import socket
from collections.abc import Iterator

import pytest
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics import stats_utils

from headrace_airflow.metrics import MEASURES
from tests.integration.headrace_airflow.conftest import Runs

PREFIX = "airflow.headrace.wind_turbine."


@pytest.fixture
def statsd(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A server of the protocol, which is a line a datagram, and Airflow's settings that name it."""
    with socket.socket(type=socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        host, port = server.getsockname()
        for name, value in (("ON", "True"), ("HOST", host), ("PORT", str(port))):
            monkeypatch.setenv(f"AIRFLOW__METRICS__STATSD_{name}", value)
        stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
        yield server
    stats.initialize(factory=stats_utils.NoStatsLogger, export_legacy_names=False)


def received(server: socket.socket, many: int) -> dict[str, str]:
    """The next so many figures: name -> value and kind."""
    lines = [server.recv(1024).decode() for _ in range(many)]
    assert all(line.startswith(PREFIX) for line in lines)
    return dict(line.removeprefix(PREFIX).split(":", 1) for line in lines)


def test_a_runs_figures_arrive_where_airflow_sends_its_own(external: Runs, statsd: socket.socket) -> None:
    external.run("first")
    figures = received(statsd, 4)
    assert set(figures) == set(MEASURES) - {"behind.seconds"}  # nothing is analysed yet
    assert (figures["records.landed"], figures["records.quarantined"]) == ("10|c", "0|c")
    assert figures["lag"] == "0|g"
    assert figures["batch.seconds"].endswith("|ms")
    external.produce(*range(10, 17))
    external.run("up to the twelfth", until="0:6 1:6")
    assert received(statsd, 4)["lag"] == "5|g"
