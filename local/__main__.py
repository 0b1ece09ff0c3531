"""`python -m local <verb>`: what the Makefile calls once the environment is there."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from headrace.errors import BrokerUnreachable, HeadraceError
from headrace.kafka.librdkafka import bootstrap
from headrace.kafka.login import embedded_broker
from headrace.report.cells import visible
from headrace.report.terminal import print_text
from headrace.settings import PROJECT, load_settings
from local.demo.demonstration import demonstrate, whereabouts
from local.install.audit import audit_packages, audited_jars, holes
from local.install.executors import make_executors
from local.install.jars import ROOTS, fetch_jars, write_lock
from local.install.java import java_home
from local.stack.broker import answers
from local.stack.kafka_tools import tools_folder
from local.stack.spark import prepare_archive
from local.stack.stack import Stack

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)
console = Console(highlight=False)


@contextmanager
def _errors_in_words() -> Iterator[None]:
    try:
        yield
    except HeadraceError as error:
        print_text(Console(stderr=True), str(error), "red")
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        console.print(
            "\nInterrupted. What was started goes on: `make status` shows it, `make down` ends it.",
            soft_wrap=True,
        )
        raise typer.Exit(130) from None


def _report(line: str) -> None:
    console.print(f"  {line}", markup=False)


@app.command()
def prepare() -> None:
    """Find Java, bring the jars, make the class-data archive."""
    with _errors_in_words():
        home = load_settings().home_path
        java_home(home)
        console.print("set-up: the jars …")
        for name in ROOTS:
            fetch_jars(home, name)
        console.print("set-up: a class-data archive, with which Spark starts faster …")
        if not prepare_archive(home):
            console.print(f"set-up: goes on without it, see {home / 'logs' / 'archive.log'}", markup=False)


@app.command()
def up() -> None:
    """Start the stack; returns when every part is healthy."""
    with _errors_in_words():
        settings = load_settings()
        with console.status("starting the stack"):
            Stack(settings).up(_report)
        whereabouts(settings, console)


@app.command()
def down() -> None:
    """End everything that belongs to the stack, and nothing else."""
    with _errors_in_words(), console.status("ending the stack"):
        ended = Stack(load_settings()).down()
    console.print(f"Ended {ended} processes." if ended else "No stack was running.")


@app.command()
def status() -> None:
    """Show each part's port, process and health; exit code 1 unless all are healthy."""
    with _errors_in_words():
        settings = load_settings()
        parts = Stack(settings).parts()
    table = Table("part", "port", "pid", "state", "health")
    for part in parts:
        health = "[green]healthy" if part.healthy else "[red]not healthy"
        # As Text: a run's id is its user's.
        state = Text(visible(f"{part.state}: {part.says}" if part.says else part.state))
        table.add_row(part.name, str(part.port or "-"), str(part.pid or "-"), state, health)
    console.print(table)
    whereabouts(settings, console)
    raise typer.Exit(0 if all(part.healthy for part in parts) else 1)


@app.command()
def demo() -> None:
    """Start the stack, run the wind turbine, show its stages and results; exit code 0 only on success."""
    with _errors_in_words():
        settings = load_settings()
        stack = Stack(settings)
        with console.status("starting the stack"):
            stack.up(_report)
        try:
            demonstrate(settings, stack.client(), console, _report)
        finally:
            whereabouts(settings, console)


@app.command()
def kafka_shell() -> None:
    """Open a shell with Kafka's own tools, set up for the stack's broker."""
    with _errors_in_words():
        settings = load_settings()
        config = embedded_broker(settings)
        if not answers(config):
            raise BrokerUnreachable(
                f"The stack's broker does not answer at {bootstrap(config)}: start the stack (`make up`)."
            )
    console.print(
        f"Kafka's own tools for the broker at {bootstrap(config)}; each line gets address and log-in.\n"
        "  kafka-topics.sh --create --topic quickstart-events\n"
        "  kafka-console-producer.sh --topic quickstart-events\n"
        "  kafka-console-consumer.sh --topic quickstart-events --from-beginning\n"
        "Leave with `exit`.",
        markup=False,
        soft_wrap=True,
    )
    folder = tools_folder(settings.home_path)
    os.chdir(folder)  # as in an unpacked Kafka: its pages say bin/kafka-topics.sh
    os.environ["PATH"] = os.pathsep.join((str(folder / "bin"), os.environ.get("PATH", os.defpath)))
    shell = os.environ.get("SHELL") or "/bin/sh"
    os.execv(shell, [shell])  # noqa: S606  # the user's own shell


@app.command()
def executors() -> None:
    """Pack what Spark's executors need, for a cluster whose workers have no checkout."""
    with _errors_in_words():
        with console.status("packing the executors' packages"):
            made = make_executors(load_settings().home_path)
        console.print(f"{made} ({made.stat().st_size / 1e6:.0f} MB)", markup=False, soft_wrap=True)


@app.command()
def audit() -> None:
    """Hold packages and jars against public lists of known holes (a stream's account: `headrace audit`)."""
    with _errors_in_words():
        sound = audit_packages(load_settings().home_path)
        jars = audited_jars()
        console.print(f"{len(jars)} jars …")
        with httpx.Client(timeout=60) as client:
            found = holes(jars, client)
        for jar, ids in found.items():
            print_text(console, f"{jar}: {', '.join(ids)}")
        if found or not sound:
            raise typer.Exit(1)
        console.print("No known hole.")


@app.command()
def lock() -> None:
    """Compile requirements.txt again, with hashes, and resolve local/install/jars.lock."""
    with _errors_in_words():
        home = load_settings().home_path
        uv = (home / "uv" / "bin" / "uv", "pip", "compile", "--quiet", "--generate-hashes", "--no-header")
        locked = ("--universal", "--python-version", "3.11", "requirements.in", "-o", "requirements.txt")
        environment = {**os.environ, "UV_CACHE_DIR": str(home / "cache" / "uv")}
        subprocess.run((*uv, *locked), cwd=PROJECT, env=environment, check=True)
        write_lock(home)


if __name__ == "__main__":
    os.umask(0o077)  # state, logs and tables are their owner's
    app()
