"""The maintenance of a stream: its tables, then the copies and pages that settings say are kept so long."""

from collections.abc import Iterable, Iterator

from headrace.errors import TooManySmallFiles
from headrace.maintain.kept_files import remove_copies, remove_pages
from headrace.maintain.table_condition import HEAD
from headrace.maintain.tables import Maintained, maintain_tables
from headrace.settings import Settings
from headrace.tables.compaction import MOST_SMALL
from headrace.tables.warehouse import Warehouse
from headrace.task_log import Report


def maintain(warehouse: Warehouse, settings: Settings, report: Report, *, cluster: bool = False) -> None:
    """Maintain the stream, and show what its tables were like before and are now.

    Raises:
        TooManySmallFiles: a table has them all the same.
        WarehouseUnavailable: a table cannot be read just now.
    """
    done = maintain_tables(warehouse, settings.keep_table_log_days, cluster=cluster)
    for line in lines_of(done):
        report(line)
    for what, days, remove in (
        ("copies of sources", settings.keep_spool_days, _copies),
        ("reports", settings.keep_report_days, _pages),
    ):
        if days is not None:
            report(f"{remove(warehouse, settings, days)} {what} of more than {days} days before removed")
    _require_few(warehouse, done)


def _copies(warehouse: Warehouse, settings: Settings, days: int) -> int:
    return len(remove_copies(warehouse, settings.spool_path, days))


def _pages(warehouse: Warehouse, settings: Settings, days: int) -> int:
    return len(remove_pages(warehouse, days))


def lines_of(done: Iterable[Maintained]) -> Iterator[str]:
    """A table for people: of each table a line before and a line after, then what was put off."""
    rows: list[tuple[str, ...]] = [("table", "", *HEAD)]
    put_off: list[str] = []
    for each in done:
        rows += [(each.table, "before", *each.before.cells()), ("", "after", *each.after.cells())]
        put_off += each.put_off
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for table, when, *cells in rows:
        numbers = (cell.rjust(width) for cell, width in zip(cells, widths[2:], strict=True))
        yield "  ".join([table.ljust(widths[0]), when.ljust(widths[1]), *numbers])
    yield from put_off


def _require_few(warehouse: Warehouse, done: Iterable[Maintained]) -> None:
    many = [f"{each.table} has {each.after.small:,}" for each in done if each.after.small > MOST_SMALL]
    if many:
        raise TooManySmallFiles(
            f"stream {warehouse.stream}: after maintenance {', '.join(many)} small files, more than "
            f"{MOST_SMALL}: readers open each of them. What was put off stands in this task's log"
        )
