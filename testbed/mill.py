"""A stream, published and landed batch by batch without a broker: no run has a slice to read."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from headrace.contract.model import Contract
from headrace.publish.publications import Publication, change_publications
from headrace.reconcile.ledger import Entry
from headrace.reconcile.reconciliation import reconcile
from headrace.settings import Settings
from headrace.tables.attempt import Attempt
from headrace.tables.creation import create_tables
from headrace.tables.slices import fix_slice, new_slice
from headrace.tables.warehouse import Warehouse
from testbed.batch_rows import MIDNIGHT
from testbed.landed_batches import land_sent
from testbed.parse_cases import TOPIC_ID, Sent, contract

ROWS = 30
"""Rows of the source; every tenth is no reading."""
RUN = "a run"
PUBLICATION = "0123456789abcdef0123"


@dataclass
class Mill:
    """A stream's warehouse, its spool and what tests do with both."""

    folder: Path
    contract: Contract
    sha256: str

    @property
    def settings(self) -> Settings:
        return Settings(warehouse=self.folder / "a warehouse", home=self.folder / "home")

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse.of(self.settings, self.contract.stream)

    @property
    def spool(self) -> Path:
        """The copy of what was published."""
        return self.settings.spool_path / self.sha256

    def sent(self, *rows: int) -> list[Sent]:
        """The records of those rows of the source."""
        return [
            Sent(
                b"{" if row % 10 == 0 else b'{"time": "01 01 2018 00:10"}',
                [("headrace-publication", PUBLICATION.encode()), ("headrace-row", str(row).encode())],
            )
            for row in rows
        ]

    def attempt(self) -> Attempt:
        return Attempt(self.contract, self.warehouse, RUN)

    def land(self, batch: int, *rows: int) -> None:
        """Land those rows as the batch of that number; a row's offset is its number less one."""
        land_sent(self.attempt(), batch, rows[0] - 1, self.sent(*rows))

    def reconcile(self) -> Entry:
        """What a run does that has nothing to land: no broker is asked."""
        return reconcile(self.contract, self.settings, {}, RUN)


def make_mill(folder: Path) -> Mill:
    """Its source is published; the first twenty rows are landed, in two batches."""
    source = folder / "mill.csv"
    source.write_text("time,p\n" + "01 01 2018 00:10,1\n" * ROWS, encoding="utf-8")
    own = contract(stream="mill", source={"kind": "csv", "path": str(source)})
    made = Mill(folder, own, hashlib.sha256(source.read_bytes()).hexdigest())
    made.spool.parent.mkdir(parents=True)
    made.spool.write_bytes(source.read_bytes())
    publication = Publication(
        publication=PUBLICATION,
        source=str(source),
        sha256=made.sha256,
        rows=ROWS,
        topic="readings",
        topic_id=TOPIC_ID,
        run_id=RUN,
        state="published",
        started=MIDNIGHT,
        finished=MIDNIGHT,
        until={0: ROWS},
    )
    change_publications(made.warehouse, lambda _: [publication])
    create_tables(made.warehouse)
    fix_slice(made.warehouse, new_slice(RUN, "readings", TOPIC_ID, {}, {}))
    made.land(0, *range(1, 11))
    made.land(1, *range(11, 21))
    return made
