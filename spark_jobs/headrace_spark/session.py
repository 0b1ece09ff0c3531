"""The Spark session of a stage; master, jars and memory come from spark-defaults."""

from pyspark.sql import SparkSession

from headrace.contract.model import Contract


def build_session(contract: Contract, stage: str) -> SparkSession:
    """A session that reads and shows local times in the contract's zone."""
    return (
        SparkSession.builder.appName(f"{stage}:{contract.stream}")
        .config("spark.sql.session.timeZone", contract.record.event_time.timezone)
        # Else Spark asks its old parser about each text that the new one refuses, and raises if they differ.
        .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
        .getOrCreate()
    )
