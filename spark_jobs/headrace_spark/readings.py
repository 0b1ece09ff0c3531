"""The table `readings` as Spark reads it."""

from pyspark.sql import DataFrame, SparkSession

from headrace.tables.names import READINGS
from headrace.tables.warehouse import Warehouse


def read_readings(spark: SparkSession, warehouse: Warehouse, version: int) -> DataFrame:
    """The readings as of that version of the table."""
    reader = spark.read.format("delta").option("versionAsOf", version)
    return reader.load(str(warehouse.table(READINGS)))
