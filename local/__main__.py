"""`python -m local <verb>`: what the Makefile calls once the environment is there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.table import Table

from headrace.errors import HeadraceError
from headrace.settings import load_settings
from local.airflow import airflow_url
from local.demo import demonstrate, whereabouts
from local.jars import ROOTS, fetch_jars, write_lock
from local.java import java_home
from local.spark import prepare_archive
from local.stack import Stack

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)
console = Console(highlight=False)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except HeadraceError as error:
        Console(stderr=True, highlight=False).print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from error


def _report(line: str) -> None:
    console.print(f"  {line}", markup=False)


@app.command()
def prepare() -> None:
    """Find Java and bring the jars."""
    with _told():
        home = load_settings().home_path
        java_home(home)
        for name in ROOTS:
            fetch_jars(home, name)
        prepare_archive(home)


@app.command()
def up() -> None:
    """Start the stack; returns when every part is healthy."""
    with _told():
        settings = load_settings()
        with console.status("starting the stack"):
            Stack(settings).up(_report)
        console.print(f"The stack is up: {airflow_url(settings)} (log in with what `make status` names).")


@app.command()
def down() -> None:
    """End everything that belongs to the stack, and nothing else."""
    with _told(), console.status("ending the stack"):
        ended = Stack(load_settings()).down()
    console.print(f"Ended {ended} processes." if ended else "No stack was running.")


@app.command()
def status() -> None:
    """Show each part's port, process and health; exit code 1 unless all are healthy."""
    with _told():
        settings = load_settings()
        parts = Stack(settings).parts()
    table = Table("part", "port", "pid", "state", "health", "log")
    for part in parts:
        health = "[green]healthy" if part.healthy else "[red]not healthy"
        table.add_row(
            part.name, str(part.port or "-"), str(part.pid or "-"), part.state, health, str(part.log)
        )
    console.print(table)
    console.print(
        f"web UI {airflow_url(settings)}, user admin, password in {settings.home_path / 'passwords.json'}"
    )
    raise typer.Exit(0 if all(part.healthy for part in parts) else 1)


@app.command()
def demo() -> None:
    """Start the stack, run the wind turbine, show its stages and results; exit code 0 only on success."""
    with _told():
        settings = load_settings()
        stack = Stack(settings)
        try:
            with console.status("starting the stack"):
                stack.up(_report)
            api = stack.client()
            demonstrate(settings, api, console, _report)
        except KeyboardInterrupt:
            console.print("\nInterrupted. The stack stays up, and a started run goes on.")
            whereabouts(settings, console)
            raise typer.Exit(130) from None
        except HeadraceError:
            whereabouts(settings, console)
            raise
        whereabouts(settings, console)


@app.command()
def lock() -> None:
    """Resolve the jars again and write local/jars.lock."""
    with _told():
        write_lock(load_settings().home_path)


if __name__ == "__main__":
    os.umask(0o077)  # state, logs and tables are their owner's
    app()
