"""What delta-rs and the disk say of a table, as errors of Headrace."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headrace.errors import WarehouseError, WarehouseUnavailable


def failures() -> tuple[type[Exception], ...]:
    """What delta-rs raises; it is imported only when somebody asks."""
    from deltalake.exceptions import DeltaError

    return OSError, DeltaError


@contextmanager
def warehouse_errors(path: Path) -> Iterator[None]:
    """Name the table in whatever goes wrong with it.

    Raises:
        WarehouseError: it is a table that this version cannot use.
        WarehouseUnavailable: it cannot be used just now.
    """
    from deltalake.exceptions import DeltaProtocolError

    try:
        yield
    except DeltaProtocolError as refused:
        raise WarehouseError(f"{path}: this version cannot use such a table: {refused}") from refused
    except failures() as failed:
        raise WarehouseUnavailable(f"{path}: {failed}") from failed
