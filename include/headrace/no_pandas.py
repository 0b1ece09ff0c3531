"""Arrow without pandas, which pyarrow imports at its first array or scalar: 0.7 s of a command's one."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType


class _NoPandas(MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def spare_pandas() -> None:
    """Let pyarrow find no pandas when it looks for it the first time; for a process that is ours alone.

    It looks once and then knows (pyarrow 26); what needs pandas, such as `to_pandas`, looks again. But it
    makes no array of a Series that holds `pd.NA` any more: a task of Airflow imports pandas, if it must,
    before it is forked (headrace_airflow/executor.py), and what only looks reads without pyarrow.
    """
    import pyarrow as pa

    if "pandas" not in sys.modules:
        finder = _NoPandas()
        sys.meta_path.insert(0, finder)
        try:
            pa.scalar(None)
        finally:
            sys.meta_path.remove(finder)
