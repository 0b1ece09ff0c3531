"""What Spark is to publish: a source's files in the spool, noted as publications, and as done behind it.

Spark has no transactions of its own: a try that ended half-way is repeated from the file's first row, under
the same publication, and what it repeats lands as duplicates. So a file that has grown is published whole,
too.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.contract.model import Contract
from headrace.errors import SourceError
from headrace.kafka.topics import log_end, require_topic_id
from headrace.publish.publications import (
    Publication,
    change_publications,
    read_publications,
    with_begun,
    with_finished,
)
from headrace.publish.published import Published, account
from headrace.publish.publishing import Publisher, unchanged
from headrace.publish.resume import require_rows
from headrace.publish.sources.opening import open_source
from headrace.settings import Settings
from headrace.tables.warehouse import Warehouse
from headrace.task_log import Report

log = logging.getLogger(__name__)

NOT_SPARKS = {".zst"}
"""Endings of files whose compression Spark of one machine lacks: Hadoop does it in native code alone."""


@dataclass(frozen=True)
class HandingOver:
    """One task's: `publications` are those that Spark is to publish now, in the order of their files."""

    publications: list[str] = field(default_factory=list)

    def __call__(
        self,
        contract: Contract,
        settings: Settings,
        config: Mapping[str, Any],
        run_id: str,
        *,
        republish: bool = False,
        at_rest: bool = False,
        stamp: str | None = None,
        report: Report = log.info,
    ) -> Published:
        """Spool the source's file and note its publication, unless that is done; called as `publish` is.

        The file is read and found right as by the worker's publisher: Spark's own checks come behind that.

        Raises:
            SourceError, SourceMissing, SourceGrowing, TopicMissing, TopicRecreated, BrokerUnreachable,
            PublicationBroken, SpoolUnavailable, WarehouseUnavailable: as `publish`.
        """
        began = time.monotonic()
        own = contract.own_source
        if own and own.path.suffix in NOT_SPARKS:
            raise SourceError(
                f"{own.path}: Spark cannot decompress it; compress it with gzip or bzip2, or set "
                "publish.engine: worker in the contract"
            )
        publisher = Publisher.of(contract, settings, config, run_id, republish=republish, report=report)
        warehouse, source = publisher.warehouse, publisher.source
        with open_source(settings, source.path, source.file, at_rest=at_rest) as file:
            known = [] if republish else read_publications(warehouse)
            publication = unchanged(contract, known, file, settings.spool_path)
            if publication is None:
                publication, _ = publisher.publication(publisher.spool(file, [])[1], None)
        if publication.finished:
            warehouse.prepare()
            require_topic_id(config, publication.topic, publication.topic_id)
            require_rows(config, publication)
            done = publication
            change_publications(warehouse, lambda rows: with_finished(rows, done, done.until))
            return account(done, done.rows + 1, done.until, began, report)
        begun = publication
        publisher.key(of_others=False)
        change_publications(warehouse, lambda rows: _with_handed_over(rows, begun, stamp))
        if begun.publication not in self.publications:  # as another file with the same bytes
            self.publications.append(begun.publication)
        report(
            f"{source.path}: {begun.rows:,} rows are handed over to Spark (publication {begun.publication})"
        )
        return Published(
            **begun.model_dump(include={"publication", "sha256", "rows", "topic", "topic_id", "until"}),
            published=begun.rows,
            resumed_at=1,
            seconds=time.monotonic() - began,
        )


def _with_handed_over(rows: list[Publication], begun: Publication, stamp: str | None) -> list[Publication]:
    """Rows of it may stand twice from now on, also if the worker has begun it."""

    def handed_over(row: Publication) -> Publication:
        of_spark = {"at_least_once": True, "stamp": row.stamp or stamp}
        return row.model_copy(update=of_spark) if row.publication == begun.publication else row

    return [*map(handed_over, with_begun(rows, begun))]


def handed_over(warehouse: Warehouse, publications: Iterable[str]) -> list[Publication]:
    """Those publications, in that order."""
    known = {row.publication: row for row in read_publications(warehouse)}
    return [known[name] for name in publications]


def note_published(warehouse: Warehouse, config: dict[str, Any], done: Iterable[Publication]) -> None:
    """Spark's producer has the broker's word for every record of these.

    Raises:
        BrokerUnreachable, WarehouseUnavailable: it cannot be noted just now; Spark publishes them once more.
    """

    def noted(rows: list[Publication]) -> list[Publication]:
        for each in publications:
            rows = with_finished(rows, each, ends[each.topic])
        return rows

    publications = list(done)
    ends = {topic: log_end(config, topic, committed=False) for topic in {row.topic for row in publications}}
    change_publications(warehouse, noted)
