"""A query as a source: what is new behind its cursor is a publication of its own, from a copy in the spool.

How far the cursor has come is noted with each publication before its first record, so that whatever dies, the
next run finishes what was begun, from its copy, and asks for what lies behind.
"""

import io
import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from headrace.contract.model import Contract
from headrace.contract.source import OwnSource, SqlSource
from headrace.errors import PublicationBroken
from headrace.kafka.topics import describe_topic, log_end, require_topic_id
from headrace.publish.publications import Publication, read_publications
from headrace.publish.published import Published
from headrace.publish.publishing import publish
from headrace.publish.resume import REPUBLISH, require_rows
from headrace.publish.sources.opening import OpenSource
from headrace.publish.sources.sql_rows import SqlRows, shown
from headrace.settings import Settings
from headrace.tables.warehouse import Warehouse
from headrace.task_log import Report

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Query:
    """The source of one stream, and the database that is asked."""

    contract: Contract
    source: SqlSource
    url: sa.URL
    settings: Settings
    config: Mapping[str, Any]
    run_id: str
    republish: bool = False
    report: Report = log.info

    def publish(self) -> Published:
        """Publish what was begun and what is new, or all once more; raises as `publish`."""
        known = [] if self.republish else self._known()
        begun = [each for each in known if not each.finished and each.state == "publishing"]
        done = [self._again(each) for each in begun]
        reached = known[-1].stamp if known else None
        if known and not reached:
            raise PublicationBroken(f"{self._own.path}: how far it has come is not noted. {REPUBLISH}")
        with tempfile.TemporaryFile() as file:  # which nobody else sees
            rows, last = SqlRows(self.source, self.url, reached).write(file)
            file.flush()
            reading = io.FileIO(file.fileno(), "rb", closefd=False)
            self.report(f"{self._own.path}: {rows:,} rows behind {shown(reached)}")
            if rows:
                done.append(self._publish(OpenSource(self._own.path, reading), last))
        if not done and known:  # nothing new: whether the topic still has what it had
            return self._standing(known[-1])
        return done[-1] if done else self._nothing()

    @property
    def _own(self) -> OwnSource:
        """The copy in the spool, as a source."""
        own = self.contract.own_source
        assert own  # noqa: S101  # a query has one
        return own

    @property
    def _warehouse(self) -> Warehouse:
        return Warehouse.of(self.settings, self.contract.stream)

    def _known(self) -> list[Publication]:
        """What was published of this query into the present topic, oldest first."""
        topic = self.contract.topic.name
        rows = read_publications(self._warehouse)
        return [each for each in rows if (each.source, each.topic) == (str(self._own.path), topic)]

    def _again(self, publication: Publication) -> Published:
        """Finish it, from its copy."""
        copy = self.settings.spool_path / publication.copy_sha256
        try:
            reading = io.FileIO(copy, "rb")
        except OSError as absent:
            raise PublicationBroken(
                f"publication {publication.publication}: its copy in the spool, {copy}, cannot be read: "
                f"{absent.strerror}; restore it. {REPUBLISH}"
            ) from absent
        with reading:
            return self._publish(OpenSource(self._own.path, reading), publication.stamp, republish=False)

    def _publish(self, file: OpenSource, reached: str | None, republish: bool | None = None) -> Published:
        return publish(
            self.contract,
            self.settings,
            self.config,
            self.run_id,
            republish=self.republish if republish is None else republish,
            opened=file,
            stamp=reached,
            report=self.report,
        )

    def _standing(self, publication: Publication) -> Published:
        """The newest one, which is finished, if the topic still has it."""
        require_topic_id(self.config, publication.topic, publication.topic_id)
        require_rows(self.config, publication)
        known = publication.model_dump(
            include={"publication", "sha256", "rows", "topic", "topic_id", "until"}
        )
        return Published(**known, published=0, resumed_at=publication.rows + 1, seconds=0)

    def _nothing(self) -> Published:
        """There has never been a row."""
        topic = describe_topic(self.config, self.contract.topic.name)
        until = log_end(self.config, topic.name, committed=False)
        return Published(
            publication="",
            sha256="",
            rows=0,
            published=0,
            resumed_at=1,
            topic=topic.name,
            topic_id=topic.topic_id,
            until=until,
            seconds=0,
        )
