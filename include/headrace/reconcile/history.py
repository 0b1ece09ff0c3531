"""What has come into a table since a seal, by its log: new files, or proof that more has happened."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from headrace.reconcile.snapshot import FileState, TableState, on_disk
from headrace.reconcile.table_log import Change, Listed, Unsealed, read_change


@dataclass
class Since:
    """The files that landing has added, and those that were put in the place of others, (old, new) each."""

    added: list[str] = field(default_factory=list)
    rearranged: list[tuple[list[str], list[str]]] = field(default_factory=list)


def since(path: Path, stream: str, sealed: TableState, now: TableState) -> Since:
    """What the commits after the sealed version have done, up to the version of `now`.

    Raises:
        Unsealed: they, or the files on the disk, show anything else than landing and rearrangement.
    """
    if now.version < sealed.version:
        raise Unsealed(f"{path.name}: is at version {now.version}, before the sealed {sealed.version}")
    found = Since()
    active = {name: (state.size, state.modified) for name, state in sealed.files.items()}
    for version in range(sealed.version + 1, now.version + 1):
        _follow(path, read_change(path, stream, version), active, found)
    _require_same_files(path, active, now.files)
    _require_untouched(path, sealed.files, now.files)
    return found


def _follow(path: Path, change: Change, active: dict[str, Listed], found: Since) -> None:
    where = f"{path.name}: version {change.version}"
    if change.other:
        raise Unsealed(f"{where} ({change.operation}) changes more than rows")
    if not change.added and not change.removed:
        return  # a batch without rows for this table, or a note of maintenance
    if change.rearranges:
        if not change.removed <= active.keys():
            raise Unsealed(f"{where} ({change.operation}) removes files that were not there")
        found.rearranged.append((sorted(change.removed), sorted(change.added)))
        for name in change.removed:
            del active[name]
    elif change.is_landing:
        found.added += change.added
    else:
        raise Unsealed(f"{where} ({change.operation}) was not made by landing")
    active.update(change.added)


def _require_same_files(path: Path, active: dict[str, Listed], files: dict[str, FileState]) -> None:
    """Whether the log behind the seal is still the one that was sealed."""
    if active != {name: (state.size, state.modified) for name, state in files.items()}:
        raise Unsealed(f"{path.name}: lists other files than the sealed ones and those added since")


def _require_untouched(path: Path, sealed: dict[str, FileState], files: dict[str, FileState]) -> None:
    """Whether each sealed file is on the disk as it was; those that compaction has replaced since are too."""
    for name, state in sealed.items():
        found = files[name][2:] if name in files else on_disk(path / name)
        if found != state[2:]:
            raise Unsealed(f"{path.name}: file {name} is not on the disk as it was sealed")


def paths(folder: Path, names: Iterable[str]) -> list[Path]:
    """The files of those names."""
    return [folder / name for name in names]
