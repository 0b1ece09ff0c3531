"""What makes a source's row itself where no field says it: its content, and how often that was there before.

So a row keeps its identity when the file grows, is published again, or has lost its first rows.
"""

import mmap
import os
import tempfile
from hashlib import blake2b
from pathlib import Path

from headrace.errors import SpoolUnavailable
from headrace.kafka.headers import IDENTITY_DIGITS

IN_MEMORY = 64 << 20
"""Bytes of a table that is held in memory; a larger one is a file, whose pages the system may take back."""

KEPT = 10_000
"""Rows after which the pages of such a file are given back: each row may have touched two of 4 KB."""


class RowIdentities:
    """The identities of one source's rows, each row once, in the order of the file, from its first row on.

    Contents are counted in a table of open addresses: 16 bytes a row, whatever the rows are, and 1 µs. Two
    contents with the same 64 bits, which one of 4,000 files of 100 million rows has, are counted as one: the
    later is then itself as its second occurrence. `folder`: where the table of a large file is kept.

    Raises:
        SpoolUnavailable: it has no room for that.
    """

    def __init__(self, source: str, rows: int, folder: Path | None = None) -> None:
        self._source = blake2b(source.encode(), digest_size=blake2b.PERSON_SIZE).digest()
        self._size = rows * 4 // 3 + 1
        self._file = _in_file(12 * self._size, folder) if 12 * self._size > IN_MEMORY else None
        table = memoryview(self._file or bytearray(12 * self._size))
        self._contents = table[: 8 * self._size].cast("Q")
        self._repeats = table[8 * self._size :].cast("I")
        self._counted = 0

    def of_next(self, content: str) -> str:
        """The identity of the next row: hexadecimal digits over source, content and occurrence."""
        repeats = self._count(hash(content) & 0xFFFF_FFFF_FFFF_FFFF or 1)
        salt = repeats.to_bytes(blake2b.SALT_SIZE, "little")
        size = IDENTITY_DIGITS // 2
        return blake2b(content.encode(), digest_size=size, person=self._source, salt=salt).hexdigest()

    def _count(self, content: int) -> int:
        """How often the content was counted before; 0 marks a free place."""
        self._counted += 1
        if self._file and self._counted % KEPT == 0:
            self._file.madvise(mmap.MADV_DONTNEED)  # of a shared file: what was written stays written
        contents, size = self._contents, self._size
        at = content % size
        while there := contents[at]:
            if there == content:
                self._repeats[at] += 1
                return self._repeats[at]
            at = (at + 1) % size
        contents[at] = content
        return 0


def _in_file(size: int, folder: Path | None) -> mmap.mmap:
    """A file that nobody else sees, and which ends with the process."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, size)  # a disk that is full later would end the process
            return mmap.mmap(file.fileno(), size)
    except OSError as failed:
        raise SpoolUnavailable(
            f"{folder or tempfile.gettempdir()}: has no room for {size >> 20:,} MB, in which rows without a "
            f"declared identity are counted: {failed.strerror}; free space, or declare record.identity"
        ) from failed
