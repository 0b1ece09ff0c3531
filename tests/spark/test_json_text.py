"""The example in the module's docstring, step by step; tests/spark/test_parse.py has what breaks readers."""

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from headrace_spark.json_text import MARK, as_written, fields_of, mark_of

TEXT = '{"power": 1.50e1, "note": "3 mills", "ok": true, "list": [1, "x"]}'


def test_numbers_are_marked_while_spark_reads_them_and_come_back_as_written(spark: SparkSession) -> None:
    text = F.col("text")
    fields = fields_of(text)
    read = F.transform_values(fields, lambda _, value: as_written(value, mark_of(text)))
    row = (
        spark.createDataFrame([(TEXT,)], "text STRING")
        .select(fields.alias("marked"), read.alias("read"))
        .head()
    )
    assert row is not None
    assert row.marked == {
        "power": f"{MARK}1.50e1",
        "note": "3 mills",
        "ok": "true",
        "list": f'["{MARK}1","x"]',
    }
    assert row.read == {"power": "1.50e1", "note": "3 mills", "ok": "true", "list": '[1,"x"]'}


@pytest.mark.parametrize("text", ['{"power": 1} {"power": 2}', '{"power": 1},{}'])
def test_two_objects_are_not_one(spark: SparkSession, text: str) -> None:
    row = (
        spark.createDataFrame([(text,)], "text STRING")
        .select(fields_of(F.col("text")).alias("fields"))
        .head()
    )
    assert row is not None
    assert row.fields is None
