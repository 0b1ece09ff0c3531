"""Sets of whole numbers (offsets of a partition, rows of a source), a bit each, in compressed chunks.

Only the chunks that a number falls into are unpacked, so what is added to a set costs the same whether it
holds a thousand numbers or a hundred million, and numbers without holes take next to no memory.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

BITS = 18
"""A chunk holds the numbers that differ in these low bits alone: 262,144, in 32 KB before compression."""

SIZE = 1 << BITS

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Chunk:
    """How many numbers are in it, and which: packed bits, compressed."""

    count: int
    packed: bytes

    @classmethod
    def of(cls, flags: Flags) -> "Chunk":
        """From a flag for each number."""
        return cls(int(np.count_nonzero(flags)), zlib.compress(np.packbits(flags).tobytes(), 1))

    def flags(self) -> Flags:
        """A flag for each number; raises ValueError where the bytes are none of a chunk."""
        try:
            bits = np.frombuffer(zlib.decompress(self.packed), np.uint8)
        except zlib.error as damaged:
            raise ValueError(f"no packed numbers: {damaged}") from damaged
        return np.unpackbits(bits, count=SIZE).view(np.bool_)


@dataclass
class NumberSet:
    """A set of numbers from 0 to 2^63 - 1; equal to another one that holds the same."""

    chunks: dict[int, Chunk] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(chunk.count for chunk in self.chunks.values())

    def add(self, numbers: Numbers) -> Numbers:
        """Add the numbers, in any order; returns those that were there already or came before among them."""
        numbers = np.sort(numbers)
        first = np.ones(len(numbers), np.bool_)
        first[1:] = numbers[1:] != numbers[:-1]
        known = [numbers[~first]]
        for place, own in _by_chunk(numbers[first]):
            flags = self._flags(place)
            there = flags[own]
            if there.any():
                known.append(own[there] + (place << BITS))
            flags[own] = True
            self.chunks[place] = Chunk.of(flags)
        return np.concatenate(known)

    def count(self, start: int, until: int) -> int:
        """How many numbers lie within [start, until); unpacks no chunk but those at both ends."""
        total = 0
        for place, chunk in self.chunks.items():
            low, high = max(start - (place << BITS), 0), min(until - (place << BITS), SIZE)
            if low == 0 and high == SIZE:
                total += chunk.count
            elif low < high:
                total += int(np.count_nonzero(chunk.flags()[low:high]))
        return total

    def within(self, start: int, until: int) -> Iterator[Numbers]:
        """The numbers within [start, until), ascending, a chunk at a time."""
        for place in sorted(self.chunks):
            base = place << BITS
            low, high = max(start - base, 0), min(until - base, SIZE)
            if low < high:
                yield np.flatnonzero(self.chunks[place].flags()[low:high]) + (base + low)

    def absent(self, start: int, until: int) -> Iterator[Numbers]:
        """The numbers within [start, until) that are not in the set, ascending, a chunk at a time."""
        for place in range(start >> BITS, ((until - 1) >> BITS) + 1 if until > start else 0):
            base = place << BITS
            low, high = max(start - base, 0), min(until - base, SIZE)
            yield np.flatnonzero(~self._flags(place)[low:high]) + (base + low)

    def without(self, other: "NumberSet", start: int, until: int) -> Iterator[Numbers]:
        """The numbers within [start, until) that the other set lacks, ascending, a chunk at a time."""
        for place in sorted(self.chunks):
            base = place << BITS
            low, high = max(start - base, 0), min(until - base, SIZE)
            if low < high and self.chunks[place] != other.chunks.get(place):
                only = self.chunks[place].flags() & ~other._flags(place)  # noqa: SLF001  # a set of the same kind
                yield np.flatnonzero(only[low:high]) + (base + low)

    def has(self, numbers: Numbers) -> Flags:
        """Of each of the ascending numbers, none twice, whether it is in the set."""
        parts = [self._flags(place)[own] for place, own in _by_chunk(numbers)]
        return np.concatenate([np.empty(0, np.bool_), *parts])

    def _flags(self, place: int) -> Flags:
        chunk = self.chunks.get(place)
        return chunk.flags() if chunk else np.zeros(SIZE, np.bool_)


def _by_chunk(ascending: Numbers) -> Iterator[tuple[int, Numbers]]:
    """Each chunk's number, and the numbers that fall into it as they count there."""
    if not len(ascending):
        return
    places = ascending >> BITS
    starts = np.flatnonzero(np.diff(places, prepend=-1))
    for own in np.split(ascending, starts[1:]):
        yield int(own[0] >> BITS), own & (SIZE - 1)


@dataclass
class Tally:
    """How often each number was met: level by level, those that were met once more than on the one before."""

    levels: list[NumberSet] = field(default_factory=list)
    total: int = 0

    MOST = 100
    """Times that are told apart; a number that is met more often counts as met so many times."""

    @property
    def met(self) -> NumberSet:
        """The numbers that were met at all."""
        return self.levels[0] if self.levels else NumberSet()

    @property
    def again(self) -> NumberSet:
        """Those that were met more than once."""
        return self.levels[1] if len(self.levels) > 1 else NumberSet()

    def add(self, numbers: Numbers) -> None:
        """Meet the numbers, each as often as it stands there."""
        self.total += len(numbers)
        for level in range(self.MOST):
            if not len(numbers):
                break
            if level == len(self.levels):
                self.levels.append(NumberSet())
            numbers = self.levels[level].add(numbers)

    def count(self, start: int, until: int) -> int:
        """How many times numbers within [start, until) were met."""
        return sum(level.count(start, until) for level in self.levels)

    def times(self, numbers: Numbers) -> Numbers:
        """How often each of the ascending numbers, none twice, was met."""
        found = np.zeros(len(numbers), np.int64)
        for level in self.levels:
            found += level.has(numbers)
        return found
