"""A source of several files: each is a publication of its own, and a run publishes those that are new.

A file that has the size and the time of change of when it was published is not read again, so that a run
costs the listing and what is new.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.contract.model import Contract
from headrace.contract.source import OwnSource
from headrace.errors import SourceError, SourceGrowing, SourceMissing
from headrace.publish.publications import Publication, change_publications, ends_of, read_publications
from headrace.publish.published import Published
from headrace.publish.publishing import publish
from headrace.publish.sources.listing import Listed, list_files
from headrace.settings import Settings
from headrace.tables.warehouse import Warehouse
from headrace.task_log import Report

log = logging.getLogger(__name__)

PublishFile = Callable[..., Published]
"""Publishes one file, called as `publish` is."""


@dataclass(frozen=True)
class Folder:
    """The source of one stream, and all that a call of `publish` is told."""

    contract: Contract
    source: OwnSource
    settings: Settings
    config: Mapping[str, Any]
    run_id: str
    republish: bool = False
    report: Report = log.info
    publish_file: PublishFile = publish

    def publish(self) -> Published:
        """Publish what is new or has changed, or all once more; raises as `publish`.

        A file that is still being written is left for the next run. One that is refused does not keep the
        others from being published, and then fails the run.
        """
        listed = list_files(self.settings, self.source)
        at_rest = [each for each in listed if each.is_at_rest(self.source.settle.total_seconds())]
        if not at_rest:
            raise SourceMissing(self._nothing(listed))
        stamps = self._stamps()
        new = [each for each in at_rest if self.republish or stamps.get(str(each.path)) != each.stamp]
        done, growing, refused = self._publish_each(new)
        self._tell(len(new), len(at_rest), [*(each.path for each in listed if each not in at_rest), *growing])
        if refused:
            raise SourceError("\n".join(refused))
        if not done:  # nothing new: one that is there tells whether the topic still has what it had
            done, _, _ = self._publish_each([each for each in at_rest if each not in new][-1:])
        if not done:
            raise SourceMissing(self._nothing(listed))
        return self._sum(done)

    def _publish_each(self, files: list[Listed]) -> tuple[list[Published], list[Path], list[str]]:
        """What was published of the files, those that are being written, and why others are refused."""
        done: list[Published] = []
        growing: list[Path] = []
        refused: list[str] = []
        noted: dict[str, str] = {}
        try:
            for each in files:
                try:
                    done.append(self._publish(each))
                    noted[str(each.path)] = each.stamp
                except SourceGrowing:
                    growing.append(each.path)
                except SourceError as fault:
                    refused.append(fault.args[0])
        finally:
            self._note(noted)
        return done, growing, refused

    def _publish(self, file: Listed) -> Published:
        source = self.source.model_copy(update={"path": file.path})
        one = self.contract.model_copy(update={"source": source})
        return self.publish_file(
            one,
            self.settings,
            self.config,
            self.run_id,
            republish=self.republish,
            at_rest=True,
            stamp=file.stamp,
            report=self.report,
        )

    def _stamps(self) -> dict[str, str]:
        """Files that are published whole -> what they were like then."""
        rows = read_publications(self._warehouse)
        own = [row for row in rows if row.topic == self.contract.topic.name and row.state == "published"]
        return {row.source: row.stamp for row in own if row.stamp}

    def _note(self, stamps: dict[str, str]) -> None:
        """One that was touched and has the bytes that it had need not be read again either."""

        def noted(row: Publication) -> Publication:
            stamp = stamps.get(row.source) if row.state == "published" else None
            return row.model_copy(update={"stamp": stamp}) if stamp else row

        if stamps:
            change_publications(self._warehouse, lambda rows: [noted(row) for row in rows])

    def _sum(self, done: list[Published]) -> Published:
        """All of them as one; `until` covers what an earlier try of the run has published as well."""
        last = done[-1]
        return last.model_copy(
            update={
                "rows": sum(each.rows for each in done),
                "published": sum(each.published for each in done),
                "until": ends_of(read_publications(self._warehouse), last.topic_id),
                "seconds": sum(each.seconds for each in done),
            }
        )

    def _tell(self, new: int, at_rest: int, growing: list[Path]) -> None:
        self.report(f"{self.source.path}: {new} of {at_rest} files are new or have changed")
        if growing:
            some = ", ".join(map(str, growing[:5])) + (", …" if len(growing) > 5 else "")
            self.report(f"still being written, and left for the next run: {some}")

    def _nothing(self, listed: list[Listed]) -> str:
        if not listed:
            return f"{self.source.path}: no file there; put one there, or correct source.path in the contract"
        seconds = self.source.settle.total_seconds()
        return (
            f"{self.source.path}: each of its {len(listed)} files was written to in the last {seconds:g} "
            "seconds (source.settle), or just now; the task is tried again"
        )

    @property
    def _warehouse(self) -> Warehouse:
        return Warehouse.of(self.settings, self.contract.stream)
