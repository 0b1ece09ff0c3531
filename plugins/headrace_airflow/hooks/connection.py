"""An Airflow connection, or what to add where there is none."""

from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from headrace.errors import SettingsError


def connection_of(conn_id: str, needed: str) -> Connection:
    """The connection of that id; `needed` says in words what it would have to be.

    Raises:
        SettingsError: there is none.
    """
    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException as absent:
        raise missing(conn_id, needed) from absent


def missing(conn_id: str, needed: str) -> SettingsError:
    """What to say of a connection that is not there."""
    return SettingsError(
        f"Airflow connection {conn_id} is missing; add it ({needed}) under Admin > Connections or as "
        f"AIRFLOW_CONN_{conn_id.upper()}"
    )
