"""The command `headrace new`: whom it asks, which file it writes, and whether all is done."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from rich.console import Console

from headrace.contract.field_types import StreamId, Zone
from headrace.draft.drafting import stream_of
from headrace.draft.guess import leave
from headrace.draft.new import Wish, new_of_file, new_of_files, new_of_topic
from headrace.draft.questions import AtTerminal
from headrace.draft.saying import say
from headrace.errors import SettingsError
from headrace.settings import Settings


@dataclass(frozen=True)
class Asked:
    """What stands on the command line."""

    sample: str
    stream: str | None = None
    output: Path | None = None
    timezone: str | None = None
    yes: bool = False


def new_contract(
    asked: Asked, settings: Settings, broker: Callable[[], dict[str, Any]], console: Console
) -> bool:
    """Draft, write, try and say; whether nothing is left to look at.

    Raises:
        SourceError: the sample cannot be read, or holds what no contract can say.
        SettingsError: the stream's id, the zone or the output does not fit, or the topic cannot be read.
    """
    stream = _fitting(StreamId, asked.stream or stream_of(_name_of(Path(asked.sample))), "--stream")
    zone = _fitting(Zone, asked.timezone, "--timezone") if asked.timezone else None
    output = asked.output or settings.streams_path / f"{stream}.yaml"
    if output.stem != stream:
        raise SettingsError(f"--output {output}: a contract's file is called as its stream, {stream}.yaml")
    settle = AtTerminal(console) if _somebody_is_there() and not asked.yes else leave
    wish = Wish(stream, output, settle, zone)
    file = Path(asked.sample)
    if file.is_dir() or (not file.exists() and set(asked.sample) & {*"*?["}):
        drafted = new_of_files(file, wish, settings)
    elif file.exists():
        drafted = new_of_file(file, wish, settings)
    elif file.suffix in (".csv", ".gz", ".json", ".jsonl", ".parquet", ".txt", ".tsv") or "/" in asked.sample:
        raise SettingsError(f"{asked.sample}: no such file")
    else:
        drafted = new_of_topic(asked.sample, wish, broker())
    say(console, drafted, stream)
    return drafted.read_whole and (asked.yes or not drafted.draft.unsure)


def _name_of(sample: Path) -> str:
    """What a file, folder, topic or pattern of names is called; of a mere pattern, its folder."""
    name = re.sub(r"[*?]|\[.*?\]", "", sample.name)
    named = re.sub(r"(\.\w+)+$", "", name).strip("-_. ")
    return name if named else sample.absolute().parent.name


def _somebody_is_there() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _fitting(kind: Any, value: str, option: str) -> str:
    try:
        return str(TypeAdapter(kind).validate_python(value))
    except ValidationError as wrong:
        said = wrong.errors()[0]["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{option} {value}: {said}") from wrong
