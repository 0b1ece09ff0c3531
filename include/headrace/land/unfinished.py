"""The batch that is being landed, noted beside the tables: the next process knows where one has ended.

A note that stays was left by a process that was killed or ran out of memory, or by an error that nobody
knows: the records may be the reason. An error of Headrace says its reason itself and leaves no note.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from confluent_kafka import KafkaException
from pydantic import BaseModel, ConfigDict, ValidationError

from headrace.errors import HeadraceError, WarehouseUnavailable
from headrace.files import write_whole
from headrace.offsets import Position, Ranges, subtract
from headrace.tables.warehouse import Warehouse

NOT_THE_RECORDS = (HeadraceError, OSError, KafkaException)
"""Errors that say their reason: the disk's, the broker's, or one that is known."""

KILLED = "it ended without a word (killed, or out of memory?)"


class Unfinished(BaseModel):
    """The offsets that a process was landing; `tries`: how many have ended within them, one in the other."""

    model_config = ConfigDict(frozen=True)

    topic_id: str
    ranges: Ranges
    tries: int = 1
    cause: str = KILLED

    @property
    def offsets(self) -> int:
        """How many offsets it has."""
        return sum(map(len, self.ranges))


@contextmanager
def noted(warehouse: Warehouse, topic_id: str, ranges: Ranges, before: Unfinished | None) -> Iterator[None]:
    """Note the batch while it is landed; `before`: where an earlier process has ended, if one has.

    Raises:
        WarehouseUnavailable: the note cannot be written just now.
    """
    within = before is not None and not subtract(ranges, before.ranges)
    note = Unfinished(topic_id=topic_id, ranges=ranges, tries=before.tries + 1 if before and within else 1)
    _write(warehouse, note)
    try:
        yield
    except NOT_THE_RECORDS:
        forget(warehouse)
        raise
    except Exception as failed:
        said = (str(failed).strip().splitlines() or [""])[0]
        with suppress(WarehouseUnavailable):  # the note is there all the same, without the cause
            _write(warehouse, note.model_copy(update={"cause": f"{type(failed).__name__}: {said[:300]}"}))
        raise
    forget(warehouse)


def left_behind(warehouse: Warehouse, topic_id: str, stands: Position) -> Unfinished | None:
    """What a process has left that ended before its batch was landed; None where landing has gone past it."""
    try:
        note = Unfinished.model_validate_json(_file(warehouse).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError, UnicodeDecodeError):
        return None
    begins = {each.partition: each.start for each in note.ranges}
    here = note.topic_id == topic_id and all(
        stands.get(partition, 0) == start for partition, start in begins.items()
    )
    return note if here else None


def count_anew(warehouse: Warehouse, note: Unfinished) -> None:
    """Have the next process try these offsets once more: what they could not bear may be other by then."""
    _write(warehouse, note.model_copy(update={"tries": 1}))


def forget(warehouse: Warehouse) -> None:
    """The batch is landed, or it is known why not."""
    _file(warehouse).unlink(missing_ok=True)


def _write(warehouse: Warehouse, note: Unfinished) -> None:
    file = _file(warehouse)
    try:
        write_whole(file, note.model_dump_json())
    except OSError as failed:
        raise WarehouseUnavailable(
            f"{file}: cannot be written: {failed.strerror}; free space or permit writing"
        ) from failed


def _file(warehouse: Warehouse) -> Path:
    return warehouse.folder / "_landing.json"
