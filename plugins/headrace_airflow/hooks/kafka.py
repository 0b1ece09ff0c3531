"""The Kafka connection, as the configuration that Kafka clients take."""

from typing import Any

from airflow.providers.apache.kafka.hooks.base import KafkaBaseHook
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import amask_secret, mask_secret

from headrace.errors import SettingsError
from headrace_airflow.hooks.connection import missing

SECRET_MARKS = ("password", "secret", "jaas", "pem", "token", "user.info", "oauthbearer.config", "credential")
"""Parts of the names of settings whose values never reach a log; Airflow itself masks only some of them."""


class KafkaConfigHook(KafkaBaseHook):
    """Reads a connection of type `kafka`: its extra is the configuration, as in the provider's own hooks."""

    def __init__(self, kafka_conn_id: str = KafkaBaseHook.default_conn_name) -> None:
        super().__init__(kafka_conn_id)  # type: ignore[no-untyped-call]  # the provider's has no annotations

    def config(self) -> dict[str, Any]:
        """The configuration, for a worker.

        Raises:
            SettingsError: the connection is missing or wrong.
        """
        try:
            config = self._config_of(self.get_connection(self.kafka_config_id))
        except AirflowNotFoundException as absent:
            raise self._missing() from absent
        for value in secrets_in(config):
            mask_secret(value)
        return config

    async def aconfig(self) -> dict[str, Any]:
        """The configuration, for the triggerer: fetched without blocking its loop.

        Raises:
            SettingsError: the connection is missing or wrong.
        """
        try:
            config = self._config_of(await self.aget_connection(self.kafka_config_id))
        except AirflowNotFoundException as absent:
            raise self._missing() from absent
        for value in secrets_in(config):
            await amask_secret(value)
        return config

    def _config_of(self, connection: Connection) -> dict[str, Any]:
        name = f"Airflow connection {self.kafka_config_id}"
        if connection.conn_type != "kafka":
            raise SettingsError(f"{name} has type {connection.conn_type!r}; it must be kafka")
        config: dict[str, Any] = dict(connection.extra_dejson)
        servers = config.get("bootstrap.servers")
        if not servers:
            raise SettingsError(f"{name}: its extra names no bootstrap.servers; add host:port")
        # Private to provider 2.1.0 (tests/unit/headrace_airflow/test_provider_internals.py): the two steps of
        # its `_build_config` that complete an extra. That method itself reads the connection, which blocks a
        # triggerer's loop, and takes it from whatever type it is of.
        try:
            self._resolve_callbacks(config)
            self._maybe_add_msk_iam_oauth(config, servers)
        except ValueError as refused:
            raise SettingsError(f"{name}: {refused}") from refused
        return config

    def _missing(self) -> SettingsError:
        return missing(self.kafka_config_id, 'type kafka, extra {"bootstrap.servers": "host:port"}')


def secrets_in(config: dict[str, Any]) -> list[str]:
    """The values of a configuration that never reach a log."""
    return [
        value
        for key, value in config.items()
        if isinstance(value, str) and any(mark in key.lower() for mark in SECRET_MARKS)
    ]
