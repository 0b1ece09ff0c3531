"""The schema registry's connection as Airflow hands it over."""

import json
from typing import Any

import pytest
from airflow.sdk._shared.secrets_masker import redact

from headrace.errors import SettingsError
from headrace_airflow.hooks.schema_registry import registry_config

NAME = "schema_registry_default"


def _connect(monkeypatch: pytest.MonkeyPatch, **connection: Any) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{NAME.upper()}", json.dumps({"conn_type": "http"} | connection))


CONNECTIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "host and port": ({"host": "r.example", "port": 8081}, {"url": "http://r.example:8081"}),
    "https": ({"host": "r.example", "schema": "https"}, {"url": "https://r.example"}),
    "an address as host": ({"host": "https://r.example/api"}, {"url": "https://r.example/api"}),
    "a log-in": (
        {"host": "r.example", "login": "me", "password": "a:b/c"},
        {"url": "http://r.example", "basic.auth.user.info": "me:a:b/c"},
    ),
    "the extra first": (
        {"host": "x", "extra": {"url": "https://r.example", "ssl.ca.location": "/ca.pem"}},
        {"url": "https://r.example", "ssl.ca.location": "/ca.pem"},
    ),
}


@pytest.mark.parametrize("name", CONNECTIONS)
def test_a_connection_is_the_clients_configuration(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    connection, expected = CONNECTIONS[name]
    _connect(monkeypatch, **connection)
    assert registry_config(NAME) == expected


def test_a_wrong_one_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"not_there is missing.*AIRFLOW_CONN_NOT_THERE"):
        registry_config("not_there")
    _connect(monkeypatch)
    with pytest.raises(SettingsError, match="names no host and its extra no url"):
        registry_config(NAME)
    _connect(monkeypatch, extra={"url": "https://me:hush@r.example"})
    with pytest.raises(SettingsError, match="put it into login and password") as refused:
        registry_config(NAME)
    assert "hush" not in str(refused.value)


def test_secrets_never_reach_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {
        "basic.auth.user.info": "me:hush-of-basic",
        "ssl.key.password": "hush-of-key",
        "bearer.auth.token": "hush-of-token",
        "bearer.auth.client.secret": "hush-of-client",
    }
    _connect(monkeypatch, host="r.example", login="me", password="hush-of-login", extra=secrets)
    registry_config(NAME)
    for secret in (*secrets.values(), "hush-of-login"):
        assert secret not in str(redact(f"a line that holds {secret} by mistake"))
