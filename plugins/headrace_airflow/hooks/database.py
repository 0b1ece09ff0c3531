"""A database's connection, as the URL that SQLAlchemy takes."""

from airflow.sdk import Connection
from airflow.sdk.log import mask_secret
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from headrace.errors import SettingsError
from headrace_airflow.hooks.connection import connection_of

DIALECTS = {"postgres": "postgresql", "redshift": "postgresql", "mssql": "mssql+pymssql"}
"""Airflow's types of connections that SQLAlchemy calls otherwise."""


def database_url(conn_id: str) -> URL:
    """Where the database of that connection is: its extra's `sqlalchemy_url`, else its own fields.

    Raises:
        SettingsError: the connection is missing or wrong.
    """
    needed = 'of the database\'s type, or with the extra {"sqlalchemy_url": "…"}'
    url = _url_of(connection_of(conn_id, needed))
    if url.password:
        mask_secret(str(url.password))
    return url


def _url_of(connection: Connection) -> URL:
    given = connection.extra_dejson.get("sqlalchemy_url")
    if not given:
        kind = connection.conn_type or "generic"
        return URL.create(
            DIALECTS.get(kind, kind),
            username=connection.login,
            password=connection.password,
            host=connection.host,
            port=connection.port,
            database=connection.schema,
        )
    try:
        return make_url(given)
    except ArgumentError as wrong:  # whose message may hold the password
        raise SettingsError(
            f"Airflow connection {connection.conn_id}: its extra's sqlalchemy_url is no URL"
        ) from wrong
