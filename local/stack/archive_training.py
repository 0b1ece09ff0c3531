"""What a job of Headrace does, in small, so that Java's class-data archive holds the classes that jobs load.

Arguments: a topic with JSON records, an empty folder. The variable KAFKA: Spark's options of the broker.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa  # noqa: TID253  # a job of Spark
from deltalake import write_deltalake  # noqa: TID253  # as above
from pyspark.sql import DataFrame, SparkSession  # noqa: TID253  # as above
from pyspark.sql import functions as F  # noqa: N812, TID253  # Spark's own custom


def main(kafka: dict[str, str], topic: str, folder: Path) -> None:
    """Stream the topic through Python into a Delta table, aggregate it, read the result back."""
    spark = SparkSession.builder.appName("archive training").getOrCreate()
    table = str(folder / "table")

    def parsed(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            records = [json.loads(value) for value in batch["value"].to_pylist()]
            yield pa.RecordBatch.from_pylist(
                [{"at": record["at"], "power": record["power"]} for record in records]
            )

    def land(records: DataFrame, _: int) -> None:
        chosen = records.select("key", "value", "headers", "partition", "offset", "timestamp").coalesce(1)
        rows = chosen.mapInArrow(parsed, "at STRING, power STRING").toArrow()
        signals = [[("power", power)] for power in rows["power"].to_pylist()]
        mapped = pa.array(signals, pa.map_(pa.string(), pa.string()))
        write_deltalake(table, rows.append_column("signals", mapped), mode="append")

    query = (
        spark.readStream.format("kafka")
        .options(**kafka)
        .option("subscribe", topic)
        .option("startingOffsets", "earliest")
        .option("kafka.isolation.level", "read_committed")
        .option("includeHeaders", "true")
        .option("maxOffsetsPerTrigger", "100")
        .load()
        .writeStream.foreachBatch(land)
        .option("checkpointLocation", str(folder / "checkpoint"))
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    at = F.try_to_timestamp(F.col("at"), F.lit("dd MM yyyy HH:mm"))
    landed = spark.read.format("delta").load(table).withColumns({"at": at, "day": F.to_date(at)})
    names = spark.createDataFrame([("power", "power_average")], "signal STRING, name STRING")
    hours = (
        landed.select("day", F.date_trunc("hour", "at").alias("hour"), F.explode("signals"))
        .withColumnRenamed("key", "signal")
        .join(F.broadcast(names), "signal")
        .groupBy("day", "hour")
        .agg(F.avg(F.when(F.col("name") == "power_average", F.expr("try_cast(value AS DOUBLE)"))))
    )
    hours.toArrow()
    landed.where("day = '2018-01-01'").groupBy("day").agg(F.count_distinct("at"), F.min("at")).toArrow()
    spark.stop()


if __name__ == "__main__":
    main(json.loads(os.environ["KAFKA"]), sys.argv[1], Path(sys.argv[2]))
