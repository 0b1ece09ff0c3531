"""`headrace restore`: the plan carried out, one table after the other, and noted in `batches`."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from deltalake import CommitProperties, Transaction

from headrace.crash_points import crash_point
from headrace.errors import RecordsExpired
from headrace.kafka.topics import describe_topic, log_start
from headrace.offsets import OffsetRange, subtract, text
from headrace.restore.moments import NOTHING
from headrace.restore.plan import Plan, Step, make_plan
from headrace.tables.batches import Batch, append_batch, newest_closing
from headrace.tables.commits import RestoreCommit, application_id, open_table
from headrace.tables.durability import sync_commits
from headrace.tables.table_errors import warehouse_errors
from headrace.tables.warehouse import Warehouse

END = 2**63 - 1
"""After the last offset that a partition can have."""


def restore(
    warehouse: Warehouse, agree: Callable[[Plan], None], to: int | datetime | None = None
) -> Plan | None:
    """Bring all tables to one moment, as the stream's one writer, when `agree` has returned.

    Returns:
        What was done; None where nothing was: the tables are of that moment.

    Raises:
        WarehouseError: there is no such moment.
        StreamLocked: another process writes to the tables.
    """
    with warehouse.writing(), warehouse_errors(warehouse.folder):
        plan = make_plan(warehouse, to)
        if plan is None:
            return None
        agree(plan)
        run_id = f"restore {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        for step in (*plan.regained, *plan.steps):
            _put_back(warehouse, step, run_id)
            crash_point("restore.after_table")
        if plan.steps:
            _note(warehouse, plan, run_id)
        return plan


def require_landable(plan: Plan, topic: str, config: Mapping[str, Any]) -> None:
    """Whether the topic still has all that would be undone.

    Raises:
        RecordsExpired: it has not, so that it could not be landed again.
        BrokerUnreachable, TopicMissing, SettingsError: that cannot be told.
    """
    topic_id, starts = describe_topic(config, topic).topic_id, log_start(config, topic)
    for of_topic, ranges in plan.undone.items():
        held = tuple(
            OffsetRange(partition=each.partition, start=starts.get(each.partition, 0), until=END)
            for each in ranges
            if of_topic == topic_id
        )
        gone = subtract(ranges, held)
        if gone:
            raise RecordsExpired(
                f"to bring the tables to the end of batch {plan.batch} undoes {text(gone)}, which topic "
                f"{topic} no longer has: they could not be landed again. Look for a newer copy of the table "
                "that was put back, or give --accept-loss: what the tables still hold of them is gone then"
            )


def _put_back(warehouse: Warehouse, step: Step, run_id: str) -> None:
    path = warehouse.table(step.table)
    numbers = [] if step.batch == NOTHING else [Transaction(application_id(warehouse.stream), step.batch)]
    metadata = RestoreCommit(batch=step.batch, run_id=run_id).model_dump_json()
    open_table(path).restore(
        step.version,
        commit_properties=CommitProperties(
            custom_metadata={"userMetadata": metadata}, app_transactions=numbers
        ),
    )
    sync_commits(path, step.now)


def _note(warehouse: Warehouse, plan: Plan, run_id: str) -> None:
    """A row of `batches`, whose number follows: nobody has to look for it in a log."""
    newest, now = newest_closing(warehouse), datetime.now(UTC)
    topic_id = newest.topic_id if newest else next(iter(plan.undone), None)
    if topic_id is None:
        return
    row = Batch(
        batch=plan.batch + 1,
        kind="restore",
        topic_id=topic_id,
        ranges=plan.undone.get(topic_id, ()),
        records=0,
        landed=0,
        quarantined=0,
        run_id=run_id,
        try_id=uuid4().hex,
        contract_sha256="",
        started=now,
        finished=now,
        reason="headrace restore",
    )
    append_batch(warehouse, row)
