"""Lines and rows on a terminal. What they hold may be of strangers: it stays text, whatever it looks like."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from headrace.report.cells import cell, visible


def print_text(console: Console, text: str, style: str = "") -> None:
    """Print lines as they are, however long."""
    # As Text: rich would make a picture of `:bomb:` in a str, also where it reads no markup.
    console.print(Text(visible(text, but="\n\t"), style), soft_wrap=True)


def print_rows(
    console: Console, title: str, rows: Sequence[Mapping[str, object]], turned: bool = False
) -> None:
    """Print rows with their names on top; nothing where there is none.

    Args:
        turned: a column a line, but for those that are null in each row: so many columns fit 80 characters.
    """
    if rows:
        table = _turned(rows) if turned else _upright(rows)
        table.title, table.title_justify = Text(visible(title), "table.title"), "left"
        console.print(table, soft_wrap=True)


# overflow="fold": what is too long for its column goes on below, rich would cut it


def _upright(rows: Sequence[Mapping[str, object]]) -> Table:
    table = Table(*(Column(_name(name), overflow="fold") for name in rows[0]))
    for row in rows:
        table.add_row(*map(_text, row.values()))
    return table


def _turned(rows: Sequence[Mapping[str, object]]) -> Table:
    table = Table(Column(no_wrap=True), *(Column(overflow="fold") for _ in rows), show_header=False)
    for name in rows[0]:
        values = [row[name] for row in rows]
        if any(value is not None for value in values):
            table.add_row(_name(name), *map(_text, values))
    return table


def _name(name: str) -> Text:
    return Text(visible(name))


def _text(value: object) -> Text:
    return Text(cell(value, between="\n"))
