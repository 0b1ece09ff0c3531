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


LACKING = (
    "Traceback (most recent call last):\n  …\nModuleNotFoundError: No module named 'pyarrow'\n",
    "[PYTHON_VERSION_MISMATCH] Python in worker has different version: 3.9 than that in driver: 3.11",
    'java.io.IOException: Cannot run program "python3.11": Exec failed, error: 2 (No such file or directory)',
)


@pytest.mark.parametrize("said", LACKING)
def test_an_executor_that_lacks_python_or_a_package_is_a_wrong_setting_and_named(said: str) -> None:
    error = known_failure(RuntimeError(said))
    assert error is not None
    assert (error.code, error.transient) == ("HR101", False)
    assert said.strip().splitlines()[-1] in str(error)
    assert "docs/how-to/real-kafka-and-spark.md" in str(error)


def test_a_module_that_the_driver_itself_lacks_is_not_the_executors() -> None:
    assert known_failure(ModuleNotFoundError("No module named 'pyarrow'")) is None


def test_what_is_not_known_stays_what_it_is() -> None:
    assert known_failure(ValueError("something else")) is None
