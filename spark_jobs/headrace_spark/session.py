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
        # A micro-batch leaves a small file: after fifty of them Delta clusters those into one, in a commit of
        # its own. Without it every read opens as many files as there were batches (delta-io/delta#859).
        .config("spark.databricks.delta.autoCompact.enabled", "true")
        # VACUUM lists a table's folder in so many tasks, 10,000 by default: minutes for a few files.
        .config("spark.sql.sources.parallelPartitionDiscovery.parallelism", "16")
        .getOrCreate()
    )
