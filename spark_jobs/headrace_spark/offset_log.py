"""Where a streaming query itself planned a micro-batch to end, read from the query's offset log."""

import json

from pyspark.sql import SparkSession

from headrace.errors import PositionBroken


def planned_end(spark: SparkSession, checkpoint: str, batch_id: int, topic: str) -> dict[int, int]:
    """The position that the query's micro-batch `batch_id` ends at, control records included.

    Raises:
        PositionBroken: the log does not say it in the form that this version knows.
    """
    entry = _read(spark, f"{checkpoint}/offsets/{batch_id}").splitlines()
    try:
        _, _, source = entry  # version, the query's own settings, then a line for each of its sources
        offsets = json.loads(source)[topic]
        return {int(partition): int(offset) for partition, offset in offsets.items()}
    except (ValueError, KeyError) as unknown:
        raise PositionBroken(
            f"the offset log of the streaming query has a form that is not known: {entry}; this Spark is of "
            "another version than the one that requirements.txt names"
        ) from unknown


def _read(spark: SparkSession, path: str) -> str:
    jvm = spark._jvm  # noqa: SLF001  # Hadoop's file systems have no public Python interface
    assert jvm is not None  # noqa: S101  # only Spark Connect has none
    location = jvm.org.apache.hadoop.fs.Path(path)
    stream = location.getFileSystem(spark._jsc.hadoopConfiguration()).open(location)  # noqa: SLF001  # as above
    try:
        return str(jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8"))
    finally:
        stream.close()
