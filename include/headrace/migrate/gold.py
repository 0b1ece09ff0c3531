"""The gold tables of layout 1: delta-rs writes them, so they stay where they are, and are computed anew once.

Else untouched days would be copied from Spark's INT96 instants, which lose years far from ours on the way.
"""

from collections.abc import Iterator

import pyarrow as pa

from headrace.tables.gold_commits import commit_gold, newest_gold
from headrace.tables.names import GOLD
from headrace.tables.warehouse import Warehouse

NO_ANALYSIS = "migrated from layout 1"
"""In the place of the analysis' hash: `analyse` computes all days of a table of another analysis anew."""

NO_ROWS = pa.table({})


def ask_for_recomputation(warehouse: Warehouse) -> Iterator[str]:
    """Have the next `analyse` compute the gold tables anew; the name of each that there is.

    Their rows stay and can be read until then.
    """
    for name in GOLD:
        newest = newest_gold(warehouse, name)
        if newest is None:
            continue
        if newest.metadata.analysis_sha256 != NO_ANALYSIS:
            asking = newest.metadata.model_copy(update={"analysis_sha256": NO_ANALYSIS})
            commit_gold(warehouse, name, NO_ROWS, asking, days=())
        yield name
