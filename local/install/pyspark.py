"""Where the installed pyspark is."""

from importlib.util import find_spec
from pathlib import Path

from headrace.errors import SetupFailed


def spark_home() -> Path:
    """The installed pyspark's folder, which holds Spark itself.

    Raises:
        SetupFailed: pyspark is not installed.
    """
    spec = find_spec("pyspark")
    if spec is None or not spec.submodule_search_locations:
        raise SetupFailed("pyspark is not installed in this environment: run `make setup`.")
    return Path(spec.submodule_search_locations[0])
