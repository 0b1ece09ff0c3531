"""What a run measured, by Airflow's own StatsD or OpenTelemetry settings: `headrace.<stream>.<name>`.

Where neither is set up, nothing is sent. The stream stands in the name: plain StatsD has no tags.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from headrace.contract.model import Contract
from headrace.tables.warehouse import Warehouse

if TYPE_CHECKING:
    from headrace.reconcile.ledger import Entry

MEASURES = {
    "records.landed": "records that became readings in this run",
    "records.quarantined": "records that this run put into quarantine, duplicates among them",
    "batch.seconds": "what each of the run's batches took, from its beginning to its closing",
    "lag": "offsets of the topic that consumers can read and that are not landed",
    "behind.seconds": "age of the newest analysed reading, of the entity whose readings end first",
}
"""What each is; docs/grafana/headrace.json shows them."""

BATCHES = 1_000
"""Of whose seconds a run tells at most: one of more is a first landing, whose newest say enough."""


@dataclass(frozen=True)
class Measure:
    """One figure: a counter goes up by it, a gauge stands at it, a timing took so many seconds."""

    name: str
    kind: Literal["counter", "gauge", "timing"]
    value: float


def send_measures(contract: Contract, warehouse: Warehouse, config: dict[str, Any], entry: "Entry") -> None:
    """Send what the run of that account measured, if Airflow is told to send anything.

    Raises:
        BrokerUnreachable: the topic's end cannot be asked for just now.
    """
    from airflow.sdk._shared.observability.metrics.base_stats_logger import NoStatsLogger
    from airflow.sdk.observability import stats
    from airflow.sdk.observability.metrics.stats_utils import get_stats_factory

    if get_stats_factory() is NoStatsLogger:
        return
    for each in measures(contract, warehouse, config, entry):
        name = f"headrace.{contract.stream}.{each.name}"
        if each.kind == "counter":
            stats.incr(name, count=int(each.value))
        elif each.kind == "gauge":
            stats.gauge(name, each.value)
        else:
            stats.timing(name, each.value * 1000)  # milliseconds, as Airflow's own are


def measures(
    contract: Contract, warehouse: Warehouse, config: dict[str, Any], entry: "Entry"
) -> Iterator[Measure]:
    """What the run of that account measured; an idle one says how the stream stands."""
    from headrace.kafka.topics import log_end
    from headrace.offsets import lag
    from headrace.tables.batches import landed_position, newest_batches
    from headrace.tables.queries import complete_through

    if entry.slice.ranges:
        yield Measure("records.landed", "counter", entry.slice.landed)
        yield Measure("records.quarantined", "counter", entry.slice.quarantined)
        for batch in newest_batches(warehouse, BATCHES):
            if batch.run_id == entry.run_id and batch.kind == "batch":
                yield Measure("batch.seconds", "timing", (batch.finished - batch.started).total_seconds())
    position = landed_position(warehouse, entry.topic_id)
    yield Measure("lag", "gauge", lag(position, log_end(config, contract.topic.name)))
    through = complete_through(warehouse)
    if through:
        yield Measure("behind.seconds", "gauge", (datetime.now(UTC) - through).total_seconds())
