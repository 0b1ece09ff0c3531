"""The contract's part on publishing: by whom a source's rows are published."""

import codecs
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from headrace.contract.part import Part
from headrace.contract.source import CsvSource

JAVA_CHARSETS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "ascii": "US-ASCII",
    "iso8859-1": "ISO-8859-1",
    "utf-16": "UTF-16",
    "utf-16-be": "UTF-16BE",
    "utf-16-le": "UTF-16LE",
}
"""Python's name of an encoding -> Java's, of those that Spark's CSV reader takes."""

NOT_SPARKS = ("preamble", "units", "comment", "trailing_delimiter", "trim")
"""What a CSV source can ask for and Spark's reader cannot do, or does by rules of its own."""


class Publish(Part):
    """How a source's rows come into the topic."""

    engine: Literal["worker", "spark"] = Field(
        "worker",
        description="what publishes: the Airflow worker, each row exactly once; or Spark Structured "
        "Streaming, CSV files alone, each row at least once: what a retry repeats lands as duplicates",
    )


def refused_by_spark(source: CsvSource) -> Iterator[str]:
    """What of a CSV source Spark cannot read, in words."""
    default = CsvSource(kind="csv", path=source.path)
    for name in NOT_SPARKS:
        if getattr(source, name) != getattr(default, name):
            yield f"source.{name}"
    if source.blank_lines == "skip":
        yield "source.blank_lines: skip"
    if codecs.lookup(source.encoding).name not in JAVA_CHARSETS:
        yield f"source.encoding: {source.encoding} (it reads {', '.join(JAVA_CHARSETS)})"
