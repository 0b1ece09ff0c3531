"""The analysis as people write it: a pass over all readings for each table, every setting as it comes.

It checks nothing, and computes all days whenever it runs.
"""

import json

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.driver.protocol import read_job

POWER = "LV ActivePower (kW)"


def main() -> None:
    """Read all readings, twice, and write both tables."""
    job = read_job()
    contract = job.contract.load()
    spark = (
        SparkSession.builder.appName("naive")
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.sql.session.timeZone", contract.record.event_time.timezone)
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("INFO")
    folder = job.warehouse / contract.stream
    readings = spark.read.format("delta").load(str(folder / "readings"))
    daily = readings.groupBy("signal_date").agg(F.countDistinct("signal_ts").alias("distinct_signal_ts"))
    _write(daily, str(job.warehouse / "naive" / "daily"))
    file = contract.analysis.signal_names_file
    assert file
    names = spark.createDataFrame(json.loads(file.read_text("utf-8-sig"))).distinct()
    signals = readings.select(
        "signal_date",
        F.date_trunc("hour", "signal_ts").alias("hour"),
        F.explode("signals").alias("sig_name", "value"),
    )
    averages = (
        signals.groupBy("signal_date", "hour", "sig_name")
        .agg(F.avg(F.col("value").try_cast("double")).alias("average"))
        .join(F.broadcast(names), "sig_name")
        .groupBy("signal_date", "hour")
        .pivot("sig_mapping_name")
        .agg(F.first("average"))
    )
    power = F.col("active_power_average")
    band = F.when(power < 200, "Low").when(power < 600, "Medium").when(power < 1000, "High")
    _write(
        averages.withColumn("generation_indicator", band.otherwise("Exceptional")),
        str(job.warehouse / "naive" / "hourly"),
    )
    spark.stop()


def _write(frame: DataFrame, path: str) -> None:
    frame.write.format("delta").mode("overwrite").save(path)


if __name__ == "__main__":
    main()
