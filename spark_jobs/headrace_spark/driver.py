"""How a Spark stage ends: an error of Headrace becomes one line that the Airflow task understands."""

import json
import sys
from collections.abc import Callable

from headrace.errors import HeadraceError
from headrace_spark.failures import known_failure

ERROR_PREFIX = "HEADRACE-ERROR "
TERMINAL, TRANSIENT = 3, 4


def drive(stage: Callable[[], None]) -> None:
    """Run a stage; end the process with 3 after a terminal error, 4 after a transient one.

    Such an error is the line `HEADRACE-ERROR {"code": …, "transient": …, "message": …}`; any other keeps its
    traceback and exit code 1.
    """
    try:
        stage()
    except Exception as failed:
        error = failed if isinstance(failed, HeadraceError) else known_failure(failed)
        if error is None:
            raise
        said = {"code": error.code, "transient": error.transient, "message": str(error)}
        print(ERROR_PREFIX + json.dumps(said), flush=True)  # noqa: T201  # the task parses it
        sys.exit(TRANSIENT if error.transient else TERMINAL)
