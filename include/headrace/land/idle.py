"""Whether a run has anything to land, asked before the parser and its libraries are imported."""

from headrace.offsets import position_text, reached
from headrace.tables.batches import newest_closing, open_batch
from headrace.tables.names import BATCHES, LANDED
from headrace.tables.slices import Slice
from headrace.tables.warehouse import Warehouse


def nothing_to_land(warehouse: Warehouse, run_slice: Slice) -> str | None:
    """Why there is nothing to land, in words; None where a landing has to look for itself.

    It has to where tables are missing, a batch was left open, the topic is another one than before or ends
    before the position; a slice that is landed already is said and judged again.
    """
    if run_slice.ranges or not all(warehouse.exists(name) for name in (*LANDED, BATCHES)):
        return None
    newest = newest_closing(warehouse)
    if open_batch(warehouse) or (newest and newest.topic_id != run_slice.topic_id):
        return None
    if newest and not reached(run_slice.until, newest.position):
        return None  # the log ends before the position: was it cut off?
    end = position_text(run_slice.until)
    return f"nothing new: topic {run_slice.topic} ends at {end}, and up to there all is landed"
