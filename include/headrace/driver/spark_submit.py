"""The spark-submit of this very Python environment, and what makes it use this Python.

PATH may lead to another Spark, and spark-submit finds pyspark and Python by PATH.
"""

import os
import sys
from pathlib import Path

_BINARIES = Path(sys.executable).parent

SPARK_SUBMIT = str(_BINARIES / "spark-submit")


def python_environment() -> dict[str, str]:
    """Driver and workers must be the Python that has the project installed."""
    return {
        "PATH": os.pathsep.join((str(_BINARIES), os.environ.get("PATH", os.defpath))),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }
