"""The rebuilt tables put in the place of the old ones, so that a killed exchange is gone on with."""

from pathlib import Path
from shutil import rmtree

from headrace.crash_points import crash_point
from headrace.files import sync
from headrace.tables.names import LANDED
from headrace.tables.warehouse import LAYOUT, MIGRATING, Warehouse


def aside(warehouse: Warehouse) -> Path:
    """Where the old tables are kept until somebody removes them."""
    return warehouse.folder / "_layout1"


def rebuilt(warehouse: Warehouse) -> Warehouse:
    """Where the new tables are until they are whole and verified: a warehouse within the stream's folder."""
    return Warehouse(warehouse.folder, "_layout2")


def exchange(warehouse: Warehouse) -> None:
    """Put each rebuilt table in its place; whoever runs it again goes on where it was killed.

    From its first step to its last the note of the layout is one that neither the old version nor this one
    lands on: the old one would make a table that is missing, and go on.
    """
    warehouse.note_layout(MIGRATING)
    crash_point("migrate.after_note")
    old, new = aside(warehouse), rebuilt(warehouse)
    for name in LANDED:
        if new.exists(name):  # else it is in its place already
            old.mkdir(exist_ok=True)
            _move(warehouse.table(name), old / name)
            crash_point("migrate.after_aside")
            _move(new.table(name), warehouse.table(name))
            crash_point("migrate.after_placed")
    if new.folder.exists():
        rmtree(new.folder)
    crash_point("migrate.before_layout")
    warehouse.note_layout(LAYOUT)


def _move(source: Path, target: Path) -> None:
    if source.exists():
        source.rename(target)
        sync(source.parent, target.parent)
