"""A schema registry by Confluent's interface, asked through their own client.

A `config` is that client's: `url`, `basic.auth.user.info`, `ssl.ca.location`, `bearer.auth.…`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from headrace.errors import RegistryUnreachable, SettingsError

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

PATIENCE = {"timeout": 15, "max.retries": 2, "retries.wait.ms": 300, "retries.max.wait.ms": 2000}
"""How long one question is tried; a connection's extra may say otherwise."""

SCHEMA_NOT_FOUND = 40403
"""The registry's own code; a 404 without it comes from somebody else."""

MOST_REFERENCES = 100


@dataclass(frozen=True)
class WrittenBy:
    """A schema as a registry has it; `references`: those that it needs, each after those that it needs."""

    kind: str
    text: str
    references: tuple[str, ...] = ()


Ask = Callable[[int], WrittenBy | None]
"""A schema by its id; None where the registry has none.

Raises:
    RegistryUnreachable: it does not answer.
    SettingsError: it refuses the log-in, or is no schema registry.
"""


def asking(config: Mapping[str, Any]) -> Ask:
    """What asks the registry of that configuration; the client is made for the first question."""
    clients: list[SchemaRegistryClient] = []

    def ask(number: int) -> WrittenBy | None:
        if not clients:
            clients.append(_client(config))
        return _answer(clients[0], number, _place(config))

    return ask


def _client(config: Mapping[str, Any]) -> "SchemaRegistryClient":
    from confluent_kafka.schema_registry import SchemaRegistryClient  # noqa: PLC0415  # half a second

    try:
        return SchemaRegistryClient({**PATIENCE, **config})
    except (ValueError, TypeError, OSError) as wrong:  # OSError: a file of certificates
        raise SettingsError(
            f"the connection of the schema registry {_place(config)} does not fit: {wrong}"
        ) from wrong


def _answer(client: "SchemaRegistryClient", number: int, place: str) -> WrittenBy | None:
    from confluent_kafka.schema_registry.error import (  # noqa: PLC0415  # as above
        OAuthTokenError,
        SchemaRegistryError,
    )

    try:
        schema = client.get_schema(number)
        references: dict[str, str] = {}
        _collect(client, schema, references)
    except SchemaRegistryError as said:
        if said.error_code == SCHEMA_NOT_FOUND:
            return None
        raise _meaning(said, place) from said
    except OAuthTokenError as refused:
        raise SettingsError(f"schema registry {place}: no token for its log-in: {refused}") from refused
    except Exception as silent:
        if not _is_of_transport(silent):
            raise
        raise RegistryUnreachable(
            f"schema registry {place} did not answer for schema {number}: {silent}. Is it running, and do "
            "url and ssl.ca.location of its Airflow connection fit it?"
        ) from silent
    return WrittenBy(schema.schema_type or "AVRO", schema.schema_str or "", tuple(references.values()))


def _is_of_transport(error: Exception) -> bool:
    """Whether it is an error of the client's HTTP library, of which it takes httpx2 or httpx."""
    return any(kind.__name__ == "TransportError" for kind in type(error).__mro__)


def _collect(client: "SchemaRegistryClient", schema: "Schema", found: dict[str, str]) -> None:
    """The texts of what the schema refers to, by name, what they need themselves first."""
    for each in schema.references or []:
        name, subject, version = str(each.name), str(each.subject), int(each.version or 0)
        if name in found or len(found) > MOST_REFERENCES:
            continue
        needed = client.get_version(subject, version).schema
        _collect(client, needed, found)
        found[name] = needed.schema_str or ""


def _meaning(said: Any, place: str) -> RegistryUnreachable | SettingsError:
    status = said.http_status_code
    if status in {401, 403}:
        return SettingsError(
            f"schema registry {place} refuses the log-in (HTTP {status}); correct its Airflow connection"
        )
    if status in {408, 429} or status >= 500:
        return RegistryUnreachable(f"schema registry {place} cannot answer now: {said}")
    return SettingsError(
        f"schema registry {place} answers like none: {said}; correct the url of its Airflow connection"
    )


def _place(config: Mapping[str, Any]) -> str:
    """Its address for messages, without a log-in that stands in it."""
    found = urlsplit(str(config.get("url", "")))
    return f"{found.scheme}://{found.netloc.rpartition('@')[2]}{found.path}"
