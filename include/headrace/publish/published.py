"""What a call of `publish` has done, in numbers and in words."""

import time

from pydantic import BaseModel, ConfigDict

from headrace.publish.publications import Publication
from headrace.task_log import Report


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


def account(
    publication: Publication, first: int, until: dict[int, int], began: float, report: Report
) -> Published:
    """What a call has done that began then and published the rows from `first` on; it is reported, too."""
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


def _closing_line(publication: Publication, published: int, seconds: float) -> str:
    if not publication.rows:
        return f"{publication.source} has a header and no row: there is nothing to publish"
    if not publication.own_rows:
        return f"{publication.source} has grown by no row: there is nothing to publish"
    if not published:
        return f"all {publication.rows} rows of {publication.source} were published before; nothing added"
    grown = f", which has grown behind row {publication.first - 1}," if publication.first > 1 else ""
    return (
        f"published {published} of {publication.rows} rows of {publication.source}{grown} to "
        f"{publication.topic} in {seconds:.1f} s (publication {publication.publication})"
    )
