"""The one Spark session of all tests; its zone is the one that most contracts of this folder have."""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from testbed.stages import warm_session

ZONE = "Europe/Istanbul"


@pytest.fixture(scope="package")
def spark() -> Iterator[SparkSession]:
    """A local session with the jars and the configuration of the drivers."""
    session = warm_session()
    session.conf.set("spark.sql.session.timeZone", ZONE)
    session.conf.set("spark.sql.legacy.timeParserPolicy", "CORRECTED")
    yield session
    session.conf.unset("spark.sql.session.timeZone")
