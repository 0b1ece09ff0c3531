"""Publish: a source's rows into its topic, exactly once, resumed where the last try ended."""

import hashlib
import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Any

from confluent_kafka import OFFSET_INVALID

from headrace.contract.model import Contract
from headrace.contract.source import OwnSource
from headrace.errors import ContractError, PublicationBroken, SourceError
from headrace.kafka.headers import (
    PUBLICATION_DIGITS,
    Authors,
    Sign,
    Unproven,
    signer,
    unproven_signer,
)
from headrace.kafka.topics import describe_topic, log_end, require_topic_id
from headrace.publish.growth import goes_on_behind, line_of
from headrace.publish.lost_rows import give_up_lost_rows
from headrace.publish.publications import (
    Publication,
    change_publications,
    read_publications,
    with_begun,
    with_finished,
)
from headrace.publish.published import Published, account
from headrace.publish.resume import REPUBLISH, next_row, require_rows
from headrace.publish.source_records import Record, source_records
from headrace.publish.sources.opening import OpenSource, open_source
from headrace.publish.sources.rows import SourceRows, check_columns, check_source, count, source_rows
from headrace.publish.spool import Spooled, is_spooled, spool_source
from headrace.publish.transactions import Transactions
from headrace.settings import Settings
from headrace.tables.keys import keep_key
from headrace.tables.warehouse import Warehouse
from headrace.task_log import Report

log = logging.getLogger(__name__)

ROWS = 100_000
"""Rows of one transaction, unless they are large. Its end takes some 30 ms, in which nothing is sent."""


def publish(
    contract: Contract,
    settings: Settings,
    config: Mapping[str, Any],
    run_id: str,
    *,
    republish: bool = False,
    at_rest: bool = False,
    opened: OpenSource | None = None,
    stamp: str | None = None,
    report: Report = log.info,
) -> Published:
    """Publish the contract's source; a retry goes on where the last try ended, a repetition adds nothing.

    `at_rest`: nothing is published of a file that is written to while it is read. `opened`: its file, where
    that is not to be opened by its path. `stamp`: is kept with a new publication.

    Raises:
        SourceError, SourceMissing: the source cannot be published as it is, or is not there.
        SourceGrowing: it was to be at rest, and was written to.
        TopicMissing, TopicRecreated: the topic is not there, or not the one that this was published into.
        BrokerUnreachable, DeliveryIncomplete: the broker went away or did not take all; a retry goes on.
        PublisherFenced: a newer publisher of the same source has begun.
        PublicationBroken: how far it came cannot be told for certain.
        SpoolUnavailable, WarehouseUnavailable, SettingsError, ContractError
    """
    began = time.monotonic()
    publisher = Publisher.of(contract, settings, config, run_id, republish=republish, report=report)
    warehouse, source = publisher.warehouse, publisher.source
    opening = open_source(settings, source.path, source.file, at_rest=at_rest)
    with nullcontext(opened) if opened else opening as file:
        known = [] if republish else read_publications(warehouse)
        done = unchanged(contract, known, file, settings.spool_path)
        base, spooled = (None, None) if done else publisher.spool(file, known)
    if done:
        warehouse.prepare()
        require_topic_id(config, done.topic, done.topic_id)
        require_rows(config, done)
        return account(done, done.rows + 1, done.until, began, report)
    assert spooled  # noqa: S101  # what is not done is spooled
    publication, resumed = publisher.publication(spooled, base)
    publication = publication.model_copy(update={"stamp": publication.stamp or stamp})
    first, until = publisher.publish(publication, resumed=resumed)
    return account(publication, first, until, began, report)


def unchanged(
    contract: Contract, known: list[Publication], file: OpenSource, spool: Path
) -> Publication | None:
    """The publication that is the source's newest, whole and of the bytes that the file still has.

    Another one that was begun may still be running, and has to be fenced: then nothing is taken for done.
    """
    source = contract.own_source
    assert source  # noqa: S101  # the caller has looked
    newest = [row for row in known if row.source == str(source.path) and row.state != "superseded"]
    if [(row.state, row.topic) for row in newest] != [("published", contract.topic.name)]:
        return None
    (published,) = newest
    if not is_spooled(file, spool, published.sha256, published.own_sha256):
        return None
    check_columns(source_rows(spool / published.copy_sha256, source), contract)
    return published


@dataclass(frozen=True)
class Publisher:
    """One call of `publish`: the stream's, with all that it was told."""

    contract: Contract
    source: OwnSource
    settings: Settings
    config: Mapping[str, Any]
    warehouse: Warehouse
    run_id: str
    republish: bool
    report: Report

    @classmethod
    def of(
        cls,
        contract: Contract,
        settings: Settings,
        config: Mapping[str, Any],
        run_id: str,
        *,
        republish: bool,
        report: Report,
    ) -> "Publisher":
        """The call's; where all is published once more, rows that the topic has lost are given up first.

        Raises:
            ContractError: somebody else feeds the topic.
        """
        source = contract.own_source
        if source is None:
            raise ContractError(
                f"stream {contract.stream}: its source is external; there is nothing to publish"
            )
        warehouse = Warehouse.of(settings, contract.stream)
        if republish:
            give_up_lost_rows(warehouse, config, contract.topic.name, report)
        return cls(contract, source, settings, config, warehouse, run_id, republish, report)

    def spool(self, file: OpenSource, known: list[Publication]) -> tuple[Publication | None, Spooled]:
        """Spool what of the file is not published; with it, the publication that it goes on behind.

        One that was broken off before the file has grown is finished first.
        """
        base = None
        if any(each.source == str(self.source.path) for each in known):
            topic_id = describe_topic(self.config, self.contract.topic.name).topic_id
            base = goes_on_behind(file, self.contract, known, topic_id, self.settings.spool_path)
        if base and base.publication.finished:
            require_rows(self.config, base.publication)
        elif base:
            self.publish(base.publication, resumed=True)
        prefix = base.prefix if base else None
        spooled = spool_source(file, self.settings.spool_path, partial(self._check, file), prefix)
        return (base.publication if base else None), spooled

    def _check(self, file: OpenSource, read: IO[bytes]) -> int:
        """Count the rows of what is spooled, and refuse a fault with its place in the whole file."""
        try:
            return check_source(source_rows(read, self.source), self.contract)
        except SourceError:
            file.reading.seek(0)
            check_source(source_rows(file.reading, self.source), self.contract)
            raise

    def publication(self, spooled: Spooled, base: Publication | None) -> tuple[Publication, bool]:
        """What is to be published of the spooled file, and whether that was begun before."""
        topic = describe_topic(self.config, self.contract.topic.name)
        before = base.rows if base else 0
        behind = [str(before)] if base else []
        again = self.run_id if self.republish else None
        new = Publication(
            publication=_digest(self.contract.stream, topic.name, spooled.sha256, again, *behind),
            source=str(self.source.path),
            sha256=spooled.sha256,
            rows=before + spooled.rows,
            topic=topic.name,
            topic_id=topic.topic_id,
            run_id=self.run_id,
            state="publishing",
            started=datetime.now(UTC),
            options=self.source.model_dump_json(),
            size=spooled.size,
            first=before + 1,
            continues=base.publication if base else None,
            own_sha256=spooled.own_sha256,
            proven=True,
        )
        begun = _begun_before(new, read_publications(self.warehouse), self.republish)
        if begun and begun.topic_id != topic.topic_id:
            require_topic_id(self.config, begun.topic, begun.topic_id)
        return begun or new, begun is not None

    def publish(self, publication: Publication, *, resumed: bool) -> tuple[int, dict[int, int]]:
        """Publish what is missing of it, from its copy; the first such row, and the topic's end."""
        transactions = Transactions(
            self.config,
            publication.topic,
            transactional_id=f"headrace.{self.contract.stream}.{_digest(str(self.source.path))}",
            group=f"headrace.{self.contract.stream}.{publication.publication}",
        )
        with closing(transactions):
            transactions.fence()
            progress = transactions.progress()
            key = self.key(of_others=progress.offset != OFFSET_INVALID and not resumed)
            # noted before the first record: no row of the topic belongs to a publication that nobody knows
            known = change_publications(self.warehouse, lambda rows: with_begun(rows, publication))
            authors, sign = _whose(publication, key)
            first = next_row(self.config, publication, progress, authors, resumed=resumed)
            *earlier, rows = (self._copy(each) for each in line_of(publication, known))
            if resumed and first <= publication.rows:
                _require_rows(publication, rows)
            records = source_records(
                rows,
                self.contract,
                sign,
                last=publication.rows,
                first=first,
                begins=publication.first,
                earlier=earlier,
            )
            _publish_rows(records, publication, first, transactions, self.report)
        until = _until(self.config, publication, first)
        change_publications(self.warehouse, lambda rows: with_finished(rows, publication, until))
        return first, until

    def key(self, of_others: bool) -> bytes:
        """The stream's key; it must be the one that earlier publications were proven with.

        `of_others`: the topic has rows of this very publication, and no table knows of it: those were lost.
        """
        spare = self.settings.home_path / "keys" / self.contract.stream
        proven = any(each.proven for each in read_publications(self.warehouse))
        return keep_key(self.warehouse, spare, may_make=self.republish or not (proven or of_others))

    def _copy(self, publication: Publication) -> SourceRows:
        """Its rows in the spool, read as when it was begun."""
        copy = self.settings.spool_path / publication.copy_sha256
        return source_rows(copy, publication.read_as(self.source))


def _whose(publication: Publication, key: bytes) -> tuple[Authors, Sign]:
    """Which records of the publication are believed to be its own, and what makes the headers of more."""
    name = publication.publication
    if publication.proven:
        return Authors(key, {}), signer(name, key)
    return Authors(key, {name: Unproven(publication.rows, publication.until)}), unproven_signer(name)


def _require_rows(publication: Publication, rows: SourceRows) -> None:
    """Whether it still has the rows that were counted when it was begun."""
    now = publication.first - 1 + count(rows).rows
    if now != publication.rows:
        raise PublicationBroken(
            f"publication {publication.publication} was begun when {publication.source} had "
            f"{publication.rows} rows; as it is read now the same bytes have {now}. {REPUBLISH}"
        )


def _begun_before(new: Publication, known: list[Publication], republish: bool) -> Publication | None:
    """The publication of the same content that this call goes on with, if there is one."""
    if republish:
        same = [row for row in known if row.publication == new.publication]
    else:  # one that was republished into the present topic is preferred to the one that it replaced
        of = (new.topic, new.sha256, new.first)
        same = [row for row in known if (row.topic, row.sha256, row.first) == of]
        same.sort(key=lambda row: (row.topic_id == new.topic_id, row.started))
    return same[-1] if same else None


def _publish_rows(
    records: Iterator[Record],
    publication: Publication,
    first: int,
    transactions: Transactions,
    report: Report,
) -> None:
    while first <= publication.rows:
        began = time.monotonic()
        sent = transactions.commit(records, publication.publication, ROWS)
        rate = sent / (time.monotonic() - began)
        done = first + sent - 1
        report(f"published rows {first}-{done} of {publication.rows} ({rate:,.0f} records/s)")
        first += sent


def _until(config: Mapping[str, Any], publication: Publication, first: int) -> dict[int, int]:
    if publication.until and first > publication.rows:
        return publication.until
    return log_end(config, publication.topic, committed=False)


def _digest(*parts: str | None) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:PUBLICATION_DIGITS]
