"""The stage `analyse`: the gold tables brought up to the last batch, only the days that it touched.

An engine computes rows: Spark, or this process without a JVM. All else is the same for both.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

import pyarrow as pa

from headrace.analyse.gold_schemas import gold_schemas
from headrace.analyse.readings_files import ReadingsFiles
from headrace.contract.model import Contract
from headrace.crash_points import crash_point
from headrace.errors import PositionBroken, WarehouseError
from headrace.tables.attempt import Attempt
from headrace.tables.batches import closing_of, newest_closing, open_batch
from headrace.tables.commits import GoldCommit, open_table
from headrace.tables.evolution import require_columns
from headrace.tables.gold_columns import gold_tables
from headrace.tables.gold_commits import commit_gold, newest_gold
from headrace.tables.names import READINGS
from headrace.tables.progress import came_from
from headrace.tables.warehouse import Warehouse
from headrace.task_log import say


@dataclass(frozen=True)
class Part:
    """The readings that rows are asked of: those of `days`, or all where that is None, at a version."""

    version: int
    days: tuple[date, ...] | None
    since: int
    """The batch up to which the days were computed before; -1 where none was."""


ORDER = [("signal_date", "ascending")]
"""How the rows of the gold tables' files are ordered: who replaces a day passes over the rest."""

Engine = Callable[[Attempt, Part], Mapping[str, pa.Table]]
"""Computes the rows of the gold tables; `gold_schemas` names their columns."""


def analyse(attempt: Attempt, engine: Engine) -> None:
    """Bring the gold tables up to the last closed batch; the caller holds the stream's lock.

    Raises:
        WarehouseError: `land` has not run yet.
        PositionBroken: a batch is open.
        ColumnsDiffer: the contract asks for other columns than `readings` has.
        ContractError: a table's own SQL cannot be asked.
        ForeignCommit: another process wrote to a gold table.
    """
    goal = input_of(attempt)
    schemas = _schemas(attempt.contract)
    computed: dict[Part, Mapping[str, pa.Table]] = {}
    for table, part in left_to_do(attempt, goal).items():
        if part is None:
            say(f"{table}: batch {goal.batch} is in it already, nothing to do")
        else:
            if part not in computed:
                computed[part] = _rows(attempt, part, engine)
            _commit(attempt, table, computed[part][table].cast(schemas[table]).sort_by(ORDER), goal, part)
        crash_point("analyse.between_tables")


def input_of(attempt: Attempt) -> GoldCommit:
    """What every gold table is to be computed from; raises as `analyse`."""
    warehouse, contract = attempt.warehouse, attempt.contract
    broken = open_batch(warehouse)
    if broken:
        raise PositionBroken(
            f"stream {contract.stream}: batch {broken.batch} is open: a landing was broken off. "
            "Run `land`, which finishes it, and then `analyse`."
        )
    if not warehouse.exists(READINGS):
        raise WarehouseError(f"stream {contract.stream}: `land` has not run yet; run it first")
    require_columns(warehouse, contract)
    # Without a batch (nobody has written to the topic yet) the gold tables are made all the same, empty.
    newest = newest_closing(warehouse)
    return GoldCommit(
        run_id=attempt.run_id,
        try_id=attempt.try_id,
        batch=newest.batch if newest else -1,
        topic_id=newest.topic_id if newest else "",
        position=newest.position if newest else {},
        readings_version=open_table(warehouse.table(READINGS)).version(),
        analysis_sha256=contract.analysis_sha256,
    )


def left_to_do(attempt: Attempt, goal: GoldCommit) -> dict[str, Part | None]:
    """What of each gold table is to be computed anew: the touched days, all when the analysis is another."""

    @cache
    def since(batch: int) -> Part:
        files = ReadingsFiles.of(attempt.warehouse.table(READINGS), goal.readings_version)
        return Part(goal.readings_version, tuple(files.touched_since(batch)), batch)

    newest = {table: newest_gold(attempt.warehouse, table) for table in gold_tables(attempt.contract)}
    return {
        table: _left(attempt.warehouse, commit.metadata if commit else None, goal, since)
        for table, commit in newest.items()
    }


def _left(
    warehouse: Warehouse, done: GoldCommit | None, goal: GoldCommit, since: Callable[[int], Part]
) -> Part | None:
    if done is None or done.analysis_sha256 != goal.analysis_sha256 or not _stands(warehouse, done):
        return Part(goal.readings_version, None, -1)
    return None if done.batch == goal.batch else since(done.batch)


def _stands(warehouse: Warehouse, done: GoldCommit) -> bool:
    """Whether the batch that a table was computed up to is still there, as it was."""
    return came_from(done, None) or (
        (closing := closing_of(warehouse, done.batch)) is not None and came_from(done, closing)
    )


def _rows(attempt: Attempt, part: Part, engine: Engine) -> Mapping[str, pa.Table]:
    if part.days == ():
        return {table: schema.empty_table() for table, schema in _schemas(attempt.contract).items()}
    rows = engine(attempt, part)
    if attempt.contract.analysis.tables:
        from headrace.analyse.sql_tables import sql_rows

        rows = {**rows, **sql_rows(attempt, part.version, part.days)}
    return rows


def _schemas(contract: Contract) -> dict[str, pa.Schema]:
    schemas = gold_schemas(contract)
    if contract.analysis.tables:
        from headrace.analyse.sql_tables import sql_schemas

        schemas |= sql_schemas(contract)
    return schemas


def _commit(attempt: Attempt, table: str, rows: pa.Table, goal: GoldCommit, part: Part) -> None:
    commit_gold(attempt.warehouse, table, rows, goal, part.days)
    if part.days is None:
        say(f"{table}: {rows.num_rows} rows, all days, up to batch {goal.batch}")
    else:
        batches = f"batches {part.since + 1} to {goal.batch}"
        say(f"{table}: {rows.num_rows} rows of {len(part.days)} days, {batches}")
