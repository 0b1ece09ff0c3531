"""What Spark's own failures mean to Headrace, where that is known."""

from headrace.errors import (
    BrokerUnreachable,
    ForeignCommit,
    HeadraceError,
    RecordsExpired,
    TransientError,
    WarehouseUnavailable,
)

KNOWN: tuple[tuple[type[HeadraceError], tuple[str, ...], str], ...] = (
    (
        WarehouseUnavailable,
        (
            *("No space left on device", "Disk quota exceeded", "File too large"),
            *("Permission denied", "Read-only file system"),
        ),
        "the warehouse or Spark's temporary folder could not be written; free space or permit writing",
    ),
    (
        RecordsExpired,
        ("KAFKA_DATA_LOSS", "Some data may have been lost", "OffsetOutOfRangeException"),
        "records were removed from the topic while they were read; run the task again to see which",
    ),
    (
        BrokerUnreachable,
        (
            "org.apache.kafka.common.errors.TimeoutException",
            "Timed out waiting for a node assignment",
            "No resolvable bootstrap urls",
            "Failed to create new KafkaAdminClient",
        ),
        "the broker did not answer Spark; is it running?",
    ),
    (
        TransientError,
        ("Python worker exited unexpectedly",),
        "the Python of an executor ended on the way: was it killed, or out of memory?",
    ),
    (
        ForeignCommit,
        ("ConcurrentTransactionException", "DELTA_CONCURRENT_TRANSACTION"),
        "another process wrote the same batch at the same time; run the task again",
    ),
)
"""Error, the signs of it in the failure's text, and the message."""


def known_failure(failed: BaseException) -> HeadraceError | None:
    """The error of Headrace that a failure of Spark comes down to; None where it is not known."""
    text = str(failed)
    for error, signs, message in KNOWN:
        sign = next((sign for sign in signs if sign in text), None)
        if sign:
            line = next(line for line in text.splitlines() if sign in line).strip()
            return error(f"{message} ({line[:300]})")
    return None
