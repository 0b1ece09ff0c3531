"""Airflow's API server on SQLite, with many people at it."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from testbed.dag_stream import DagStream
from testbed.pipeline import Pipeline

pytestmark = pytest.mark.timeout(600)  # the start of the stack is in it

PEOPLE = 8
CLICKS = 24
MORE_THAN_SOCKETS_HOLD = 12 * 2**20


@pytest.fixture(scope="module")
def stream(pipeline: Pipeline) -> Iterator[DagStream]:
    """A stream whose DAG is paused: runs are made, and wait."""
    stream = DagStream(pipeline.of("clicked"))
    stream.write_contract()
    pipeline.awaited(lambda: pipeline.airflow.dag(stream.name), seconds=120)
    yield stream
    stream.contract_file.unlink()


def test_runs_triggered_at_the_same_moment_are_all_made(pipeline: Pipeline, stream: DagStream) -> None:
    with ThreadPoolExecutor(PEOPLE) as people:
        clicks = [people.submit(pipeline.airflow.trigger, stream.name) for _ in range(CLICKS)]
        runs = {click.result() for click in clicks}
    assert len(runs) == CLICKS


def test_who_reads_nothing_of_a_large_answer_holds_up_nobody(pipeline: Pipeline, stream: DagStream) -> None:
    """A run's parameters come back in the answer to who has triggered it."""
    asked = {"logical_date": None, "dag_run_id": "slow", "conf": {"much": "x" * MORE_THAN_SOCKETS_HOLD}}
    path = f"/api/v2/dags/{stream.name}/dagRuns"
    with unread_post(pipeline, path, json.dumps(asked).encode()):
        assert pipeline.airflow.trigger(stream.name)
    pipeline.airflow._http.delete(f"{path}/slow").raise_for_status()


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer forged"}, {"Cookie": "_token=forged"}])
def test_of_who_has_not_logged_in_little_is_read(pipeline: Pipeline, headers: dict[str, str]) -> None:
    body = b"x" * 2**20
    url = f"http://127.0.0.1:{pipeline.settings.airflow_port}/api/v2/dags/any/dagRuns"
    answer = httpx.post(url, content=body, headers=headers)
    assert (answer.status_code, answer.text) == (401, "Log in before you send so much")


def unread_post(pipeline: Pipeline, path: str, body: bytes) -> socket.socket:
    """A connection whose request is answered, and of whose answer the first byte alone is read."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(120)
    client.connect(("127.0.0.1", pipeline.settings.airflow_port))
    token = pipeline.airflow._http.headers["Authorization"]
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    client.sendall(head.encode() + body)
    assert client.recv(1) == b"H"
    return client
