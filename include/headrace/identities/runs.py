"""Sorted runs of landed identities: (hash, day) pairs in files that are mapped, never read whole."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

HASH, DAY = np.dtype("<u8"), np.dtype("<i4")
PAIR_BYTES = HASH.itemsize + DAY.itemsize
PAIRS_AT_ONCE = 1_000_000
"""Pairs that a merge holds in memory at a time, some 50 MB with what sorting them takes."""

Hashes = NDArray[np.uint64]
Days = NDArray[np.int32]


@dataclass(frozen=True)
class Run:
    """A file of pairs: all hashes, ascending, and then their days (since 1970), in the same order."""

    file: Path
    pairs: int
    hashes: Hashes
    days: Days

    @classmethod
    def open(cls, file: Path, pairs: int) -> "Run":
        """Map the file.

        Raises:
            OSError: it is not there.
            ValueError: it has another length.
        """
        if file.stat().st_size != pairs * PAIR_BYTES:
            raise ValueError(f"{file}: {file.stat().st_size} bytes are not {pairs} pairs")
        return cls(
            file,
            pairs,
            np.asarray(np.memmap(file, HASH, "r", shape=(pairs,))),
            np.asarray(np.memmap(file, DAY, "r", offset=pairs * HASH.itemsize, shape=(pairs,))),
        )

    def find(self, wanted: Hashes) -> tuple[NDArray[np.int64], Days]:
        """Which of the hashes are here, by position in `wanted` (ascending), once for each day they have."""
        first = np.searchsorted(self.hashes, wanted, "left")
        at = np.minimum(first, self.pairs - 1)
        hits = np.flatnonzero(self.hashes[at] == wanted)
        first = first[hits]
        counts = np.searchsorted(self.hashes, wanted[hits], "right") - first
        positions = np.repeat(hits, counts)
        within = np.arange(len(positions)) - np.repeat(np.cumsum(counts) - counts, counts)
        return positions, self.days[np.repeat(first, counts) + within]


def write_run(folder: Path, hashes: Hashes, days: Days) -> Run:
    """A run of these pairs, which come in any order; at least one."""
    order = np.argsort(hashes, kind="stable")
    return _write(folder, len(hashes), [(hashes[order], days[order])])


def merge(folder: Path, runs: Sequence[Run]) -> Run:
    """One run of all their pairs; each is read and written once, in order."""
    return _write(folder, sum(run.pairs for run in runs), _merged(runs))


def _merged(runs: Sequence[Run]) -> Iterator[tuple[Hashes, Days]]:
    # A hash is as likely in one place as in another: equal stretches of the numbers hold about as many each.
    stretches = ceil(sum(run.pairs for run in runs) / PAIRS_AT_ONCE)
    bounds = [np.uint64((each << 64) // stretches) for each in range(1, stretches)]
    cuts = [[0, *np.searchsorted(run.hashes, bounds).tolist(), run.pairs] for run in runs]
    for stretch in range(stretches):
        parts = [slice(cut[stretch], cut[stretch + 1]) for cut in cuts]
        hashes = np.concatenate([run.hashes[part] for run, part in zip(runs, parts, strict=True)])
        days = np.concatenate([run.days[part] for run, part in zip(runs, parts, strict=True)])
        order = np.argsort(hashes, kind="stable")
        yield hashes[order], days[order]


def _write(folder: Path, pairs: int, ordered: Iterable[tuple[Hashes, Days]]) -> Run:
    """Write the parts one after the other, on the disk before a manifest can name the file."""
    file = folder / f"{uuid4().hex}.run"
    done = 0
    with file.open("wb") as hashes_end, file.open("r+b") as days_end:
        days_end.seek(pairs * HASH.itemsize)
        for hashes, days in ordered:
            hashes_end.write(hashes.astype(HASH, copy=False).tobytes())
            days_end.write(days.astype(DAY, copy=False).tobytes())
            done += len(hashes)
        hashes_end.flush()
        days_end.flush()
        os.fsync(days_end.fileno())
    assert done == pairs, (done, pairs)  # noqa: S101  # a merge that loses a pair would lose a repeat
    return Run.open(file, pairs)
