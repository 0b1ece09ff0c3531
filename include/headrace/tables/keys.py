"""The stream's key, which proves that a record is a row of its source; its file is its owner's alone."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from headrace.errors import WarehouseError, WarehouseUnavailable
from headrace.files import sync, write_whole
from headrace.tables.warehouse import Warehouse

BYTES = 32


def key_file(warehouse: Warehouse) -> Path:
    """Where the key is, or will be; beside the tables, not in one: who may read them is not to forge."""
    return warehouse.folder / "_key"


def read_key(warehouse: Warehouse) -> bytes | None:
    """The stream's key; None where nothing was proven yet, or it is lost.

    Raises:
        WarehouseError: the file holds none.
        WarehouseUnavailable: it cannot be read just now.
    """
    return _read(key_file(warehouse))


def keep_key(warehouse: Warehouse, spare: Path, *, may_make: bool) -> bytes:
    """The stream's key, made if there is none; `spare`: a second file of it, in the home.

    Each restores the other: neither a home nor a warehouse that is lost makes a stranger's records of all.

    Raises:
        WarehouseError: it is in neither file, and may not be made anew; and as `read_key`.
        WarehouseUnavailable: as `read_key`, or it cannot be written.
    """
    file = key_file(warehouse)
    key = _read(file) or _read(spare)
    if key is None and not may_make:
        raise WarehouseError(lost(warehouse))
    key = key or secrets.token_bytes(BYTES)
    warehouse.prepare()
    _offer(file, key)
    held = _read(file)
    assert held  # noqa: S101  # it was written or was there
    _offer(spare, held)
    return held


def lost(warehouse: Warehouse) -> str:
    """What is to be done where the key is in neither place."""
    return (
        f"{key_file(warehouse)}: is gone, and without it nobody can tell records that were published from a "
        "stranger's. Put it back from a backup of the warehouse, or from HEADRACE_HOME/keys. Where there is "
        "none, run with the parameter republish: it makes a new key and publishes the source once more"
    )


def _read(file: Path) -> bytes | None:
    try:
        key = bytes.fromhex(file.read_text("ascii"))
    except FileNotFoundError:
        return None
    except OSError as failed:
        raise WarehouseUnavailable(f"{file}: cannot be read: {failed.strerror}; permit its owner") from failed
    except ValueError:
        key = b""
    if len(key) != BYTES:
        raise WarehouseError(
            f"{file}: is no key; put it back from a backup, or remove it if nothing is published"
        )
    return key


def _offer(file: Path, key: bytes) -> None:
    """Write the key there unless there is one."""
    if file.exists():
        return
    scratch = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(scratch, key.hex(), mode=0o600)
        try:
            with suppress(FileExistsError):  # another publisher's holds
                os.link(scratch, file)
            sync(file.parent)
        finally:
            scratch.unlink()
    except OSError as failed:
        raise WarehouseUnavailable(
            f"{file}: cannot be written: {failed.strerror}; free space or permit writing"
        ) from failed
