"""What the commands have in common: where they print, which broker they ask, how they end."""

import json
import os
from typing import Annotated, Any

import typer
from rich.console import Console

from headrace.errors import HeadraceError, SettingsError
from headrace.report.terminal import print_text
from headrace.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="print JSON, for scripts")]

Bootstrap = Annotated[
    str | None,
    typer.Option(
        help="the broker; else that of the connection in AIRFLOW_CONN_KAFKA_DEFAULT, or the embedded one"
    ),
]

CONNECTION = "AIRFLOW_CONN_KAFKA_DEFAULT"
"""Where the environment holds the connection that tasks have, commands take it from there too."""

out = Console()
err = Console(stderr=True)


def broker_of(settings: Settings, bootstrap: str | None) -> dict[str, Any]:
    """The broker that a command asks: the connection's or the named one, else the embedded one.

    Raises:
        SettingsError: the connection in the environment is not written as JSON.
    """
    from headrace.kafka.login import embedded_broker

    named = {"bootstrap.servers": bootstrap} if bootstrap else {}
    if connection := os.environ.get(CONNECTION):
        try:
            extra = json.loads(connection)["extra"]
            return dict(json.loads(extra) if isinstance(extra, str) else extra) | named
        except (ValueError, KeyError, TypeError):
            raise SettingsError(
                f'{CONNECTION} is no JSON with an "extra", which alone this command reads: write it so, or '
                "unset it and name the broker by --bootstrap"
            ) from None  # its text holds a password
    return named or embedded_broker(settings)


def ended(wrong: HeadraceError, code: int) -> typer.Exit:
    """How a command ends that could not do its work."""
    print_text(err, str(wrong))
    return typer.Exit(code)
