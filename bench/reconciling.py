"""What an account costs: of new records on a seal, of nothing new, and of everything."""

import hashlib
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from bench.contenders.start import headrace_reconcile
from bench.growth import fill
from bench.process import Cost, cost_of
from bench.stream import broker, full_stream, give_key
from headrace.contract.loader import WrittenContract
from headrace.driver.protocol import Job
from headrace.errors import RunFailed
from headrace.land.landing import Landing
from headrace.land.worker import land_in_worker
from headrace.publish.publications import Publication, change_publications
from headrace.reconcile.ledger import Counted, read_ledger
from headrace.reconcile.seal import seal_file
from headrace.tables.attempt import Attempt
from headrace.tables.creation import create_tables
from headrace.tables.slices import Slice, fix_slice, new_slice
from headrace.tables.warehouse import Warehouse
from testbed.streams import Stream

BATCH = 250_000
PUBLICATION = "0123456789abcdef0123"
"""That of the records in topic and tables."""


@dataclass(frozen=True)
class Reconciled:
    """The accounts of one kind: how many records each counted, over how many that stood sealed."""

    name: str
    counted: int
    sealed: int
    runs: tuple[Cost, ...]

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Reconciled":
        """From a file of results."""
        return cls(**{**record, "runs": tuple(Cost(**run) for run in record["runs"])})

    def cells(self) -> list[str]:
        """For a table: what was counted, then seconds, processor seconds and memory in the median."""
        seconds, cpu = (
            f"{median(each):.1f} s ({min(each):.1f})"
            for each in ([run.seconds for run in self.runs], [run.cpu for run in self.runs])
        )
        memory = max(run.memory for run in self.runs)
        return [self.name, f"{self.counted:,}", f"{self.sealed:,}", seconds, cpu, f"{memory >> 20:,} MB"]


def reconcile_all(folder: Path, held: int, new: int, runs: int, console: Console) -> list[Reconciled]:
    """Seal a table of `held` rows, land `new` records, and account for them; each in a process of its own.

    Raises:
        RunFailed: an account was not in balance, or has counted another number of records.
    """
    with broker(folder) as config:
        console.print(f"filling a topic with {new:,} records")
        stream = full_stream(folder, config, new, BATCH, first=held)
        root = folder / "warehouse"
        warehouse = Warehouse(root, stream.contract.stream)
        run_slice = stream.slice_to_end()
        whole = new_slice("new", run_slice.topic, run_slice.topic_id, {}, run_slice.until)
        nothing = new_slice("nothing", run_slice.topic, run_slice.topic_id, run_slice.until, run_slice.until)
        _publish(warehouse, whole, held + new)
        give_key(warehouse)
        attempt = Attempt(stream.contract, warehouse, "new")
        create_tables(warehouse)
        fill(attempt, stream.topic_id, held)
        sealing = _account(stream, root, "everything, the source too", nothing, (held, 0))
        kept = shutil.copy2(seal_file(warehouse), folder / "seal")
        land_in_worker(Landing(attempt, whole, stream.config), dict(whole.start))
        on_a_seal, idle = [], []
        for _ in range(runs):
            shutil.copy2(kept, seal_file(warehouse))
            on_a_seal.append(_account(stream, root, "new records on a seal", whole, (new, held)))
            idle.append(_account(stream, root, "nothing new", nothing, (0, held + new)))
        audited = _account(stream, root, "everything by an audit, the topic too", None, (held + new, 0))
    found = [_together(each) for each in (on_a_seal, idle, [audited], [sealing])]
    for each in found:
        console.print("; ".join(each.cells()))
    return found


def _publish(warehouse: Warehouse, whole: Slice, rows: int) -> None:
    """What `publish` leaves behind: the publication, and its source in the spool, with one field a row."""
    spool = warehouse.root / "home" / "spool"
    spool.mkdir(parents=True)
    scratch = spool / "source"
    with scratch.open("w", encoding="utf-8") as source:
        source.write("field\n")
        for _ in range(rows // BATCH):
            source.write("1\n" * BATCH)
        source.write("1\n" * (rows % BATCH))
    with scratch.open("rb") as source:
        sha256 = hashlib.file_digest(source, "sha256").hexdigest()
    scratch.rename(spool / sha256)
    now = datetime.now(UTC)
    publication = Publication(
        publication=PUBLICATION,
        source="bench",
        sha256=sha256,
        rows=rows,
        topic=whole.topic,
        topic_id=whole.topic_id,
        run_id=whole.run_id,
        state="published",
        started=now,
        finished=now,
        until=whole.until,
    )
    change_publications(warehouse, lambda _: [publication])


def _account(
    stream: Stream, root: Path, name: str, of: Slice | None, expected: tuple[int, int]
) -> Reconciled:
    """One account and what it cost; `expected`: records counted, and records that stood sealed."""
    warehouse = Warehouse(root, stream.contract.stream)
    run_id = of.run_id if of else "audit"
    if of:
        fix_slice(warehouse, of)
    job = Job(
        contract=WrittenContract.of(stream.file), run_id=run_id, warehouse=root, kafka=stream.config, slice=of
    )
    cost = cost_of(lambda: headrace_reconcile(job), lambda _: None)
    counted = read_ledger(warehouse)[-1].counted or Counted(
        new=0, sealed=0, version=None, sources=0, reason=None
    )
    if (counted.new, counted.sealed) != expected:
        raise RunFailed(f"{name}: {counted}; expected {expected}")
    return Reconciled(name, counted.new, counted.sealed, (cost,))


def _together(same: list[Reconciled]) -> Reconciled:
    first = same[0]
    return Reconciled(
        first.name, first.counted, first.sealed, tuple(run for each in same for run in each.runs)
    )


def as_records(found: list[Reconciled]) -> list[dict[str, Any]]:
    """For a file of results."""
    return [asdict(each) for each in found]
