"""The standard input of this driver's JVM, which its keeper, and then its task, writes to."""

from typing import Any

from pyspark.sql import SparkSession


class Inbox:
    """What comes to the JVM; spark-submit does not hand its standard input on to Python."""

    def __init__(self, spark: SparkSession) -> None:
        jvm = spark._jvm  # noqa: SLF001  # pyspark has no public way to the JVM
        assert jvm is not None  # noqa: S101  # a classic session has one
        self._stream: Any = getattr(jvm.java.lang.System, "in")
        reader = jvm.java.io.InputStreamReader(self._stream, "UTF-8")
        self._lines: Any = jvm.java.io.BufferedReader(reader)

    def has_post(self) -> bool:
        """Whether a line has come."""
        return bool(self._stream.available())

    def read(self) -> str | None:
        """The next line, when it has come; None when nobody is left who could write one."""
        line: str | None = self._lines.readLine()
        return line
