"""Which engine lands a slice: Spark, or this process without a JVM."""

from headrace.land.landing import Landing, land
from headrace.land.worker import land_in_worker
from headrace.offsets import lag
from headrace.tables.batches import landed_position

SPARK_FROM = 2_000_000
"""Offsets from which `auto` takes Spark: there a host of many cores has won back what Spark's start costs.

With two cores they had not by then: docs/performance.md has the figures.
"""


def needs_spark(landing: Landing) -> bool:
    """Whether the slice's rest is for Spark by the contract; a slice without a rest never is."""
    left = lag(
        landed_position(landing.attempt.warehouse, landing.run_slice.topic_id), landing.run_slice.until
    )
    engine = landing.attempt.contract.landing.engine
    return left > 0 and (engine == "spark" or (engine == "auto" and left >= SPARK_FROM))


def land_here(landing: Landing) -> None:
    """Land the slice in this process, as the stream's one writer; raises as `land`, and

    Raises:
        StreamLocked: another process writes to the stream's tables.
    """
    with landing.attempt.warehouse.writing():
        land(landing, land_in_worker)
