"""How far the gold tables have come: what gates wait for, and whether there is anything to analyse."""

from headrace.offsets import reached
from headrace.tables.batches import newest_closing, open_batch
from headrace.tables.gold_commits import newest_gold
from headrace.tables.names import GOLD
from headrace.tables.warehouse import Warehouse


def is_analysed(warehouse: Warehouse, topic_id: str, target: dict[int, int], analysis_sha256: str) -> bool:
    """Whether both gold tables have come to `target`, by the contract's present analysis."""
    newest = [newest_gold(warehouse, table) for table in GOLD]
    return all(
        commit is not None
        and (
            commit.metadata.topic_id == topic_id or not any(target.values())
        )  # an empty topic asks for nothing
        and commit.metadata.analysis_sha256 == analysis_sha256
        and reached(commit.metadata.position, target)
        for commit in newest
    )


def nothing_to_analyse(warehouse: Warehouse, analysis_sha256: str) -> bool:
    """Whether both gold tables have the newest batch in them, by the contract's present analysis."""
    newest = newest_closing(warehouse)
    if newest is None or open_batch(warehouse):
        return False
    wanted = (newest.batch, analysis_sha256)
    commits = [newest_gold(warehouse, table) for table in GOLD]
    return all(each and (each.metadata.batch, each.metadata.analysis_sha256) == wanted for each in commits)
