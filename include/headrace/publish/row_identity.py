"""What makes a source's row itself where no field says it: its content, and how often that was there before.

So a row keeps its identity when the file grows, is published again, or has lost its first rows.
"""

from hashlib import blake2b

from headrace.kafka.headers import IDENTITY_DIGITS


class RowIdentities:
    """The identities of one source's rows, each row once, in the order of the file, from its first row on.

    Contents are counted in a table of open addresses: 16 bytes a row, whatever the rows are, and 1 µs. Two
    contents with the same 64 bits, which one of 4,000 files of 100 million rows has, are counted as one: the
    later is then itself as its second occurrence.
    """

    def __init__(self, source: str, rows: int) -> None:
        self._source = blake2b(source.encode(), digest_size=blake2b.PERSON_SIZE).digest()
        self._size = rows * 4 // 3 + 1
        self._contents = memoryview(bytearray(8 * self._size)).cast("Q")
        self._repeats = memoryview(bytearray(4 * self._size)).cast("I")

    def of_next(self, content: str) -> str:
        """The identity of the next row: hexadecimal digits over source, content and occurrence."""
        repeats = self._count(hash(content) & 0xFFFF_FFFF_FFFF_FFFF or 1)
        salt = repeats.to_bytes(blake2b.SALT_SIZE, "little")
        size = IDENTITY_DIGITS // 2
        return blake2b(content.encode(), digest_size=size, person=self._source, salt=salt).hexdigest()

    def _count(self, content: int) -> int:
        """How often the content was counted before; 0 marks a free place."""
        contents, size = self._contents, self._size
        at = content % size
        while there := contents[at]:
            if there == content:
                self._repeats[at] += 1
                return self._repeats[at]
            at = (at + 1) % size
        contents[at] = content
        return 0
