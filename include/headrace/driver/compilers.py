"""Java's compilers by the work that there is: one that is quick for seconds of it, both for minutes."""

from collections.abc import Mapping

from headrace.tables.slices import Slice

QUICK_ONLY = "-XX:TieredStopAtLevel=1"
"""The first compiler alone, C1. A stack whose drivers are short-lived gives it in OPTIONS."""

OPTIONS = "SPARK_SUBMIT_OPTS"
"""spark-submit puts the options of this variable before those of its configuration."""

BOTH_FROM = 4_000_000
"""Records from which both compilers have won back the 9 s of processor time that the second one costs.

Of 1 M records to land C1 alone took 26.9 s and both 36.0; the second million cost 18.1 s and 14.8
(docs/performance.md).
"""


def by_size(environment: Mapping[str, str], run_slice: Slice | None) -> dict[str, str]:
    """The driver's environment for a slice of that size."""
    options = environment.get(OPTIONS, "").split()
    if QUICK_ONLY not in options or run_slice is None or sum(map(len, run_slice.ranges)) < BOTH_FROM:
        return dict(environment)
    return {**environment, OPTIONS: " ".join(option for option in options if option != QUICK_ONLY)}
