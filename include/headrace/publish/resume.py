"""How far a publication has come: its committed progress, compared with the topic and `publications`."""

from collections.abc import Mapping
from typing import Any, cast

from confluent_kafka import OFFSET_INVALID, Message, TopicPartition

from headrace.errors import BrokerUnreachable, PublicationBroken
from headrace.kafka.headers import Authors
from headrace.kafka.reader import visible_records
from headrace.kafka.topics import log_end, log_start
from headrace.offsets import between, lag, reached
from headrace.publish.publications import Publication

TAIL = 25_000
"""Offsets of each partition's end that a publication is compared with: they show its last transaction."""

REPUBLISH = (
    "Trigger a run with the parameter republish: it publishes the source once more, and rows that are landed "
    "already count as duplicates."
)


def next_row(
    config: Mapping[str, Any],
    publication: Publication,
    progress: TopicPartition,
    authors: Authors,
    *,
    resumed: bool,
) -> int:
    """The first row of the publication that is not in the topic yet; `rows` + 1 when all are.

    `progress` is what the group has; group offsets expire, so without it the topic itself is asked, as far as
    its `authors` are believed (`resumed`: the publication was begun before).

    Raises:
        BrokerUnreachable: no answer in time, or a transaction is open that may hold rows of it.
        PublicationBroken: what the group, the topic and `publications` say cannot all be true, or retention
            has removed what would tell.
    """
    require_rows(config, publication)
    row = _committed(publication, progress)
    if publication.finished and row in {None, publication.rows + 1}:
        return publication.rows + 1  # its end is noted only after the last transaction's commit
    ends = log_end(config, publication.topic)
    starts = log_start(config, publication.topic)
    tail = {partition: max(start, ends[partition] - TAIL) for partition, start in starts.items()}
    if row is None and resumed:
        _require_decided(config, publication, ends)
    if (row is None and resumed) or _rows(config, publication, authors, tail, ends).highest >= (
        row or publication.first
    ):
        return _recovered(publication, _rows(config, publication, authors, starts, ends), starts, ends)
    return row or publication.first


def require_rows(config: Mapping[str, Any], publication: Publication) -> None:
    """Whether the topic still reaches as far as it did when the publication was finished.

    Raises:
        PublicationBroken: it ends before that.
        BrokerUnreachable: no answer in time.
    """
    end = log_end(config, publication.topic, committed=False)
    if not reached(end, publication.until):
        raise PublicationBroken(
            f"topic {publication.topic} ends before publication {publication.publication} did, by "
            f"{lag(end, publication.until)} offsets: the broker has lost acknowledged records (an unclean "
            f"leader election, or a restored disk?). {REPUBLISH}"
        )


def _committed(publication: Publication, progress: TopicPartition) -> int | None:
    if progress.offset == OFFSET_INVALID:
        return None
    possible = range(publication.first, publication.rows + 2)
    if progress.metadata != publication.publication or progress.offset not in possible:
        raise PublicationBroken(
            f"publication {publication.publication}: its consumer group says next row {progress.offset} of "
            f"{progress.metadata!r}, but the source has {publication.rows} rows: somebody else has written "
            "the group's offsets. Delete the group; the topic itself then tells how far it is."
        )
    return progress.offset


def _require_decided(config: Mapping[str, Any], publication: Publication, visible: dict[int, int]) -> None:
    """Rows of an open transaction are not seen yet: counting without them could publish them twice."""
    behind = lag(visible, log_end(config, publication.topic, committed=False))
    if behind:
        raise BrokerUnreachable(
            f"topic {publication.topic}: {behind} offsets belong to transactions still open, and only "
            "the topic can tell how far the publication came; run the task again when they have ended"
        )


class _Rows:
    """Which rows of a publication were seen, and in which partitions."""

    def __init__(self, publication: Publication, authors: Authors) -> None:
        self.publication, self.authors = publication, authors
        self.seen = bytearray(publication.rows + 1)
        self.partitions: set[int] = set()

    @property
    def highest(self) -> int:
        return self.seen.rfind(1)

    def add(self, messages: list[Message]) -> None:
        # not at the top: most publishers meet no record of their own, and polars is large
        from headrace.parse.provenance import of_messages

        found = of_messages(messages, self.authors)
        for at, (publication, row) in enumerate(zip(found["publication"], found["row"], strict=True)):
            if publication != self.publication.publication:
                continue
            if row is None or row not in self.publication.own_rows or self.seen[row]:
                raise self._foreign(messages[at], row)
            self.seen[row] = 1
            self.partitions.add(messages[at].partition() or 0)

    def _foreign(self, message: Message, row: int | None) -> PublicationBroken:
        return PublicationBroken(
            f"topic {self.publication.topic}, partition {message.partition()}, offset {message.offset()}: "
            f"claims to be row {'that is no number' if row is None else row} of publication "
            f"{self.publication.publication}, which has that row already or has no such row: another program "
            f"has written records in its name. {REPUBLISH}"
        )


def _rows(
    config: Mapping[str, Any],
    publication: Publication,
    authors: Authors,
    start: dict[int, int],
    end: dict[int, int],
) -> _Rows:
    rows = _Rows(publication, authors)
    for messages in visible_records(dict(config), publication.topic, between(start, end)):
        if named := [message for message in messages if _names(message, publication)]:
            rows.add(named)
    return rows


def _names(message: Message, publication: Publication) -> bool:
    """Whether a header holds the publication's name, which says nothing yet of the record."""
    name = publication.publication.encode()
    headers = cast("list[tuple[str, bytes | None]]", message.headers() or [])
    return any(name in value for _, value in headers if value)


def _recovered(publication: Publication, rows: _Rows, starts: dict[int, int], ends: dict[int, int]) -> int:
    """The next row by the topic alone: rows were committed in order, so what is there must have no hole."""
    # A log loses records from its start: a shortened partition tells only if it still holds some of ours.
    silent = [p for p, start in sorted(starts.items()) if start > 0 and p not in rows.partitions]
    if silent:
        raise PublicationBroken(
            f"publication {publication.publication}: its consumer group has expired and retention has "
            f"shortened partition {silent[0]} of topic {publication.topic} (it holds [{starts[silent[0]]}, "
            f"{ends[silent[0]]})), so how far it came cannot be told. {REPUBLISH}"
        )
    first = rows.seen.find(1)
    hole = rows.seen.find(0, max(first, 1), rows.highest + 1) if first > 0 else -1
    if hole > 0 or (first > publication.first and not any(starts.values())):
        raise PublicationBroken(
            f"publication {publication.publication}: its consumer group has expired, and topic "
            f"{publication.topic} holds rows up to {rows.highest} without row "
            f"{hole if hole > 0 else first - 1}. {REPUBLISH}"
        )
    return max(rows.highest, publication.first - 1) + 1
