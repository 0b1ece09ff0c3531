"""The Spark session of a stage; master, jars and memory come from spark-defaults."""

from pyspark.sql import SparkSession

from headrace.contract import Contract


def build_session(contract: Contract, stage: str) -> SparkSession:
    """A session that reads and shows local times in the contract's zone."""
    return (
        SparkSession.builder.appName(f"{stage}:{contract.stream}")
        .config("spark.sql.session.timeZone", contract.record.event_time.timezone)
        # Else the parser of old is asked about each text that the new one refuses, and a difference raises.
        .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
        .getOrCreate()
    )
