"""Publish: a source's rows into its topic, exactly once, resumed where the last try ended."""

import hashlib
import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from headrace.contract.model import Contract
from headrace.errors import ContractError, PublicationBroken
from headrace.kafka.headers import PUBLICATION_DIGITS
from headrace.kafka.topics import describe_topic, log_end, require_topic_id
from headrace.publish.publications import Publication, change_publications, read_publications
from headrace.publish.resume import REPUBLISH, next_row, require_rows
from headrace.publish.source_records import Record, source_records
from headrace.publish.sources.opening import OpenSource, open_source
from headrace.publish.sources.rows import SourceRows, check_columns, check_source, count, source_rows
from headrace.publish.spool import Spooled, is_spooled, spool_source
from headrace.publish.transactions import Transactions
from headrace.settings import Settings
from headrace.tables.warehouse import Warehouse
from headrace.task_log import Report

log = logging.getLogger(__name__)

ROWS = 50_000
"""Rows of one transaction, unless they are large. Its end takes some 30 ms, in which nothing is sent."""


class Published(BaseModel):
    """What a call of `publish` has done.

    `published`: rows that this call published; `resumed_at`: the first of them, or the number after the last
    row when all were there; `until`: the topic's end after the last commit.
    """

    model_config = ConfigDict(frozen=True)

    publication: str
    sha256: str
    rows: int
    published: int
    resumed_at: int
    topic: str
    topic_id: str
    until: dict[int, int]
    seconds: float


def publish(
    contract: Contract,
    settings: Settings,
    config: Mapping[str, Any],
    run_id: str,
    *,
    republish: bool = False,
    report: Report = log.info,
) -> Published:
    """Publish the contract's source; a retry goes on where the last try ended, a repetition adds nothing.

    Raises:
        SourceError, SourceMissing: the source cannot be published as it is, or is not there.
        TopicMissing, TopicRecreated: the topic is not there, or not the one that this was published into.
        BrokerUnreachable, DeliveryIncomplete: the broker went away or did not take all; a retry goes on.
        PublisherFenced: a newer publisher of the same source has begun.
        PublicationBroken: how far it came cannot be told for certain.
        SpoolUnavailable, WarehouseUnavailable, SettingsError, ContractError
    """
    began = time.monotonic()
    source = contract.own_source
    if source is None:
        raise ContractError(f"stream {contract.stream}: its source is external; there is nothing to publish")
    warehouse, spool = Warehouse.of(settings, contract.stream), settings.spool_path
    with open_source(settings, source.path, source.file) as file:
        known = [] if republish else read_publications(warehouse)
        found = _unchanged(contract, known, file, spool) or spool_source(
            file, spool, lambda read: check_source(source_rows(read, source), contract)
        )
    if isinstance(found, Publication):
        warehouse.prepare()
        require_topic_id(config, found.topic, found.topic_id)
        require_rows(config, found)
        return _account(found, found.rows + 1, found.until, began, report)
    publication, resumed = _publication(
        contract, found, config, warehouse, run_id=run_id, republish=republish
    )
    transactions = Transactions(
        config,
        publication.topic,
        transactional_id=f"headrace.{contract.stream}.{_digest(str(source.path))}",
        group=f"headrace.{contract.stream}.{publication.publication}",
    )
    with closing(transactions):
        transactions.fence()
        # noted before the first record: no row of the topic belongs to a publication that nobody knows
        change_publications(warehouse, lambda rows: _begun(rows, publication))
        first = next_row(config, publication, transactions.progress(), resumed)
        rows = source_rows(found.file, publication.read_as(source))  # as its first rows were
        if resumed and first <= publication.rows:
            _require_rows(publication, rows)
        records = source_records(rows, contract, publication.publication, last=publication.rows, first=first)
        _publish_rows(records, publication, first, transactions, report)
    until = _until(config, publication, first)
    change_publications(warehouse, lambda rows: _finished(rows, publication, until))
    return _account(publication, first, until, began, report)


def _unchanged(
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
    if not is_spooled(file, spool, published.sha256):
        return None
    check_columns(source_rows(spool / published.sha256, source), contract)
    return published


def _publication(
    contract: Contract,
    spooled: Spooled,
    config: Mapping[str, Any],
    warehouse: Warehouse,
    *,
    run_id: str,
    republish: bool,
) -> tuple[Publication, bool]:
    """What is to be published of the spooled file, and whether that was begun before."""
    source = contract.own_source
    assert source  # noqa: S101  # the caller has looked
    topic = describe_topic(config, contract.topic.name)
    new = Publication(
        publication=_digest(contract.stream, topic.name, spooled.sha256, run_id if republish else None),
        source=str(source.path),
        sha256=spooled.sha256,
        rows=spooled.rows,
        topic=topic.name,
        topic_id=topic.topic_id,
        run_id=run_id,
        state="publishing",
        started=datetime.now(UTC),
        options=source.model_dump_json(),
    )
    before = _begun_before(new, read_publications(warehouse), republish)
    publication = before or new
    if publication.topic_id != topic.topic_id:
        require_topic_id(config, publication.topic, publication.topic_id)
    return publication, before is not None


def _account(
    publication: Publication, first: int, until: dict[int, int], began: float, report: Report
) -> Published:
    published = publication.rows - first + 1
    seconds = time.monotonic() - began
    report(_closing_line(publication, published, seconds))
    return Published(
        **publication.model_dump(include={"publication", "sha256", "rows", "topic", "topic_id"}),
        published=published,
        resumed_at=first,
        until=until,
        seconds=seconds,
    )


def _require_rows(publication: Publication, rows: SourceRows) -> None:
    """Whether it still has the rows that were counted when it was begun."""
    now = count(rows).rows
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
        same = [row for row in known if (row.topic, row.sha256) == (new.topic, new.sha256)]
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


def _begun(rows: list[Publication], publication: Publication) -> list[Publication]:
    return rows if any(row.publication == publication.publication for row in rows) else [*rows, publication]


def _finished(rows: list[Publication], publication: Publication, until: dict[int, int]) -> list[Publication]:
    """This publication is published; what was published of the same source before is superseded."""
    now = datetime.now(UTC)
    after = []
    for row in rows:
        if row.publication == publication.publication:
            published = {"state": "published", "finished": row.finished or now, "until": row.until or until}
            after.append(row.model_copy(update=published))
        elif row.source == publication.source:
            after.append(row.model_copy(update={"state": "superseded"}))
        else:
            after.append(row)
    return after


def _closing_line(publication: Publication, published: int, seconds: float) -> str:
    if not publication.rows:
        return f"{publication.source} has a header and no row: there is nothing to publish"
    if not published:
        return f"all {publication.rows} rows of {publication.source} were published before; nothing added"
    return (
        f"published {published} of {publication.rows} rows of {publication.source} to {publication.topic} in "
        f"{seconds:.1f} s (publication {publication.publication})"
    )


def _digest(*parts: str | None) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:PUBLICATION_DIGITS]
