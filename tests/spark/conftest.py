"""One Spark session for all tests of this folder; its zone is the one that most of their contracts have."""

import logging
import os
from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from headrace.settings import load_settings
from local.spark import spark_environment

ZONE = "Europe/Istanbul"


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """A local session with the jars and the configuration of the drivers."""
    os.environ.update(spark_environment(load_settings()))
    # When Python ends it tells of a closed connection, to a stream that pytest has closed before.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    session = (
        SparkSession.builder.master("local[2]")
        .appName("tests")
        .config("spark.sql.session.timeZone", ZONE)
        .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
        .getOrCreate()
    )
    yield session
    session.stop()
