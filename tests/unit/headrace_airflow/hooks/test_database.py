"""A database's connection as Airflow hands it over, as the URL that SQLAlchemy takes."""

import json

import pytest
from airflow.sdk._shared.secrets_masker import redact

from headrace.errors import SettingsError
from headrace_airflow.hooks.database import database_url


def connect(monkeypatch: pytest.MonkeyPatch, **fields: object) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_PLANT", json.dumps(fields))


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        (
            {"conn_type": "postgres", "host": "db", "port": 5432, "login": "me", "schema": "plant"},
            "postgresql://me@db:5432/plant",
        ),
        ({"conn_type": "mysql", "host": "db"}, "mysql://db"),
        ({"conn_type": "sqlite", "schema": "/data/plant.db"}, "sqlite:////data/plant.db"),
        ({"conn_type": "generic", "extra": {"sqlalchemy_url": "duckdb:///x"}}, "duckdb:///x"),
    ],
)
def test_a_connection_is_a_url(fields: dict[str, object], url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, **fields)
    assert database_url("plant").render_as_string(hide_password=False) == url


def test_a_password_is_kept_whole_and_reaches_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, conn_type="postgres", host="db", login="me", password="p@ss/w:rd%")
    url = database_url("plant")
    assert url.password == "p@ss/w:rd%"
    assert "p@ss" not in f"{url}"
    assert redact("it is p@ss/w:rd%") == "it is ***"


def test_an_absent_connection_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_PLANT", raising=False)
    with pytest.raises(SettingsError, match=r"plant is missing.*AIRFLOW_CONN_PLANT"):
        database_url("plant")


def test_a_url_that_is_none_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, conn_type="generic", extra={"sqlalchemy_url": "my secret"})
    with pytest.raises(
        SettingsError, match="connection plant: its extra's sqlalchemy_url is no URL"
    ) as wrong:
        database_url("plant")
    assert "secret" not in str(wrong.value)
