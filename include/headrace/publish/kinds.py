"""Publishing by the kind of the stream's source: one file, several, or what is new of a query."""

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from headrace.contract.model import Contract
from headrace.contract.source import SqlSource
from headrace.publish.folder import Folder, PublishFile
from headrace.publish.published import Published
from headrace.publish.publishing import publish
from headrace.publish.sources.listing import is_many
from headrace.settings import Settings
from headrace.tables.put_back import require_none_put_back
from headrace.tables.warehouse import Warehouse
from headrace.task_log import Report

if TYPE_CHECKING:
    from sqlalchemy import URL

log = logging.getLogger(__name__)


def publish_source(
    contract: Contract,
    settings: Settings,
    config: Mapping[str, Any],
    run_id: str,
    *,
    database: "Callable[[str], URL]",
    republish: bool = False,
    publish_file: PublishFile = publish,
    report: Report = log.info,
) -> Published:
    """Publish the contract's source.

    `database`: where a connection's database is. `publish_file`: what publishes a file.

    Raises:
        TablesApart: `publications` was restored to an earlier version; else as `publish`.
    """
    require_none_put_back(Warehouse.of(settings, contract.stream))
    source = contract.source
    if isinstance(source, SqlSource):
        from headrace.publish.query import Query  # noqa: PLC0415  # most streams need no database

        url = database(source.connection)
        return Query(contract, source, url, settings, config, run_id, republish, report).publish()
    own = contract.own_source
    if own and is_many(own):
        return Folder(contract, own, settings, config, run_id, republish, report, publish_file).publish()
    return publish_file(contract, settings, config, run_id, republish=republish, report=report)
