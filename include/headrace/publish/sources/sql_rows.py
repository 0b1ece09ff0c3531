"""The rows of a query that lie behind its cursor, as JSON Lines of texts."""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from typing import IO, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from headrace.contract.source import SqlSource
from headrace.errors import SettingsError, SourceError, SourceMissing

BUFFERED = 5_000
"""Rows that the database sends at a time."""

READ: dict[str, Callable[[str], Any]] = {
    "int": int,
    "str": str,
    "Decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
}
"""The kinds of values that a cursor may have, by their names, and how their texts are read."""


def shown(reached: str | None) -> str:
    """How far a cursor has come, in words."""
    return "the beginning" if reached is None else str(json.loads(reached)[1])


@dataclass(frozen=True)
class SqlRows:
    """What the database at `url` has behind `reached`, which is what `write` returned before."""

    source: SqlSource
    url: sa.URL
    reached: str | None

    def write(self, file: IO[bytes]) -> tuple[int, str | None]:
        """Write the rows, in the cursor's order; how many there are, and how far they reach.

        Raises:
            SourceMissing: the database cannot be reached.
            SourceError: it refuses the query, or a value has no text or is no cursor.
            SettingsError: there is no driver for it.
        """
        rows, reached = 0, self.reached
        with self._faults_named(), self._asked() as answer:
            names = list(answer.keys())
            at = self._cursor_at(names)
            for rows, row in enumerate(answer, 1):
                texts = [self._text(value, name, rows) for name, value in zip(names, row, strict=True)]
                reached = self._stamp(row[at], rows)
                line = json.dumps(dict(zip(names, texts, strict=True)), ensure_ascii=False)
                file.write(f"{line}\n".encode())
        return rows, reached

    @contextmanager
    def _asked(self) -> Iterator[sa.CursorResult[Any]]:
        """The answer, which the database sends piece by piece."""
        engine = sa.create_engine(self.url, hide_parameters=True, poolclass=sa.NullPool)
        quoted = _escaped(engine.dialect.identifier_preparer.quote(self.source.cursor))
        query = _escaped(self.source.query.strip().rstrip(";"))
        # a row without a cursor is asked for, too: it is refused, and not passed over
        behind = f" WHERE {quoted} > :reached OR {quoted} IS NULL" if self.reached else ""
        # who may write the contract may ask whatever its connection may
        statement = sa.text(f"SELECT * FROM ({query}) AS headrace{behind} ORDER BY {quoted}")  # noqa: S608
        with engine.connect() as connection:
            streamed = connection.execution_options(stream_results=True, max_row_buffer=BUFFERED)
            yield streamed.execute(statement, {"reached": _value(self.reached)} if self.reached else {})

    def _cursor_at(self, names: list[str]) -> int:
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise SourceError(f"{self._place}: two columns are called {twice!r}; name them in source.query")
        if self.source.cursor not in names:
            raise SourceError(
                f"{self._place}: no column is called {self.source.cursor!r}, as source.cursor says; add it "
                "to source.query"
            )
        return names.index(self.source.cursor)

    def _stamp(self, value: Any, row: int) -> str:
        kind = type(value).__name__
        if kind not in READ:
            raise SourceError(
                f"{self._place}, row {row}, column {self.source.cursor!r}: is a {kind}, which is no cursor; "
                f"it must be one of {', '.join(READ)} in each row"
            )
        return json.dumps([kind, value.isoformat() if isinstance(value, date) else str(value)])

    def _text(self, value: Any, name: str, row: int) -> str | None:
        if value is None:
            return None
        as_text = _as_text(type(value))  # type: ignore[arg-type]  # classes are hashable
        if as_text is None:
            raise SourceError(
                f"{self._place}, row {row}, column {name!r}: is a {type(value).__name__}, which has no text "
                "of its own; cast it to a text in source.query, or leave it out"
            )
        return as_text(value)

    @contextmanager
    def _faults_named(self) -> Iterator[None]:
        try:
            yield
        except (NoSuchModuleError, ArgumentError, ModuleNotFoundError) as unknown:
            raise SettingsError(
                f"{self._place}: {unknown}; correct the connection, or install the database's driver"
            ) from unknown
        except DBAPIError as failed:
            if failed.statement is None or failed.connection_invalidated:
                raise SourceMissing(f"{self._place}: cannot be reached: {failed.orig}") from failed
            raise SourceError(f"{self._place} refuses source.query: {failed.orig}; correct it") from failed
        except SQLAlchemyError as failed:
            raise SourceError(f"{self._place}: {failed}; correct source.query") from failed

    @property
    def _place(self) -> str:
        return f"Airflow connection {self.source.connection}"


@cache
def _as_text(kind: type) -> Callable[[Any], str] | None:
    """What makes the texts of values of that kind; None where they have none."""
    return next((each for known, each in TEXTS if issubclass(kind, known)), None)


def _escaped(text: str) -> str:
    """A colon in it is not the beginning of a parameter's name."""
    return text.replace(":", r"\:")


def _value(stamp: str) -> Any:
    kind, text = json.loads(stamp)
    return READ[kind](text)


def _of_instant(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat(timespec="microseconds")
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


TEXTS: tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...] = (
    (str, str),
    (bool, lambda value: str(value).lower()),
    (float, lambda value: repr(value) if math.isfinite(value) else json.dumps(value)),
    ((int, Decimal, UUID), str),
    (datetime, _of_instant),
    (date, date.isoformat),
    (time, lambda value: value.isoformat(timespec="microseconds")),
)
"""The text that stands for a value alone, by the first kind that the value is of."""
