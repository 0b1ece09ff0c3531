"""How far the gold tables have come: what gates wait for, and whether there is anything to analyse."""

from headrace.contract.model import Contract
from headrace.offsets import reached
from headrace.tables.batches import newest_closing, open_batch
from headrace.tables.commits import ClosingCommit, GoldCommit
from headrace.tables.gold_columns import gold_tables
from headrace.tables.gold_commits import newest_gold
from headrace.tables.warehouse import Warehouse


def is_analysed(contract: Contract, warehouse: Warehouse, topic_id: str, target: dict[int, int]) -> bool:
    """Whether all gold tables have come to `target`, by the contract's present analysis."""
    newest = [newest_gold(warehouse, table) for table in gold_tables(contract)]
    return all(
        commit is not None
        and (
            commit.metadata.topic_id == topic_id or not any(target.values())
        )  # an empty topic asks for nothing
        and commit.metadata.analysis_sha256 == contract.analysis_sha256
        and reached(commit.metadata.position, target)
        for commit in newest
    )


def nothing_to_analyse(contract: Contract, warehouse: Warehouse) -> bool:
    """Whether all gold tables have the newest batch in them, by the contract's present analysis."""
    newest = newest_closing(warehouse)
    if newest is None or open_batch(warehouse):
        return False
    commits = [newest_gold(warehouse, table) for table in gold_tables(contract)]
    analysis = contract.analysis_sha256
    return all(
        each and each.metadata.analysis_sha256 == analysis and came_from(each.metadata, newest)
        for each in commits
    )


def came_from(gold: GoldCommit, closing: ClosingCommit | None) -> bool:
    """Whether a gold table was computed up to that very batch.

    Its number alone does not say it: where the tables were put back to an earlier moment, numbers come again.
    """
    mine = (gold.batch, gold.topic_id, gold.position)
    return mine == ((closing.batch, closing.topic_id, closing.position) if closing else (-1, "", {}))
