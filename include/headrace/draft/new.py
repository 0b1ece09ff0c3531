"""`headrace new`: a sample looked at, drafted, written as a contract, and tried with it."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headrace.contract.loader import load_contract
from headrace.contract.new_file import require_new, write_new
from headrace.draft.drafting import Draft, draft_of
from headrace.draft.guess import Settle
from headrace.draft.parquet import write_head
from headrace.draft.pieces import read_pieces
from headrace.draft.sample import read_file, read_files, read_records
from headrace.draft.topic import topic_records
from headrace.draft.writing import Origin, contract_text
from headrace.errors import HeadraceError, SourceError
from headrace.kafka.topics import describe_topic
from headrace.publish.sources.listing import listed, split_pattern
from headrace.publish.sources.rows import check_columns, source_rows
from headrace.sample.account import Trial
from headrace.sample.try_sample import try_sample
from headrace.settings import PROJECT, Settings
from headrace.tables.gold_columns import column_comments

SHOWN = 3
"""Readings and refusals of the trial that are kept whole."""

OTHERS = 5
"""Other files of a folder that do not fit and are named."""


@dataclass(frozen=True)
class Drafted:
    """A contract that was written; `trial` is what landing would make of the sample, or `refusal` why not."""

    file: Path
    draft: Draft
    trial: Trial | None
    refusal: str | None
    remains: tuple[str, ...]
    misfits: tuple[str, ...] = ()

    @property
    def read_whole(self) -> bool:
        """Whether every record of the sample becomes a reading, and no other file is of another kind."""
        return self.trial is not None and not self.trial.refused and not self.misfits


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
    require_new(wish.output, "--stream or --output")
    draft = draft_of(read_file(sample, wish.settle), wish.settle, wish.timezone)
    path, outside = _path_in_contract(sample, settings)
    return _written(draft, wish, Origin(sample.name, path), sample, outside)


def new_of_files(pattern: Path, wish: Wish, settings: Settings) -> Drafted:
    """Draft the contract of several files, by the last of them and rows of others; all columns are checked.

    Raises:
        SourceError: it has no file; and as `new_of_file`.
        SettingsError: there is a contract already.
    """
    require_new(wish.output, "--stream or --output")
    try:
        files = [each.path for each in listed(*split_pattern(pattern.absolute()))]
    except ValueError as wrong:  # such as ** within a name
        raise SourceError(f"{pattern}: {wrong}; give a folder, or a pattern such as in/*.csv") from wrong
    if not files:
        raise SourceError(f"{pattern}: no file is there; give a folder that has one, or a pattern of names")
    sample = PROJECT / files[-1]
    draft = draft_of(read_files([PROJECT / each for each in files], wish.settle), wish.settle, wish.timezone)
    path, outside = _path_in_contract(pattern, settings)
    origin = Origin(pattern.name, path)
    drafted = _written(draft, wish, origin, sample, outside)
    misfits = tuple(_misfits(wish.output, files[:-1]))
    return replace(drafted, misfits=misfits, remains=(*drafted.remains, *misfits))


def _misfits(contract: Path, files: list[Path]) -> list[str]:
    """Which of the other files have not the columns of the contract."""
    drafted, wrong = load_contract(contract), []
    assert drafted.own_source  # noqa: S101  # it was drafted of files
    for path in files:
        source = drafted.own_source.model_copy(update={"path": path})
        try:
            with source.file.open("rb") as opened:
                check_columns(source_rows(opened, source), drafted)
        except OSError as failed:
            wrong.append(f"{path}: cannot be read: {failed.strerror}")
        except SourceError as fault:
            wrong.append(str(fault.args[0]))
    more = [f"… and {len(wrong) - OTHERS:,} files more"] if len(wrong) > OTHERS else []
    return [*wrong[:OTHERS], *more]


def new_of_topic(topic: str, wish: Wish, config: dict[str, Any]) -> Drafted:
    """Draft the contract of a topic that somebody else feeds.

    Raises:
        SourceError: it holds no records, or none with a time.
        SettingsError: there is a contract already, or the broker refuses the log-in.
        TopicMissing, BrokerUnreachable: it cannot be read.
    """
    require_new(wish.output, "--stream or --output")
    state = describe_topic(config, topic)
    records = topic_records(config, topic)
    draft = draft_of(read_records(records, f"topic {topic}"), wish.settle, wish.timezone)
    origin = Origin(f"topic {topic}", None, topic, state.partitions, state.replication)
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as sample:
        sample.writelines(value.replace(b"\n", b" ") + b"\n" for value in records.values)
        sample.flush()
        return _written(draft, wish, origin, Path(sample.name), [])


def _written(draft: Draft, wish: Wish, origin: Origin, sample: Path, remains: list[str]) -> Drafted:
    """Check the contract as it will be read, write it, and try it."""
    schema = (wish.output.parent / "contract.schema.json").is_file()
    text = contract_text(draft, wish.stream, origin, schema)
    write_new(wish.output, text, check=column_comments)
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
    if draft.sample.kind == "parquet":
        with tempfile.TemporaryDirectory() as scratch:
            write_head(sample, Path(scratch) / "head.parquet")
            return try_sample(contract, Path(scratch) / "head.parquet", SHOWN)
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
