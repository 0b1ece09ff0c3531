"""Spark's own ceiling: a topic's bytes into one Delta table, nothing read of them and nothing checked."""

import json

from pyspark.sql import DataFrame, SparkSession

from headrace.driver.protocol import read_job
from headrace.kafka.spark_options import spark_options
from headrace.task_log import say

COLUMNS = ("key", "value", "headers", "partition", "offset", "timestamp")


def main() -> None:
    """Land the whole topic in micro-batches of the contract's size."""
    job = read_job()
    assert job.slice
    topic, size = job.slice.topic, job.contract.load().landing.max_records_per_batch
    spark = SparkSession.builder.appName("raw").getOrCreate()

    def append(records: DataFrame, number: int) -> None:
        records.write.format("delta").mode("append").save(str(job.warehouse / "raw"))
        say(f"batch {number}")

    query = (
        spark.readStream.format("kafka")
        .options(**spark_options(job.kafka))
        .option("assign", json.dumps({topic: sorted(job.slice.until)}))
        .option("startingOffsets", "earliest")
        .option("kafka.isolation.level", "read_committed")
        .option("includeHeaders", "true")
        .option("maxOffsetsPerTrigger", size)
        .load()
        .select(*COLUMNS)
        .writeStream.foreachBatch(append)
        .option("checkpointLocation", str(job.warehouse / "checkpoint"))
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()


if __name__ == "__main__":
    main()
