"""`headrace new`: a sample looked at, drafted, written as a contract, and tried with it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.contract.loader import load_contract
from headrace.draft.drafting import Draft, draft_of
from headrace.draft.guess import Settle
from headrace.draft.pieces import read_pieces
from headrace.draft.sample import read_file, read_records
from headrace.draft.topic import topic_records
from headrace.draft.writing import Origin, contract_text
from headrace.errors import HeadraceError, SettingsError
from headrace.kafka.topics import describe_topic
from headrace.sample.account import Trial
from headrace.sample.try_sample import try_sample
from headrace.settings import PROJECT, Settings
from headrace.tables.gold_columns import column_comments

SHOWN = 3
"""Readings and refusals of the trial that are kept whole."""


@dataclass(frozen=True)
class Drafted:
    """A contract that was written; `trial` is what landing would make of the sample, or `refusal` why not."""

    file: Path
    draft: Draft
    trial: Trial | None
    refusal: str | None
    remains: tuple[str, ...]

    @property
    def read_whole(self) -> bool:
        """Whether every record of the sample becomes a reading."""
        return self.trial is not None and not self.trial.refused


@dataclass(frozen=True)
class Wish:
    """What is to be drafted: the stream's id, the contract's file, who settles what is not sure."""

    stream: str
    output: Path
    settle: Settle[Any]
    timezone: str | None = None


def new_of_file(sample: Path, wish: Wish, settings: Settings) -> Drafted:
    """Draft the contract of a file.

    Raises:
        SourceError: the file cannot be read, or none of its columns is a time.
        SettingsError: there is a contract already.
    """
    _require_new(wish.output)
    draft = draft_of(read_file(sample, wish.settle), wish.settle, wish.timezone)
    path, outside = _path_in_contract(sample, settings)
    return _written(draft, wish, Origin(sample.name, path), sample, outside)


def new_of_topic(topic: str, wish: Wish, config: dict[str, Any]) -> Drafted:
    """Draft the contract of a topic that somebody else feeds.

    Raises:
        SourceError: it holds no records, or none with a time.
        SettingsError: there is a contract already, or the broker refuses the log-in.
        TopicMissing, BrokerUnreachable: it cannot be read.
    """
    _require_new(wish.output)
    state = describe_topic(config, topic)
    records = topic_records(config, topic)
    draft = draft_of(read_records(records, f"topic {topic}"), wish.settle, wish.timezone)
    origin = Origin(f"topic {topic}", None, topic, state.partitions, state.replication)
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as sample:
        sample.writelines(value.replace(b"\n", b" ") + b"\n" for value in records.values)
        sample.flush()
        return _written(draft, wish, origin, Path(sample.name), [])


def _require_new(output: Path) -> None:
    if output.exists():
        raise SettingsError(
            f"{output}: is there and is not overwritten; remove it, or say another --stream or --output"
        )
    if not output.parent.is_dir():
        raise SettingsError(f"{output.parent}: no such folder; make it, or say another --output")


def _written(draft: Draft, wish: Wish, origin: Origin, sample: Path, remains: list[str]) -> Drafted:
    """Check the contract as it will be read, write it, and try it."""
    schema = (wish.output.parent / "contract.schema.json").is_file()
    text = contract_text(draft, wish.stream, origin, schema)
    with tempfile.TemporaryDirectory() as scratch:
        checked = Path(scratch) / f"{wish.stream}.yaml"
        checked.write_text(text, encoding="utf-8")
        column_comments(load_contract(checked))
    with wish.output.open("x", encoding="utf-8") as writing:
        writing.write(text)
    corrections = [f"{name}: {draft.guesses[name].saw}" for name in draft.unsure]
    try:
        trial, refusal = _tried(draft, wish.output, sample), None
    except HeadraceError as wrong:
        trial, refusal = None, str(wrong)
    return Drafted(wish.output, draft, trial, refusal, (*corrections, *remains))


def _tried(draft: Draft, contract: Path, sample: Path) -> Trial:
    """What landing would make of the sample; of one that was not read whole, of its head."""
    if draft.sample.look.whole or draft.sample.kind == "external":
        return try_sample(contract, sample, SHOWN)
    with tempfile.NamedTemporaryFile(suffix=".txt") as head:  # a name of a compressed file would be one
        head.write(read_pieces(sample).head)
        head.flush()
        return try_sample(contract, Path(head.name), SHOWN)


def _path_in_contract(sample: Path, settings: Settings) -> tuple[Path, list[str]]:
    """The path that the contract names, and what must be done for it to be read."""
    file = sample.resolve()
    path = file.relative_to(PROJECT) if file.is_relative_to(PROJECT) else file
    roots = settings.source_root_paths
    if any(map(file.is_relative_to, roots)):
        return path, []
    listed = ":".join(map(str, (*roots, file.parent)))
    remedy = f"correct source.path, or start the stack with HEADRACE_SOURCE_ROOTS={listed}"
    return path, [
        f"sources are read from {', '.join(map(str, roots))} only: move {file.name} there and {remedy}"
    ]
