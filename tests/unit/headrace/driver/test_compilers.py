"""Java's compilers by the size of a slice."""

import pytest

from headrace.driver.compilers import BOTH_FROM, OPTIONS, QUICK_ONLY, by_size
from headrace.tables.slices import Slice, new_slice


def a_slice(records: int) -> Slice:
    """Of two partitions."""
    return new_slice("run", "t", "id", {0: 0, 1: 5}, {0: records - 10, 1: 15})


def test_a_small_slice_has_the_quick_compiler_only() -> None:
    given = {OPTIONS: f"-Xss4m {QUICK_ONLY}", "TZ": "UTC"}
    assert by_size(given, a_slice(BOTH_FROM - 1)) == given
    assert by_size(given, None) == given


def test_a_large_slice_has_both_and_every_other_option() -> None:
    given = {OPTIONS: f"-Xss4m {QUICK_ONLY} -XX:-UsePerfData", "TZ": "UTC"}
    assert by_size(given, a_slice(BOTH_FROM)) == {OPTIONS: "-Xss4m -XX:-UsePerfData", "TZ": "UTC"}


@pytest.mark.parametrize("given", [{}, {OPTIONS: ""}, {OPTIONS: "-Xss4m"}, {OPTIONS: f"{QUICK_ONLY}0"}])
def test_options_of_others_stay_as_they_are(given: dict[str, str]) -> None:
    assert by_size(given, a_slice(BOTH_FROM)) == given
