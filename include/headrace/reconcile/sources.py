"""The sources of a stream: how many rows each publication has, and where they are."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from headrace.contract.source import OwnSource
from headrace.publish.publications import Publication
from headrace.publish.sources.rows import count, source_rows
from headrace.reconcile.account import NO_NUMBER, Account, Marks
from headrace.reconcile.ledger import SourceAccount
from headrace.reconcile.number_set import Numbers
from headrace.reconcile.problems import named
from headrace.reconcile.seal import SealedSource


def is_accounted(publication: Publication) -> bool:
    """Whether its rows must be found; of one that a newer file replaced half-way only the slice tells."""
    return publication.state != "superseded" or publication.finished is not None


def sources_of(
    publications: Iterable[Publication],
    source: OwnSource | None,
    spool: Path,
    sealed: dict[str, SealedSource],
) -> dict[str, SealedSource]:
    """The rows of every publication, counted from its spool unless a seal has them from the same bytes.

    A spool that is gone (a home that was lost) is a known state: `publish` counted its rows, and noted them.

    Raises:
        SourceError: a spool cannot be read.
    """
    found = {}
    for publication in publications:
        kept = sealed.get(publication.publication)
        if kept and kept.proven and kept.sha256 == publication.copy_sha256:
            found[publication.publication] = kept
        elif source and is_accounted(publication):
            found[publication.publication] = _count(publication, source, spool / publication.copy_sha256)
        else:
            found[publication.publication] = _noted(publication)
    return found


def _noted(publication: Publication) -> SealedSource:
    """Its rows as `publish` counted them."""
    return SealedSource(
        sha256=publication.copy_sha256, rows=publication.rows, proven=False, first=publication.first
    )


def _count(publication: Publication, source: OwnSource, file: Path) -> SealedSource:
    noted = _noted(publication)
    if not file.exists():
        return noted.model_copy(update={"gone": True})
    with file.open("rb") as reading:
        proven = hashlib.file_digest(reading, "sha256").hexdigest() == publication.copy_sha256
    if not proven:
        return noted
    found = count(source_rows(file, publication.read_as(source)))
    rows = publication.first - 1 + found.rows
    return noted.model_copy(update={"rows": rows, "proven": True, "skipped_lines": found.skipped})


def notes_on(
    publications: Iterable[Publication], sources: dict[str, SealedSource], account: Account
) -> Iterator[str]:
    """What of the sources could not be counted again, what is no row or a copy, and what is none of them."""
    for each in publications:
        source = sources[each.publication]
        if source.skipped_lines:
            yield (
                f"{each.source} (publication {each.publication}): {source.skipped_lines:,} lines more are no "
                "rows, as its contract says: before the header, of units, comments or blank"
            )
        if source.gone:
            yield (
                f"{each.source} (publication {each.publication}): its copy in the spool is gone, so its "
                f"{len(each.own_rows):,} rows are those that `publish` counted"
            )
        if copies := account.rows.get(each.publication, Marks()).copies:
            author = "Spark, or somebody else," if each.at_least_once else "somebody"
            yield (
                f"{each.source} (publication {each.publication}): {copies:,} records more are copies of its "
                f"rows at other offsets, and in quarantine: {author} has written them again, header and all"
            )
    strangers = account.records - sum(marks.all.total for marks in account.rows.values())
    if sources and strangers:
        yield (
            f"{strangers:,} records in the tables are rows of no source: somebody else has written them, or "
            "their headers prove nothing"
        )


def account_for_source(
    publication: Publication, source: SealedSource, account: Account, pending: bool, loss: int
) -> SourceAccount:
    """Compare a source's rows with `readings` and `quarantine`; `loss` records were accepted as lost.

    A row is in `readings` once at most. A record that is in quarantine beside another one of its row is a
    copy: who may write to a topic can copy a record there, and no account could be in balance again.
    """
    marks = account.rows.get(publication.publication, Marks())
    absent = len(source.span) - marks.all.met.count(source.span.start, source.span.stop)
    accepted = min(absent, loss)
    return SourceAccount(
        publication=publication.publication,
        source=publication.source,
        rows=len(source.span),
        landed=marks.landed,
        quarantined=marks.quarantined.total - marks.copies,
        accepted_loss=accepted,
        pending=pending,
        problems=tuple(_problems(publication, source, account, 0 if pending else absent, loss)),
    )


def _problems(
    publication: Publication, source: SealedSource, account: Account, absent: int, loss: int
) -> Iterator[str]:
    name = f"{publication.source} (publication {publication.publication})"
    marks = account.rows.get(publication.publication, Marks())
    start, end = source.span.start, source.span.stop
    if not (source.proven or source.gone):
        yield f"{name}: its copy in the spool is not what was published: sha256 {source.sha256}; restore it"
    if absent and not loss:
        yield from named(
            _of(marks.all.met.absent(start, end)), lambda _, row: f"{name}: row {row} is in no table"
        )
    elif absent > loss:
        yield f"{name}: {absent} rows are in no table, but only {loss} were accepted as lost"
    yield from named(_of(marks.landed_again(start, end)), lambda _, row: _doubled(name, marks, row))
    foreign = account.foreign.get(publication.publication)
    if foreign is not None:
        yield from named(_of([foreign]), lambda _, row: _foreign(name, row, source.span))


def _of(parts: Iterable[Numbers]) -> Iterator[tuple[None, Numbers]]:
    return ((None, part) for part in parts)


def _doubled(name: str, marks: Marks, row: int) -> str:
    landed, quarantined = (int(times[0]) for times in marks.times(np.array([row])))
    return f"{name}: row {row} stands {landed} times in readings and {quarantined} times in quarantine"


def _foreign(name: str, row: int, span: range) -> str:
    number = "without a number" if row == NO_NUMBER else row
    behind = f" behind row {span.start - 1}" if span.start > 1 else ""
    return f"{name}: row {number} is in the tables, but the source has {len(span)} rows{behind}"
