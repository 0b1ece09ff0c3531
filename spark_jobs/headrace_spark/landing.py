"""Landing by Spark: one streaming query over the slice, whose executors parse and stage each micro-batch."""

from dataclasses import dataclass, field

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession

from headrace.errors import TransientError
from headrace.kafka.reader import require_readable
from headrace.land.landing import Landing
from headrace.offsets import Ranges, advance, between, clip, reached
from headrace.staging.staged import Staged
from headrace.staging.staging import Staging
from headrace_spark.failures import known_failure
from headrace_spark.kafka_source import stream_records, within
from headrace_spark.offset_log import planned_end
from headrace_spark.scratch import scratch, url
from headrace_spark.staging import stage_on_executors

KAFKAS_OWN = "org.apache.kafka.common"
"""In the text of whatever Kafka's client throws, as where it cannot read a batch of records."""


@dataclass
class _Stream:
    """The streaming query's view of the slice: what of each micro-batch is still to be landed."""

    spark: SparkSession
    landing: Landing
    stands: dict[int, int]
    checkpoint: str
    failure: BaseException | None = field(default=None)

    def take(self, records: DataFrame, batch_id: int) -> None:
        """Land one micro-batch, clipped to the slice."""
        try:
            self._land(records, batch_id)
        except BaseException as failed:
            self.failure = failed  # on its way through the JVM an error becomes a text
            raise

    def _land(self, records: DataFrame, batch_id: int) -> None:
        landing, run_slice = self.landing, self.landing.run_slice
        end = planned_end(self.spark, self.checkpoint, batch_id, run_slice.topic)
        ranges = between(self.stands, clip(end, run_slice.until))
        if not ranges:
            return
        if not reached(run_slice.until, end):  # else the filter's offsets are new code for every batch
            records = within(records, ranges)
        landing.land_batch(ranges, lambda staging: self._stage(records, ranges, staging))
        self.stands = advance(self.stands, ranges)

    def _stage(self, records: DataFrame, ranges: Ranges, staging: Staging) -> Staged:
        """Stage the records; where they are not to blame, or nobody can read them, that is named at once."""
        landing = self.landing
        try:
            return stage_on_executors(records, landing.parser, staging, sum(map(len, ranges)))
        except Exception as failed:
            known = known_failure(failed)
            if known is not None and type(known) is not TransientError:
                raise known from failed
            if KAFKAS_OWN in str(failed):
                require_readable(landing.kafka, landing.run_slice.topic, ranges)
            raise

    @property
    def covered(self) -> bool:
        """Whether the slice is landed."""
        return reached(self.stands, self.landing.run_slice.until)


def land_by_spark(spark: SparkSession, landing: Landing, stands: dict[int, int]) -> dict[int, int]:
    """Land from the position to the slice's end with one streaming query of its own; an `Engine`."""
    run_slice, contract = landing.run_slice, landing.attempt.contract
    start = {partition: stands.get(partition, 0) for partition in run_slice.until}
    records = stream_records(spark, landing.kafka, run_slice.topic, start, landing.batch_size)
    # A checkpoint of its own, never resumed, for the tables know the position: where another query's plan
    # stood in its place, a batch would claim records that it does not hold.
    with scratch(contract.stream, landing.attempt.try_id) as folder:
        checkpoint = url(folder)
        stream = _Stream(spark, landing, start, checkpoint)
        query = (
            records.writeStream.foreachBatch(stream.take)
            .option("checkpointLocation", checkpoint)
            .trigger(availableNow=True)
            .start()
        )
        try:
            # A topic that has grown past the slice would keep the query planning batches that hold nothing.
            while not query.awaitTermination(1) and not stream.covered:
                pass
        except StreamingQueryException as failed:
            raise stream.failure or failed from failed
        finally:
            query.stop()
    return stream.stands
