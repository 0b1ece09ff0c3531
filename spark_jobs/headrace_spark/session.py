"""The Spark session of a stage; master, jars and memory come from spark-defaults."""

from pyspark.sql import SparkSession

from headrace.contract.model import Contract

AUTO_COMPACT = "spark.databricks.delta.autoCompact"


def build_session(contract: Contract, stage: str) -> SparkSession:
    """A session that reads and shows local times in the contract's zone."""
    return (
        SparkSession.builder.appName(f"{stage}:{contract.stream}")
        .config("spark.sql.session.timeZone", contract.record.event_time.timezone)
        # Else Spark asks its old parser about each text that the new one refuses, and raises if they differ.
        .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
        # Small files are compacted by the commit that finds them, see `tables.append`. Files of
        # 8 MB are left alone: with Delta's 64 MB each compaction took longer than the one before.
        .config(f"{AUTO_COMPACT}.enabled", "true")
        .config(f"{AUTO_COMPACT}.minFileSize", str(8 << 20))
        .config(f"{AUTO_COMPACT}.maxFileSize", str(16 << 20))
        # In any zone but UTC Delta reads a table's log once more after each commit, to check its checksum.
        .config("spark.databricks.delta.allFilesInCrc.verificationMode.forceOnNonUTC.enabled", "false")
        # VACUUM lists a table's folder in so many tasks, 10,000 by default: minutes for a few files.
        .config("spark.sql.sources.parallelPartitionDiscovery.parallelism", "16")
        .getOrCreate()
    )
