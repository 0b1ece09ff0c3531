"""A schema registry's connection, as the configuration that Confluent's client takes."""

from typing import Any

from airflow.sdk import Connection
from airflow.sdk.log import mask_secret

from headrace.errors import SettingsError
from headrace_airflow.hooks.connection import connection_of
from headrace_airflow.hooks.kafka import secrets_in


def registry_config(conn_id: str) -> dict[str, Any]:
    """Its extra, and where that has no `url` or log-in the connection's own fields.

    Raises:
        SettingsError: the connection is missing or wrong.
    """
    config = _config_of(connection_of(conn_id, "type http, its host the schema registry's address"))
    for secret in secrets_in(config):
        mask_secret(secret)
    return config


def _config_of(connection: Connection) -> dict[str, Any]:
    config: dict[str, Any] = dict(connection.extra_dejson)
    name = f"Airflow connection {connection.conn_id}"
    if "url" not in config:
        if not connection.host:
            raise SettingsError(
                f"{name} names no host and its extra no url; add the schema registry's address"
            )
        host = (
            connection.host
            if "://" in connection.host
            else f"{connection.schema or 'http'}://{connection.host}"
        )
        config["url"] = f"{host}:{connection.port}" if connection.port else host
    if "@" in str(config["url"]):
        raise SettingsError(f"{name}: a log-in stands in its address; put it into login and password")
    if connection.login and "basic.auth.user.info" not in config:
        config["basic.auth.user.info"] = f"{connection.login}:{connection.password or ''}"
    if connection.password:
        mask_secret(connection.password)
    return config
