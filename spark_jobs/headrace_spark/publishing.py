"""Publishing by Spark: a streaming query from a folder of CSV files into the topic.

Its files are the spool's copies, a few at a time, so that a driver that is killed has only those to repeat.
Before one record is sent, what Spark reads is held against what the worker's reader has read.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.errors import SourceError
from headrace.kafka.spark_options import spark_options
from headrace.kafka.topics import require_topic_id
from headrace.publish.handing_over import note_published
from headrace.publish.sources.rows import source_rows
from headrace.tables.attempt import Attempt
from headrace.task_log import say
from headrace_spark.scratch import scratch, url
from headrace_spark.source_files import (
    DIGESTS,
    FILE,
    RECORDS,
    Digests,
    Records,
    SourceFile,
    digest_of,
    read_options,
    schema,
)

FILES = 20
"""Files of one query; each query takes about a second of its own."""

PRODUCER = {"kafka.acks": "all", "kafka.enable.idempotence": "true", "kafka.compression.type": "lz4"}
"""Within one producer nothing is repeated or put in another order; a task that is tried again has another."""


@dataclass(frozen=True)
class Publishing:
    """One driver's: what it publishes, from the spool's copies, and how it reaches the broker."""

    spark: SparkSession
    attempt: Attempt
    spool: Path
    kafka: Mapping[str, Any]

    def publish(self, files: Sequence[SourceFile]) -> None:
        """Publish the files, in their order, and note of each that it is published.

        Raises:
            SourceError: Spark reads another content than the worker's reader.
            TopicRecreated, TopicMissing, BrokerUnreachable, WarehouseUnavailable
        """
        for some in _alike(files):
            self._publish(some)

    def _publish(self, files: Sequence[SourceFile]) -> None:
        for file in files:
            require_topic_id(dict(self.kafka), file.publication.topic, file.publication.topic_id)
        name = f"{self.attempt.try_id}.{files[0].publication.publication}"
        with scratch(self.attempt.contract.stream, name) as own:
            folder = own / "in"
            folder.mkdir()
            for file in files:
                _link(self._copy(file), folder / file.name)
            self._require_same_reading(files, folder)
            self._stream(files, folder, own / "checkpoint")
        note_published(self.attempt.warehouse, dict(self.kafka), [file.publication for file in files])
        rows = sum(file.publication.rows for file in files)
        names = ", ".join(file.publication.source for file in files)
        say(f"published {rows:,} rows of {len(files)} files: {names}")

    def _copy(self, file: SourceFile) -> Path:
        return self.spool / file.publication.copy_sha256

    def _require_same_reading(self, files: Sequence[SourceFile], folder: Path) -> None:
        """Readers' rules for quotes and ends of lines differ: where that shows, nothing is published."""
        reader = self.spark.read.options(**read_options(files[0])).schema(schema(files[0]))
        found = _named(reader.csv(url(folder))).mapInArrow(Digests(files), DIGESTS).collect()
        by_spark = {row["file"]: (row["rows"], row["digest"]) for row in found}
        for file in files:
            rows = source_rows(self._copy(file), file.source)
            own = digest_of(file.records(rows))
            other = by_spark.get(file.name, (0, own[1]))
            if own != other:
                raise SourceError(
                    f"{file.publication.source}: Spark's CSV reader makes {other[0]:,} rows of it, the "
                    f"worker's {own[0]:,}, and not the same texts (quotes, or line breaks within them?); set "
                    "publish.engine: worker in the contract"
                )

    def _stream(self, files: Sequence[SourceFile], folder: Path, checkpoint: Path) -> None:
        reader = self.spark.readStream.options(**read_options(files[0])).schema(schema(files[0]))
        query = (
            _named(reader.csv(url(folder)))
            .mapInArrow(Records(files), RECORDS)
            .writeStream.format("kafka")
            .options(**PRODUCER, **spark_options(self.kafka))
            .option("topic", files[0].publication.topic)
            .option("checkpointLocation", url(checkpoint))
            .trigger(availableNow=True)
            .start()
        )
        try:
            query.awaitTermination()
        finally:
            query.stop()


def _named(rows: DataFrame) -> DataFrame:
    """The rows with the names of their files."""
    return rows.select("*", F.col("_metadata.file_name").alias(FILE))


def _alike(files: Sequence[SourceFile]) -> Iterator[Sequence[SourceFile]]:
    """Files that one query can read: of the same options and as many columns."""

    def reading(file: SourceFile) -> tuple[str, str, str]:
        return file.publication.topic, schema(file).json(), str(read_options(file))

    for _, same in groupby(files, key=reading):
        while some := [*islice(same, FILES)]:
            yield some


def _link(copy: Path, name: Path) -> None:
    """The copy under that name, without a copy of it where the file system can do so."""
    try:
        os.link(copy, name)
    except OSError:
        shutil.copyfile(copy, name)
