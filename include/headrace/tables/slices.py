"""Slices: what one run has to land, fixed before it lands and kept under its run id."""

import hashlib
import os
from datetime import UTC, datetime
from functools import partial
from itertools import count, takewhile
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from headrace.errors import WarehouseError
from headrace.files import write_whole
from headrace.offsets import Position, Ranges, between
from headrace.tables.warehouse import Warehouse


class Slice(BaseModel):
    """The offsets [start, until) of each partition that one run accounts for."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    topic: str
    topic_id: str
    start: dict[int, int]
    until: dict[int, int]
    fixed_at: datetime

    @property
    def ranges(self) -> Ranges:
        """The slice as ranges."""
        return between(self.start, self.until)


def fix_slice(warehouse: Warehouse, candidate: Slice) -> Slice:
    """Keep the slice of a run; if the run has one already, that one holds.

    Returns:
        The slice that holds from now on, for retries and cleared runs alike.
    """
    _offer(warehouse, candidate, _file(warehouse, candidate.run_id))
    return _kept(warehouse, candidate.run_id)


def extend_slice(warehouse: Warehouse, known: Slice, start: Position, until: Position) -> Slice:
    """The slice of a run, covering these positions too from now on; it never becomes shorter.

    A run publishes beyond its slice when it is cleared after its file has changed, or its id comes again; it
    begins earlier when landing went back to where the log was cut off.
    """
    known = fix_slice(warehouse, known)
    while (longer := _covering(known, start, until)) != known:
        number = len(_files(warehouse, known.run_id)) + 1
        candidate = longer.model_copy(update={"fixed_at": datetime.now(UTC)})
        _offer(warehouse, candidate, _file(warehouse, known.run_id, number))
        known = _kept(warehouse, known.run_id)
    return known


def _covering(known: Slice, start: Position, until: Position) -> Slice:
    ends = {each: max(known.until.get(each, 0), until.get(each, 0)) for each in {**known.until, **until}}
    starts = {each: min(at, start.get(each, at)) for each, at in known.start.items()}
    return known.model_copy(update={"start": starts, "until": ends})


def _offer(warehouse: Warehouse, candidate: Slice, file: Path) -> None:
    """Keep the candidate in that file, unless a rival has kept one there."""
    warehouse.prepare()
    warehouse.slices.mkdir(exist_ok=True)
    offer = file.with_name(f".{file.name}.{os.getpid()}.offer")
    write_whole(offer, candidate.model_dump_json())
    try:
        os.link(offer, file)  # fails where the file exists: the first try's slice is never replaced
    except FileExistsError:
        pass
    finally:
        offer.unlink()


def _kept(warehouse: Warehouse, run_id: str) -> Slice:
    kept = find_slice(warehouse, run_id)
    if kept is None:
        file = _file(warehouse, run_id)
        raise WarehouseError(f"{file}: vanished while it was written; run the task again")
    return kept


def find_slice(warehouse: Warehouse, run_id: str) -> Slice | None:
    """The slice of that run, if it has been fixed; the longest, if it was extended.

    Raises:
        WarehouseError: the file is broken.
    """
    files = _files(warehouse, run_id)
    if not files:
        return None
    file = files[-1]
    try:
        return Slice.model_validate_json(file.read_text(encoding="utf-8"))
    except ValidationError as broken:
        raise WarehouseError(f"{file}: is no slice ({broken.error_count()} faults); restore it") from broken


def new_slice(run_id: str, topic: str, topic_id: str, start: dict[int, int], until: dict[int, int]) -> Slice:
    """A slice as of now; a partition that is new starts at 0, one that ends before `start` is empty."""
    complete = {partition: min(start.get(partition, 0), end) for partition, end in until.items()}
    return Slice(
        run_id=run_id,
        topic=topic,
        topic_id=topic_id,
        start=complete,
        until=until,
        fixed_at=datetime.now(UTC),
    )


def _files(warehouse: Warehouse, run_id: str) -> list[Path]:
    """The run's first slice, and each extension of it in its order."""
    files = map(partial(_file, warehouse, run_id), count(1))
    return list(takewhile(Path.exists, files))


def _file(warehouse: Warehouse, run_id: str, extension: int = 1) -> Path:
    # A run id is free text of whoever triggered the run: it must not become part of a path.
    name = hashlib.sha256(run_id.encode()).hexdigest()
    return warehouse.slices / (f"{name}.json" if extension == 1 else f"{name}.{extension}.json")
