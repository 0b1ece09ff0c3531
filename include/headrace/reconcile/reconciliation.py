"""Reconcile: count from the source's rows to the tables', and name what does not add up.

It trusts no stored count but its own: what an earlier account has counted in balance stands sealed, as long
as the tables' logs and files show that landing alone has gone on since. Rows come from the spooled source
itself, visible records from the broker, landed and quarantined ones from the tables. What `batches` says is
compared with these counts, never used for them.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from headrace.contract.model import Contract
from headrace.errors import NotReconciled, WarehouseError
from headrace.kafka.topics import describe_topic, log_start
from headrace.offsets import OffsetRange, reached, subtract
from headrace.publish.publications import Publication, read_publications
from headrace.reconcile.ledger import Entry, SourceAccount, append_entry
from headrace.reconcile.run_slice import account_for_slice
from headrace.reconcile.seal import Seal, SealedSource, read_seal, write_seal
from headrace.reconcile.snapshot import Snapshot, take_snapshot
from headrace.reconcile.sources import account_for_source, is_accounted, notes_on, sources_of
from headrace.reconcile.standing import Standing, count_all, stand_on
from headrace.reconcile.table_log import Unsealed
from headrace.settings import Settings
from headrace.tables.batches import Batch, position_at, read_batches
from headrace.tables.losses import read_losses, read_rewinds
from headrace.tables.names import BATCHES
from headrace.tables.put_back import require_none_put_back
from headrace.tables.slices import Slice, find_slice, new_slice
from headrace.tables.warehouse import Warehouse

AUDIT = "an audit counts everything"


def reconcile(contract: Contract, settings: Settings, config: dict[str, Any], run_id: str) -> Entry:
    """Account for the run's slice and every publication of the stream; keep the account in the ledger.

    What has come into the tables since the last account is counted, and everything where they show more than
    that. An account in balance is sealed.

    Raises:
        NotReconciled: records are lost, doubled or miscounted; the message names them.
        WarehouseError: the run has no slice.
        TablesApart: publications or ledger were restored to an earlier version.
        SourceError: the spool of a source cannot be read.
    """
    warehouse = Warehouse.of(settings, contract.stream)
    run_slice = find_slice(warehouse, run_id)
    if run_slice is None:
        raise WarehouseError(f"run {run_id!r} has no slice: `land` has not run; clear and run `land` first")
    try:
        seal: Seal | str = read_seal(warehouse)
    except Unsealed as unusable:
        seal = str(unusable)
    return _Reconciliation(contract, settings, config, seal).settle(lambda _: run_slice)


def audit(contract: Contract, settings: Settings, config: dict[str, Any], run_id: str) -> Entry:
    """Count everything again: the sources' rows, the tables', and what the topic still holds; seal it anew.

    Landing may go on meanwhile: the audit is of the batches that are closed when it begins.

    Raises:
        NotReconciled: as `reconcile`.
        WarehouseError: nothing has been landed yet.
        SourceError: as `reconcile`.
    """

    def landed_so_far(snapshot: Snapshot) -> Slice:
        topic = contract.topic.name
        topic_id = describe_topic(config, topic).topic_id
        landed = position_at(warehouse, topic_id, snapshot.closing)
        starts = log_start(config, topic)
        until = {each: end for each, end in landed.items() if each in starts}
        return new_slice(run_id, topic, topic_id, starts, until)

    warehouse = Warehouse.of(settings, contract.stream)
    return _Reconciliation(contract, settings, config, AUDIT).settle(landed_so_far)


class _Reconciliation:
    """One account, of the tables as they are when it begins: on a seal, or why on none."""

    def __init__(
        self, contract: Contract, settings: Settings, config: dict[str, Any], seal: Seal | str
    ) -> None:
        self.contract, self.settings, self.config = contract, settings, config
        self.warehouse = Warehouse.of(settings, contract.stream)
        require_none_put_back(self.warehouse)
        self.seal = seal
        self.snapshot = take_snapshot(self.warehouse)
        # Read after the tables: a publication is noted before its first record, so none of them is unknown.
        self.publications = read_publications(self.warehouse)
        every = read_rewinds(self.warehouse)
        self.rewinds = tuple(each for each in every if each.batch <= self.snapshot.newest)

    def settle(self, slice_of: Callable[[Snapshot], Slice]) -> Entry:
        """Count, keep the account, and seal it; raises as `reconcile`."""
        run_slice = slice_of(self.snapshot)
        before = {} if isinstance(self.seal, str) else self.seal.sources
        spool = self.settings.spool_path
        sources = sources_of(self.publications, self.contract.own_source, spool, before)
        standing = self._stand(sources, before)
        lost = self._losses(run_slice.topic_id) if run_slice.ranges else []
        entry = Entry(
            run_id=run_slice.run_id,
            finished=datetime.now(UTC),
            topic=run_slice.topic,
            topic_id=run_slice.topic_id,
            slice=account_for_slice(run_slice, self.config, standing.account, lost, self._closed),
            sources=tuple(self._accounts(sources, standing)),
            batch_problems=(*self._check_batches(standing), *standing.account.unreadable),
            counted=standing.counted,
            notes=tuple(notes_on(self.publications, sources, standing.account)),
        )
        append_entry(self.warehouse, entry)
        if not entry.balanced:
            raise NotReconciled(_message(self.contract.stream, entry))
        self._renew_seal(sources, standing)
        return entry

    def _stand(self, sources: dict[str, SealedSource], before: dict[str, SealedSource]) -> Standing:
        reason = self.seal
        if isinstance(reason, Seal):
            try:
                return stand_on(self.warehouse, self.snapshot, sources, self.rewinds, reason)
            except Unsealed as shown:
                reason = str(shown)
        return count_all(self.warehouse, self.snapshot, sources, self.rewinds, before, reason=reason)

    def _accounts(self, sources: dict[str, SealedSource], standing: Standing) -> Iterator[SourceAccount]:
        if self.contract.own_source is None:
            return
        for each in filter(is_accounted, self.publications):
            source = sources[each.publication]
            marks = standing.account.rows.get(each.publication)
            span = source.span
            whole = marks is not None and marks.all.met.count(span.start, span.stop) == len(span)
            pending = each.state == "publishing" or not (whole or self._is_landed(each))
            loss = 0 if whole else self._lost_of(each)
            yield account_for_source(each, source, standing.account, pending, loss)

    def _is_landed(self, publication: Publication) -> bool:
        return reached(self._position(publication.topic_id), publication.until)

    def _position(self, topic_id: str) -> dict[int, int]:
        return position_at(self.warehouse, topic_id, self.snapshot.closing)

    def _lost_of(self, publication: Publication) -> int:
        """How many of the offsets that a publication can have got were accepted as lost.

        They lie behind those that were published into the topic before it, and before its own end.
        """
        begins: dict[int, int] = {}
        for each in self.publications:
            if each.topic_id == publication.topic_id and each.started < publication.started:
                begins |= {place: max(begins.get(place, 0), end) for place, end in each.until.items()}
        own = tuple(
            OffsetRange(partition=place, start=begins.get(place, 0), until=max(end, begins.get(place, 0)))
            for place, end in (publication.until or self._position(publication.topic_id)).items()
        )
        lost = self._losses(publication.topic_id)
        return sum(map(len, own)) - sum(map(len, subtract(own, lost)))

    def _losses(self, topic_id: str) -> list[OffsetRange]:
        return read_losses(self.warehouse, topic_id, self.snapshot.newest)

    def _closed(self) -> list[Batch]:
        return [row for row in read_batches(self.warehouse) if row.batch <= self.snapshot.newest]

    def _check_batches(self, standing: Standing) -> Iterator[str]:
        seal, now = standing.seal, self.snapshot
        if seal and not standing.counted.new and _batches_of(seal) == _batches_of(now):
            return  # the same rows as when they were compared with the same counts
        from headrace.reconcile.batch_counts import check_batches  # it imports polars

        yield from check_batches(self.warehouse, standing.account, now.newest)

    def _renew_seal(self, sources: dict[str, SealedSource], standing: Standing) -> None:
        seal, now = standing.seal, self.snapshot
        kept = seal and (seal.newest, seal.tables, seal.sources) == (now.newest, now.tables, sources)
        if standing.account.is_whole and not kept:
            write_seal(self.warehouse, Seal(now.newest, now.tables, sources, standing.account))


def _batches_of(of: Seal | Snapshot) -> tuple[int, Any]:
    return of.newest, of.tables.get(BATCHES)


def _message(stream: str, entry: Entry) -> str:
    return "\n".join(
        [
            f"stream {stream}, run {entry.run_id!r}: not everything is accounted for:",
            *(f"  {problem}" for problem in entry.problems),
            "Counted:",
            *(f"  {line}" for line in entry.lines()),
            f"Were the tables changed by hand? `headrace restore {stream}` brings back what they held.",
        ]
    )
