"""What the commits of a table say that was landed into, read one by one from its log."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pydantic import ValidationError

from headrace.tables.commits import BatchCommit, actions, application_id, log_file

Listed = tuple[int, int]
"""A file's size and time (ms), as a commit has them."""


class Unsealed(ValueError):
    """The seal does not stand for the tables as they are: all is counted again. The message says why."""


@dataclass
class Change:
    """What one commit does: the files that it adds and removes, and what it says of itself."""

    version: int
    added: dict[str, Listed] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    changes_rows: bool = False
    other: bool = False
    batch: int | None = None
    metadata: str = ""
    operation: str = "nothing known"

    @property
    def is_landing(self) -> bool:
        """Whether it is a batch's commit: files added, none removed, by landing's own number and metadata."""
        try:
            landed = BatchCommit.model_validate_json(self.metadata)
        except ValidationError:
            return False
        return landed.batch == self.batch and not self.removed

    @property
    def rearranges(self) -> bool:
        """Whether it claims to change no row: the same rows in other files."""
        return bool(self.removed) and not self.changes_rows


def landed_batch(path: Path, stream: str, version: int) -> int | None:
    """The batch whose commit that version is, if it is a batch's."""
    try:
        change = read_change(path, stream, version)
    except Unsealed:
        return None
    return change.batch


def read_change(path: Path, stream: str, version: int) -> Change:
    """The commit of that version.

    Raises:
        Unsealed: the log no longer holds it, or it cannot be read.
    """
    change = Change(version)
    try:
        for kind, action in actions(log_file(path, version)):
            _note(change, stream, kind, action)
    except FileNotFoundError as gone:
        raise Unsealed(f"{path.name}: the log no longer holds version {version}") from gone
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as damaged:
        raise Unsealed(f"{path.name}: version {version} of the log cannot be read: {damaged}") from damaged
    return change


def _note(change: Change, stream: str, kind: str, action: dict[str, Any]) -> None:
    match kind:
        case "add":
            change.added[unquote(action["path"])] = (action["size"], action["modificationTime"])
            change.changes_rows |= action["dataChange"]
            change.other |= bool(action.get("deletionVector"))
        case "remove":
            change.removed.add(unquote(action["path"]))
            change.changes_rows |= action["dataChange"]
        case "txn":
            if action["appId"] == application_id(stream):
                change.batch = action["version"]
        case "commitInfo":
            change.metadata = action.get("userMetadata") or ""
            change.operation = str(action.get("operation"))
        case _:  # the protocol, the schema, what this version does not know
            change.other = True
