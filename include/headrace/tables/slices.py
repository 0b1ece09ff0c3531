"""Slices: what one run has to land, fixed before it lands and kept under its run id."""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from headrace.errors import WarehouseError
from headrace.files import write_whole
from headrace.offsets import Ranges, between
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
    warehouse.prepare()
    warehouse.slices.mkdir(exist_ok=True)
    file = _file(warehouse, candidate.run_id)
    offer = file.with_name(f".{file.name}.{os.getpid()}.offer")
    write_whole(offer, candidate.model_dump_json())
    try:
        os.link(offer, file)  # fails where the file exists: the first try's slice is never replaced
    except FileExistsError:
        pass
    finally:
        offer.unlink()
    kept = find_slice(warehouse, candidate.run_id)
    if kept is None:
        raise WarehouseError(f"{file}: vanished while it was written; run the task again")
    return kept


def find_slice(warehouse: Warehouse, run_id: str) -> Slice | None:
    """The slice of that run, if it has been fixed.

    Raises:
        WarehouseError: the file is broken.
    """
    file = _file(warehouse, run_id)
    if not file.exists():
        return None
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


def _file(warehouse: Warehouse, run_id: str) -> Path:
    # A run id is free text of whoever triggered the run: it must not become part of a path.
    return warehouse.slices / f"{hashlib.sha256(run_id.encode()).hexdigest()}.json"
