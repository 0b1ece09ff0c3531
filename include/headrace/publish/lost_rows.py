"""Before a source is republished: publications of which the topic has lost rows that were never landed.

An unclean leader election or a restored disk takes them. A person has read of it and gives `republish`: the
new publication has the source's rows, and those of the old one are no longer looked for.
"""

from collections.abc import Mapping
from typing import Any

from headrace.kafka.topics import describe_topic, log_end
from headrace.offsets import Position, reached
from headrace.publish.publications import Publication, change_publications
from headrace.tables.batches import read_batches
from headrace.tables.warehouse import Warehouse
from headrace.task_log import Report


def give_up_lost_rows(warehouse: Warehouse, config: Mapping[str, Any], topic: str, report: Report) -> None:
    """Note of such publications that they came only half-way: of what is in the topic the slices tell.

    Raises:
        WarehouseUnavailable: the table cannot be written just now.
        BrokerUnreachable, TopicMissing: as `log_end`.
    """
    topic_id = describe_topic(config, topic).topic_id
    ends, landed = log_end(config, topic, committed=False), _ever_landed(warehouse, topic_id)
    change_publications(warehouse, lambda rows: without_lost_rows(rows, topic_id, ends, landed, report))


def without_lost_rows(
    rows: list[Publication], topic_id: str, ends: Position, landed: Position, report: Report
) -> list[Publication]:
    """The same where a topic ends so, and landing had once come so far."""

    def lost(row: Publication) -> bool:
        ours = row.topic_id == topic_id and row.finished is not None
        return ours and not reached(ends, row.until) and not reached(landed, row.until)

    return [_half(row, report) if lost(row) else row for row in rows]


def _half(row: Publication, report: Report) -> Publication:
    report(
        f"the topic has lost rows of publication {row.publication} before they were landed: the source is "
        "published once more in its place"
    )
    return row.model_copy(update={"state": "superseded", "finished": None, "until": {}})


def _ever_landed(warehouse: Warehouse, topic_id: str) -> dict[int, int]:
    """How far landing had come before the log was cut off: a rewind leaves the batches as they were."""
    furthest: dict[int, int] = {}
    for row in read_batches(warehouse):
        if row.kind == "batch" and row.topic_id == topic_id:
            for each in row.ranges:
                furthest[each.partition] = max(furthest.get(each.partition, 0), each.until)
    return furthest
