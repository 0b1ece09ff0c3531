"""What a run did, in one line, for whoever looks at a list of runs."""

from zoneinfo import ZoneInfo

from headrace.contract.model import Contract
from headrace.reconcile.ledger import Entry
from headrace.tables.warehouse import Warehouse


def run_note(contract: Contract, warehouse: Warehouse, entry: Entry) -> str:
    """`12,480 landed, 3 quarantined, readings through 2018-12-31 23:50`, by the run's account.

    Through: up to where every entity has readings, in the contract's zone.
    """
    own = entry.slice
    if not own.ranges:
        return "nothing new"
    said = [f"{own.landed:,} landed"]
    if own.quarantined:
        said.append(f"{own.quarantined:,} quarantined")
    from headrace.tables.queries import complete_through  # it imports polars, and most runs have nothing new

    through = complete_through(warehouse)
    if through:
        zone = ZoneInfo(contract.record.event_time.timezone)
        said.append(f"readings through {through.astimezone(zone):%Y-%m-%d %H:%M}")
    return ", ".join(said)
