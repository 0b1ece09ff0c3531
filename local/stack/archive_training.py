"""What a job of Headrace does, in small, so that Java's class-data archive holds the classes that jobs load.

Arguments: a broker's address, a topic with JSON records, an empty folder.
"""

import sys
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession  # noqa: TID253  # a job of Spark
from pyspark.sql import functions as F  # noqa: N812, TID253  # Spark's own custom


def main(bootstrap: str, topic: str, folder: Path) -> None:
    """Stream the topic into a Delta table, aggregate it, replace days of the result."""
    spark = SparkSession.builder.appName("archive training").getOrCreate()
    table, gold = str(folder / "table"), str(folder / "gold")

    def land(records: DataFrame, number: int) -> None:
        parsed = F.from_json(F.col("value").cast("string"), "at STRING, power STRING")
        rows = records.select(parsed.alias("record"), F.struct("partition", "offset").alias("provenance"))
        at = F.try_to_timestamp(F.col("record.at"), F.lit("dd MM yyyy HH:mm"))
        signals = F.create_map(F.lit("power"), F.col("record.power"))
        good = rows.select(at.alias("at"), F.to_date(at).alias("day"), signals.alias("signals"), "provenance")
        options = {"txnAppId": "training", "txnVersion": str(number), "userMetadata": "training"}
        good.write.format("delta").mode("append").options(**options).save(table)

    query = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", bootstrap)
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
    landed = spark.read.format("delta").load(table)
    names = spark.createDataFrame([("power", "power_average")], "signal STRING, name STRING")
    hours = (
        landed.select("day", F.hour("at").alias("hour"), F.explode("signals").alias("signal", "value"))
        .join(F.broadcast(names), "signal")
        .groupBy("day", "hour")
        .pivot("name", ["power_average"])
        .agg(F.avg(F.expr("try_cast(value AS DOUBLE)")))
    )
    for where in (None, "day = '2018-01-01'"):
        rows = hours if where is None else hours.where(where)
        write = rows.write.format("delta").mode("overwrite").option("userMetadata", "training")
        (write if where is None else write.option("replaceWhere", where)).save(gold)
    spark.read.format("delta").load(gold).agg(F.countDistinct("hour"), F.min("day")).collect()
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
