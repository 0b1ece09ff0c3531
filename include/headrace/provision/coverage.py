"""Whether a topic keeps its records for as long as nobody may come to land them; pure."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from croniter import croniter

from headrace.contract.model import Contract

RETENTION = "retention.ms"
BROKERS_DEFAULT = "604800000"
"""Kafka's own: seven days."""

PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
}
"""Airflow's presets; `@once` and `@continuous` leave no gap that would be known."""

MILLISECOND = timedelta(milliseconds=1)

FIRES = 400
"""So many times of a schedule are looked at for its longest gap: a year and more of a daily one."""


def uncovered(contract: Contract, config: Mapping[str, str]) -> Iterator[str]:
    """Why records could be removed before anybody lands them; `config`: the topic's, where it is there.

    What an own source publishes is landed by the same run, so only `longest_downtime` lies between; an
    external topic has to wait for the next run besides.
    """
    declared = contract.topic.config
    policy = declared.get("cleanup.policy", config.get("cleanup.policy", "delete"))
    kept = retention(declared.get(RETENTION, config.get(RETENTION, BROKERS_DEFAULT)))
    between = timedelta(0) if contract.own_source else longest_gap(contract.schedule)
    down = contract.topic.longest_downtime or timedelta(0)
    if "delete" not in policy or kept is None or kept >= between + down:
        return
    why = [f"runs are up to {between} apart"] if between else []
    why += [f"topic.longest_downtime is {down}"] if down else []
    yield (
        f"its {RETENTION} keeps records for {kept}, but {' and '.join(why)}: the broker could remove records "
        f"before they are landed. Set {RETENTION} of topic.config to {(between + down) // MILLISECOND} or "
        "more, or to -1"
    )


def longest_gap(schedule: str | None) -> timedelta:
    """The longest time between two runs of a schedule; nothing where it is not known."""
    cron = PRESETS.get(schedule or "", schedule)
    if cron is None or cron.startswith("@"):
        return timedelta(0)
    fires = croniter(cron, datetime(2026, 1, 1, tzinfo=UTC), ret_type=datetime)
    times = [fires.get_next() for _ in range(FIRES)]
    return max(after - before for before, after in pairwise(times))


def retention(value: str | None) -> timedelta | None:
    """A `retention.ms` as a duration; None for one without end, or none that the broker would take."""
    if value is None or not value.isascii() or not value.isdigit():
        return None
    return timedelta(milliseconds=min(int(value[:16]), 10**14))
