"""A draft as the text of a contract, with what was seen as comments; every name in it is a stranger's."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import wrap
from typing import Any

import yaml

from headrace.contract.number_form import PLAIN, NumberForm
from headrace.draft.cadence import written
from headrace.draft.columns import Column
from headrace.draft.drafting import Draft
from headrace.draft.guess import Guess
from headrace.draft.shape import Shape
from headrace.report.cells import visible
from headrace.tables.gold_columns import gold_column

WIDTH = 110

TAKEN = ("signal_date", "signal_hour", "entity", "readings")
"""Columns of `hourly_average` that are no signal's."""

MOST_SIGNALS = 500
"""Fields that are listed; a contract keeps the others without that."""


@dataclass(frozen=True)
class Origin:
    """Where the stream comes from: a file by its path in the contract, or a topic as the broker has it."""

    sample: str
    path: Path | None = None
    topic: str | None = None
    partitions: int = 1
    replication: int = 1


def contract_text(draft: Draft, stream: str, origin: Origin, schema: bool) -> str:
    """The contract; `schema`: whether its JSON Schema lies beside it."""
    return "\n".join(
        [
            *_head(draft, stream, origin, schema),
            *_source(draft, origin),
            *_topic(stream, origin),
            *_record(draft),
            "",
        ]
    )


def _head(draft: Draft, stream: str, origin: Origin, schema: bool) -> Iterator[str]:
    if schema:
        yield "# yaml-language-server: $schema=contract.schema.json"
    yield from _comment(
        f"Drafted by `headrace new` on {datetime.now(UTC):%Y-%m-%d} from {origin.sample}: "
        f"{draft.sample.look.said}. Above each line stands what was seen."
    )
    if draft.unsure:
        yield from _comment(
            "UNSURE marks what the sample does not decide: look at it, correct it, remove the mark."
        )
    yield f"stream: {stream}"
    yield f"description: {_scalar(f'drafted from {Path(origin.sample).name}')}"
    yield "schedule: null  # runs by hand; a cron expression such as '0 * * * *' runs it by itself"
    yield ""


def _source(draft: Draft, origin: Origin) -> Iterator[str]:
    if origin.path is None:
        yield "source: {kind: external}  # somebody else feeds the topic"
        yield ""
        return
    yield "source:"
    sample = draft.sample
    yield f"  kind: {sample.kind}"
    yield f"  path: {_scalar(str(origin.path))}"
    if sample.encoding:
        yield from _guessed(sample.encoding, "encoding", sample.encoding.value)
    if sample.delimiter and sample.shape:
        yield from _guessed(sample.delimiter, "delimiter", sample.delimiter.value)
        yield from _options(draft, sample.shape)
    if sample.blank_lines:
        yield "  blank_lines: skip"
    if sample.chosen and sample.chosen.left_out:
        left_out = ", ".join(sample.chosen.left_out)
        yield from _comment(f"left out, as values without texts or under one name: {left_out}", "  ")
        yield f"  columns: {_listed([*sample.chosen.read])}"
    yield ""


def _options(draft: Draft, shape: Shape) -> Iterator[str]:
    """What of the file is no row, and what a row ends with."""
    own = not draft.gives_names
    if not own:
        yield "  # the names that the file does not have, or not for each column"
        yield f"  names: {_listed([*shape.names])}"
    before = shape.preamble if own else shape.begin
    if before:
        yield f"  preamble: {before}  # lines before {'the header' if own else 'the first row'}"
    if own and shape.units:
        yield from _comment(f"the row behind the header holds no values: {' '.join(shape.units)}", "  ")
        yield "  units: 1"
    if shape.trailing:
        yield "  trailing_delimiter: true  # each row ends with one"
    if shape.comment:
        yield f"  comment: {_scalar(shape.comment)}"
    if shape.blank_lines:
        yield "  blank_lines: skip"
    if draft.sample.look.trim or shape.padded:
        yield "  trim: true  # blanks stand about some texts"


def _topic(stream: str, origin: Origin) -> Iterator[str]:
    yield "topic:"
    yield f"  name: {_scalar(origin.topic or f'{stream}.readings')}"
    yield f"  partitions: {origin.partitions}"
    if origin.replication > 1:
        yield f"  replication: {origin.replication}"
    yield ""


def _record(draft: Draft) -> Iterator[str]:
    known = draft.known.value
    yield "record:"
    yield from _seen(draft.known, "  ")
    if known.entity:
        if draft.sample.kind != "external":
            yield f"  key: {_listed([known.entity])}  # the records of one device keep their order"
        yield f"  entity: {_scalar(known.entity)}"
    if known.identity:
        yield f"  identity: {_listed([*known.identity])}"
    yield from _event_time(draft)
    yield from _values(draft)
    yield "  signals:"
    names = signal_names(draft.signals)
    for column in draft.signals[:MOST_SIGNALS]:
        yield from _signal(draft, column, names[column.name])
    if len(draft.signals) > MOST_SIGNALS:
        more = len(draft.signals) - MOST_SIGNALS
        yield from _comment(f"{more:,} more are kept under their own names", "    ")
    if draft.nameless:
        listed = ", ".join(sorted(draft.nameless))
        yield from _comment(f"columns without a name of their own are kept as {listed}", "    ")


def _event_time(draft: Draft) -> Iterator[str]:
    time = draft.time.value
    yield "  event_time:"
    yield from _seen(draft.time, "    ")
    yield f"    field: {_scalar(_one_or_list(time.fields))}"
    yield f"    format: {_scalar(_one_or_list(time.formats))}"
    yield from _guessed(draft.zone, "timezone", draft.zone.value, "    ")
    if draft.every.value:
        yield from _guessed(draft.every, "every", written(draft.every.value), "    ")
    else:
        yield from _comment(f"every: {draft.every.saw}", "    ")
    yield from _seen(draft.earliest, "    ")
    yield f"    earliest: {draft.earliest.value}"
    if draft.latest.value:
        yield from _guessed(draft.latest, "latest", written(draft.latest.value), "    ")


def _values(draft: Draft) -> Iterator[str]:
    """What holds of all fields, where it is not what JSON knows."""
    values = draft.values
    form = values.form.value
    if form != PLAIN or not values.form.sure:
        yield from _guessed(values.form, "decimal", form.decimal)
    if form.thousands:
        yield f"  thousands: {_scalar(form.thousands)}"
    if values.missing:
        yield f"  missing: {_listed([*values.missing])}"
    if values.nan:
        yield "  nan: missing"
    if draft.sample.look.trim and draft.sample.kind != "csv":
        yield "  trim: true  # blanks stand about some texts"
    if values.sentinels.value:
        yield from _seen(values.sentinels, "  ")


def _signal(draft: Draft, column: Column, name: str) -> Iterator[str]:
    yield from _comment(column.saw, "    ")
    signal: dict[str, object] = {"name": name, "fields": [column.name]}
    if column.type != "double":
        signal["type"] = column.type
    yield f"    - {_scalar({**signal, **draft.values.of_signal(column)})}"


def _one_or_list(texts: tuple[str, ...]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else [*texts]


def signal_names(columns: tuple[Column, ...]) -> dict[str, str]:
    """Each field's name in the tables: its own, unless another one's column would be called alike."""
    fields, taken, names = {column.name for column in columns}, {*TAKEN}, {}
    for column in columns:
        name, number = column.name, 2
        while gold_column(name).casefold() in taken or (name != column.name and name in fields):
            name, number = f"{column.name}_{number}", number + 1
        taken.add(gold_column(name).casefold())
        names[column.name] = name
    return names


def _guessed(guess: Guess[Any], field: str, value: object, indent: str = "  ") -> Iterator[str]:
    yield from _seen(guess, indent)
    yield f"{indent}{field}: {_scalar(value)}"


def _seen(guess: Guess[Any], indent: str) -> Iterator[str]:
    mark = "" if guess.sure else "UNSURE: "
    others = "" if guess.sure or not guess.others else f"; or {', '.join(map(shown, guess.others[:4]))}"
    yield from _comment(f"{mark}{guess.saw}{others}", indent)


def shown(value: object) -> str:
    """A value of a guess as a person reads it."""
    if isinstance(value, timedelta):
        return written(value)
    if value is None or value == ():
        return "none"
    if isinstance(value, NumberForm):
        parts = f", {value.thousands!r} between thousands" if value.thousands else ""
        return f"{value.decimal!r} before the fraction{parts}"
    if isinstance(value, tuple):
        return ", ".join(f"{text} in {name}" for name, text in value)
    name = getattr(value, "name", None)
    if isinstance(name, str):
        return name
    return repr(value) if isinstance(value, str) and not re.search(r"\w", value) else str(value)


def _comment(text: str, indent: str = "") -> Iterator[str]:
    for line in wrap(visible(text), WIDTH - len(indent) - 2, break_on_hyphens=False):
        yield f"{indent}# {line}"


def _scalar(value: object) -> str:
    """A value in YAML's flow style, on one line, quoted where it must be, with nothing that acts in it."""
    text = _dumped(value, escaped=False)
    if visible(text) != text:  # PyYAML takes some ends of lines for blanks, unless they are escaped
        text = _dumped(value, escaped=True)
    return text


def _dumped(value: object, escaped: bool) -> str:
    text = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=not escaped, width=float("inf"), sort_keys=False
    )
    return str(text).removesuffix("\n").removesuffix("\n...")


def _listed(values: list[str]) -> str:
    return _scalar(values)
