"""The account of a stream's tables as they are: what is sealed and what has come since, or all counted."""

from dataclasses import dataclass

from headrace.reconcile.account import Account
from headrace.reconcile.history import Since, paths, since
from headrace.reconcile.ledger import Counted
from headrace.reconcile.seal import Seal, SealedSource
from headrace.reconcile.snapshot import Snapshot
from headrace.reconcile.table_log import Unsealed
from headrace.tables.batches import Batch
from headrace.tables.names import LANDED, READINGS
from headrace.tables.warehouse import Warehouse


@dataclass(frozen=True)
class Standing:
    """The account, and how it was come by; `seal`: the one that it stands on, if it does."""

    account: Account
    counted: Counted
    seal: Seal | None = None


def stand_on(
    warehouse: Warehouse,
    snapshot: Snapshot,
    sources: dict[str, SealedSource],
    rewinds: tuple[Batch, ...],
    seal: Seal,
) -> Standing:
    """Add to the sealed account what landing has brought since; the seal's own account is used up by it.

    Raises:
        Unsealed: the tables show anything else.
    """
    if snapshot.tables.keys() != seal.tables.keys():
        raise Unsealed("there are other tables than when it was sealed")
    _require_same_rows(sources, seal)
    if any(each.batch > seal.newest for each in rewinds):
        raise Unsealed("landing went back since to where the topic's log was cut off")
    found = {
        name: since(warehouse.table(name), warehouse.stream, seal.tables[name], snapshot.tables[name])
        for name in LANDED
        if name in snapshot.tables
    }
    for name, each in found.items():
        _require_rearranged(warehouse, name, each, sources)
    account, sealed = seal.account, seal.account.records
    account.sources = {name: source.span for name, source in sources.items()}
    account.rewinds = rewinds
    for name, each in found.items():
        account.add_files(name, paths(warehouse.table(name), each.added))
    counted = Counted(
        new=account.records - sealed,
        sealed=sealed,
        version=seal.tables[READINGS].version if READINGS in seal.tables else None,
        sources=_proven_before(sources, seal.sources),
        reason=None,
    )
    return Standing(account, counted, seal)


def count_all(
    warehouse: Warehouse,
    snapshot: Snapshot,
    sources: dict[str, SealedSource],
    rewinds: tuple[Batch, ...],
    before: dict[str, SealedSource],
    *,
    reason: str,
) -> Standing:
    """Count every row that the tables hold; `before`: sources as a seal had them."""
    account = Account({name: source.span for name, source in sources.items()}, rewinds)
    for name in LANDED:
        if name in snapshot.tables:
            account.add_files(name, paths(warehouse.table(name), snapshot.tables[name].files))
    stood = _proven_before(sources, before)
    counted = Counted(new=account.records, sealed=0, version=None, sources=stood, reason=reason)
    return Standing(account, counted)


def _proven_before(sources: dict[str, SealedSource], before: dict[str, SealedSource]) -> int:
    return sum(source.proven and before.get(name) == source for name, source in sources.items())


def _require_same_rows(sources: dict[str, SealedSource], seal: Seal) -> None:
    """A row beyond those that its source was taken to have is in no set of the seal."""
    for name, kept in seal.sources.items():
        if name not in sources or sources[name].span != kept.span:
            raise Unsealed(f"publication {name} no longer has the {kept.rows} rows that it was sealed with")


def _require_rearranged(
    warehouse: Warehouse, name: str, found: Since, sources: dict[str, SealedSource]
) -> None:
    """Whether files that were put in the place of others hold the same rows, as far as an account tells."""
    rows = {publication: source.span for publication, source in sources.items()}
    for old, new in found.rearranged:
        before, after = Account(rows), Account(rows)
        before.add_files(name, paths(warehouse.table(name), old))
        after.add_files(name, paths(warehouse.table(name), new))
        if not before.same_as(after):
            raise Unsealed(f"{name}: files were replaced by others that do not hold the same rows")
