"""A condition of any Delta table, which the table's log answers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from headrace.errors import SettingsError
from headrace.gates.answers import Answers
from headrace.gates.condition import BaseCondition, Verdict
from headrace.settings import load_settings

if TYPE_CHECKING:
    from deltalake import DeltaTable


def _plain(table: str) -> str:
    if ".." in Path(table).parts:
        raise ValueError(f"table {table!r}: no '..'; give <stream>/<table>, or an absolute path")
    return table


class TableHas(BaseCondition):
    """A Delta table has come to a version, has so many rows, or has rows with a value in a column.

    `table`: `<stream>/<table>` in the warehouse, or the absolute path of any table of this file system.
    `value`: of a partition's column, or of any other, as text: `{"signal_date": "2018-03-01"}`.
    """

    kind: Literal["table_has"] = "table_has"
    asks: ClassVar = "disk"
    table: Annotated[str, AfterValidator(_plain)]
    version: Annotated[int, Field(ge=0)] | None = None
    rows: Annotated[int, Field(ge=1)] | None = None
    value: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.version is None and self.rows is None and not self.value:
            raise ValueError("say what the table has to have: version, rows or value")
        return self

    def __str__(self) -> str:
        wanted = [f"version {self.version}"] if self.version is not None else []
        wanted += [f"{self.rows:,} rows"] if self.rows is not None else []
        wanted += [f"rows with {column} = {value}" for column, value in self.value.items()]
        return f"table {self.table} has {' and '.join(wanted)}"

    def check(self, answers: Answers) -> Verdict:
        """Ask the table's log; a column is read only in the files that can hold the value."""
        return answers.of(self.model_dump_json(), self._look)

    def _look(self) -> Verdict:
        from headrace.tables.active_files import count_rows
        from headrace.tables.commits import open_table

        path = load_settings().warehouse_path / self.table  # an absolute one stays as it is
        if not (path / "_delta_log").is_dir():
            return Verdict(False, f"table {self.table} is not there yet")
        opened = open_table(path)
        has = [f"version {opened.version()}"]
        met = self.version is None or opened.version() >= self.version
        if self.rows is not None:
            rows = count_rows(opened)
            has.append(f"{rows:,} rows")
            met = met and rows >= self.rows
        for column, value in self.value.items():
            found = _holds(path, opened, column, value)
            has.append(f"{'rows' if found else 'no row'} with {column} = {value}")
            met = met and found
        return Verdict(met, f"table {self.table} has {', '.join(has)}")


class FewSmallFiles(BaseCondition):
    """A Delta table has at most so many small files (below 8 MB): readers open each of them.

    `table`: as `table_has`.
    """

    kind: Literal["few_small_files"] = "few_small_files"
    asks: ClassVar = "disk"
    table: Annotated[str, AfterValidator(_plain)]
    most: Annotated[int, Field(ge=0)] = 200

    def __str__(self) -> str:
        return f"table {self.table} has at most {self.most:,} small files"

    def check(self, answers: Answers) -> Verdict:
        """Ask the table's log for the sizes of its files."""
        return answers.of(self.model_dump_json(), self._look)

    def _look(self) -> Verdict:
        from headrace.tables.commits import open_table
        from headrace.tables.compaction import small_files

        path = load_settings().warehouse_path / self.table  # an absolute one stays as it is
        if not (path / "_delta_log").is_dir():
            return Verdict(True, f"table {self.table} is not there yet")
        found = small_files(open_table(path))
        return Verdict(found <= self.most, f"table {self.table} has {found:,} small files")


def _holds(path: Path, opened: "DeltaTable", column: str, value: str) -> bool:
    """Whether a row has that value.

    Raises:
        SettingsError: there is no such column, or the value is none of its type.
    """
    import pyarrow as pa
    import pyarrow.dataset as ds

    from headrace.tables.reading import dataset

    rows = dataset(path, opened)
    if column not in rows.schema.names:
        raise SettingsError(
            f"{path}: there is no column {column!r}; there are {', '.join(rows.schema.names)}"
        )
    kind = rows.schema.field(column).type
    try:
        wanted = ds.scalar(pa.scalar(value).cast(kind))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as wrong:
        raise SettingsError(f"{path}: {value!r} is no {kind}, as column {column} has them") from wrong
    # The log's bounds choose the files by the table's type; a file may hold another (polars' are views of
    # strings), which pyarrow neither compares nor filters.
    may_hold = rows.get_fragments(ds.field(column) == wanted)
    same = ds.field(column).cast(kind) == wanted
    return any(
        column not in file.physical_schema.names  # a partition's column: the log knows the value
        or file.count_rows(filter=same)
        for file in may_hold
    )
