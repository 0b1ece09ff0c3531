"""Whether a stream's readings end too long ago, and whether that is news."""

from datetime import datetime, timedelta

from headrace.reconcile.ledger import newest_entries
from headrace.tables.queries import newest_readings
from headrace.tables.warehouse import Warehouse


def behind(warehouse: Warehouse, limit: timedelta, now: datetime) -> str | None:
    """What to tell of the entity whose readings end first; None within `limit`, or if it is no news.

    It is news to the first run after the moment at which the limit was passed: the account before the newest
    is of the run that could have told it.
    """
    newest = newest_readings(warehouse)
    if not newest:
        return None
    entity, last = min(newest.items(), key=lambda each: each[1])
    passed = last + limit
    before = [entry.finished for entry in newest_entries(warehouse, 2)[:-1]]
    if now < passed or any(passed <= finished for finished in before):
        return None
    of = "" if entity is None else f" of {entity}"
    return (
        f"The newest reading{of} is of {last.isoformat()}, more than {limit} ago. Every record that came is "
        "accounted for: what is missing did not come."
    )
