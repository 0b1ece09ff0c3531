"""What a full disk is to Headrace, in the words of the three that may meet it: Java, delta-rs and Python."""

import pytest

from headrace_spark.failures import known_failure

SAID = (
    "py4j: java.io.IOException: No space left on device",
    "java.io.IOException: File too large",
    # delta-rs 1.6, seen with RLIMIT_FSIZE under `batches`
    "External: Generic LocalFileSystem error: Unable to copy data to file: File too large (os error 27)",
    "[Errno 122] Disk quota exceeded: '/warehouse/mill/batches'",
)


@pytest.mark.parametrize("said", SAID)
def test_a_full_disk_is_a_warehouse_that_may_be_written_later(said: str) -> None:
    error = known_failure(OSError(said))
    assert error is not None
    assert (error.code, error.transient) == ("HR405", True)


def test_an_executors_python_that_was_killed_is_tried_again() -> None:
    error = known_failure(
        RuntimeError("org.apache.spark.SparkException: Python worker exited unexpectedly (crashed)")
    )
    assert error is not None
    assert error.transient
    assert "was it killed, or out of memory" in str(error)


def test_what_is_not_known_stays_what_it_is() -> None:
    assert known_failure(ValueError("something else")) is None
