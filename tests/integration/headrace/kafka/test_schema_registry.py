"""What a registry answers, by the interface that Confluent documents; tests/long has a real one."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from headrace.errors import RegistryUnreachable, SettingsError
from headrace.kafka.schema_registry import WrittenBy, asking
from local.stack.ports import free_port

LOGIN = "me:hu:sh"
QUICK = {"max.retries": 0, "timeout": 10}
ANSWERS: dict[str, tuple[int, dict[str, Any]]] = {
    "/schemas/ids/1": (200, {"schema": '"string"'}),
    "/schemas/ids/2": (
        200,
        {
            "schema": '"outer"',
            "schemaType": "AVRO",
            "references": [{"name": "inner", "subject": "s-inner", "version": 3}],
        },
    ),
    "/subjects/s-inner/versions/3": (
        200,
        {
            "subject": "s-inner",
            "version": 3,
            "id": 8,
            "schema": '"inner"',
            "references": [{"name": "innermost", "subject": "s-innermost", "version": 1}],
        },
    ),
    "/subjects/s-innermost/versions/1": (
        200,
        {"subject": "s-innermost", "version": 1, "id": 9, "schema": '"innermost"'},
    ),
    "/schemas/ids/3": (200, {"schema": "syntax", "schemaType": "PROTOBUF"}),
    "/schemas/ids/4": (404, {"error_code": 40403, "message": "Schema not found"}),
    "/schemas/ids/5": (404, {"error_code": 404, "message": "HTTP 404 Not Found"}),
    "/schemas/ids/6": (503, {"error_code": 50003, "message": "forwarding"}),
    "/schemas/ids/7": (403, {"error_code": 403, "message": "forbidden"}),
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = f"Basic {base64.b64encode(LOGIN.encode()).decode()}"
        status, body = 401, {"error_code": 401, "message": "Unauthorized"}
        if self.headers.get("Authorization") == known:
            status, body = ANSWERS.get(
                self.path.partition("?")[0], (404, {"error_code": 404, "message": "?"})
            )
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def registry() -> Iterator[dict[str, Any]]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        yield {"url": url, "basic.auth.user.info": LOGIN, **QUICK}
        server.shutdown()


def test_a_schema_comes_with_what_it_needs_in_the_order_of_its_need(registry: dict[str, Any]) -> None:
    ask = asking(registry)
    assert ask(1) == WrittenBy("AVRO", '"string"')
    assert ask(2) == WrittenBy("AVRO", '"outer"', ('"innermost"', '"inner"'))
    assert ask(3) == WrittenBy("PROTOBUF", "syntax")
    assert ask(4) is None


@pytest.mark.parametrize(
    ("number", "error", "said"),
    [
        (5, SettingsError, "answers like none: .*correct the url of its Airflow connection"),
        (6, RegistryUnreachable, "cannot answer now: forwarding"),
        (7, SettingsError, r"refuses the log-in \(HTTP 403\)"),
    ],
)
def test_what_it_cannot_or_will_not_answer(
    registry: dict[str, Any], number: int, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        asking(registry)(number)


def test_a_wrong_log_in_is_named_and_not_shown(registry: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"refuses the log-in \(HTTP 401\)") as refused:
        asking(registry | {"basic.auth.user.info": "me:hush"})(1)
    assert "hush" not in str(refused.value)


def test_nobody_there_is_transient() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(
        RegistryUnreachable, match=f"schema registry {url} did not answer for schema 1"
    ) as away:
        asking({"url": url, **QUICK})(1)
    assert away.value.transient


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"url": "ftp://x"}, "Invalid url"),
        ({"url": "http://x", "unheard.of": 1}, "Unrecognized properties: unheard.of"),
        ({"url": "https://x", "ssl.ca.location": "/nowhere/ca.pem"}, "No such file"),
    ],
)
def test_a_configuration_that_does_not_fit_is_terminal(config: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=f"does not fit: .*{said}"):
        asking(config)(1)
