"""The script as people write it: from_json into a Delta table, everything as it comes; it checks nothing."""

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from headrace.driver.protocol import read_job
from headrace.kafka.spark_options import spark_options


def main() -> None:
    """Land the whole topic."""
    job = read_job()
    assert job.slice
    fields = [signal.fields[0] for signal in job.contract.load().record.signals]
    spark = (
        SparkSession.builder.appName("naive")
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("INFO")
    schema = ", ".join(f"`{name}` STRING" for name in ("Date/Time", *fields))
    signals = [part for name in fields for part in (F.lit(name), F.col(f"record.{name}"))]
    signal_ts = F.try_to_timestamp("record.Date/Time", F.lit("dd MM yyyy HH:mm"))
    query = (
        spark.readStream.format("kafka")
        .options(**spark_options(job.kafka))
        .option("subscribe", job.slice.topic)
        .option("startingOffsets", "earliest")
        .option("kafka.isolation.level", "read_committed")
        .load()
        .select(F.from_json(F.col("value").cast("string"), schema).alias("record"))
        .select(
            F.to_date(signal_ts).alias("signal_date"),
            signal_ts.alias("signal_ts"),
            F.current_date().alias("create_date"),
            F.current_timestamp().alias("create_ts"),
            F.create_map(*signals).alias("signals"),
        )
        .writeStream.format("delta")
        .option("checkpointLocation", str(job.warehouse / "checkpoint"))
        .trigger(availableNow=True)
        .start(str(job.warehouse / "naive"))
    )
    query.awaitTermination()
    spark.stop()


if __name__ == "__main__":
    main()
