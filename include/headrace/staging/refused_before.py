"""Refused rows of a source that was written anew: those that its earlier publications had refused too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from headrace.identities.index import Identities, catch_up
from headrace.identities.refused import REFUSED, content_hashes, publication_number
from headrace.parse.reasons import Reason
from headrace.staging.row_files import read_staged
from headrace.staging.staged import Staged, StagedFile
from headrace.staging.staging import Staging, first_of_each_reason, write_quarantine
from headrace.tables.columns import schema_of
from headrace.tables.commits import open_table
from headrace.tables.names import PUBLICATIONS, QUARANTINE
from headrace.tables.reading import read_rows
from headrace.tables.warehouse import Warehouse

Versions = dict[str, list[list[str]]]
"""Publication -> its source's earlier versions, each as the publications that hold its rows."""


def mark_refused_before(staged: Staged, staging: Staging, warehouse: Warehouse) -> Staged:
    """The staged rows, those for `quarantine` marked of which an earlier version of their source had as many.

    A row that is added to a growing source is new, whatever it holds; so is a record of nobody's source.
    Streams whose sources only grow pay a look at their publications, others nothing.
    """
    versions = _earlier_versions(warehouse) if staged.quarantine else {}
    if not versions:
        return staged
    files = [
        _File(file, read_staged(staging.quarantine, schema_of(QUARANTINE), file))
        for file in staged.quarantine
    ]
    again = _again([each.rows for each in files], versions, catch_up(warehouse, REFUSED))
    if not any(map(len, again)):
        return staged
    marked = [each.marked(at, staging) for each, at in zip(files, again, strict=True)]
    refused = Staged()
    for each in marked:
        refused += Staged(refused=first_of_each_reason(each.rows.combine_chunks().to_batches()[0]))
    return replace(staged, quarantine=tuple(each.file for each in marked), refused=refused.refused)


@dataclass(frozen=True)
class _File:
    """A staged file of quarantine, read."""

    file: StagedFile
    rows: pa.Table

    def marked(self, at: pl.Series, staging: Staging) -> "_File":
        """The file with these rows marked, written again where there are any."""
        if at.is_empty():
            return self
        which = pl.int_range(self.rows.num_rows, eager=True).is_in(at.implode()).to_arrow()
        said = pc.binary_join_element_wise(self.rows["reason"], self.rows["message"], ": ")
        message = pc.binary_join_element_wise(Reason.REFUSED_BEFORE.text, said, "; then as now ")
        columns = {name: self.rows[name] for name in self.rows.column_names}
        columns["reason"] = pc.if_else(which, Reason.REFUSED_BEFORE.value, self.rows["reason"])
        columns["message"] = pc.if_else(which, message, self.rows["message"])
        rows = pa.table(columns).cast(schema_of(QUARANTINE))
        written = write_quarantine(rows, staging)
        (staging.quarantine / self.file.path).unlink(missing_ok=True)
        return _File(written, rows)


def _earlier_versions(warehouse: Warehouse) -> Versions:
    """Those of each publication that holds a whole source of which there were others before."""
    if not warehouse.exists(PUBLICATIONS):
        return {}
    rows = read_rows(open_table(warehouse.table(PUBLICATIONS)))
    continues = {row["publication"]: row.get("continues") for row in rows}
    found = {}
    for row in rows:
        before = [
            each["publication"]
            for each in rows
            if each["source"] == row["source"] and each["started"] < row["started"]
        ]
        if before and not row.get("continues"):
            followed = {continues[each] for each in before}
            found[row["publication"]] = [
                list(_line(each, continues)) for each in before if each not in followed
            ]
    return found


def _line(publication: str | None, continues: dict[str, Any]) -> Iterator[str]:
    """A publication and those that it goes on behind: a source as it was when that was published."""
    while publication in continues:
        yield publication
        publication = continues[publication]


def _again(tables: Sequence[pa.Table], versions: Versions, index: Identities) -> list[pl.Series]:
    """The places in each table of rows that an earlier version has had as often as they stand here."""
    rows = pl.concat(_contents(number, table, versions) for number, table in enumerate(tables))
    wanted = rows["hash"].unique().sort()
    at, numbers = index.find(wanted.to_arrow())
    held = pl.DataFrame({"hash": wanted[at.tolist()], "number": pl.Series(numbers, dtype=pl.Int32)})
    counts = held.group_by("hash", "number").len("held")
    own = rows.select("publication").unique()
    members = own.select(
        "publication",
        version=pl.col("publication").replace_strict(versions, return_dtype=pl.List(pl.List(pl.String))),
    )
    members = members.explode("version").with_row_index("of").explode("version")
    members = members.with_columns(number=_numbers(members["version"]))
    before = (
        members.join(counts, "number")
        .group_by("publication", "of", "hash")
        .agg(pl.col("held").sum())
        .group_by("publication", "hash")
        .agg(pl.col("held").max().alias("before"))
    )
    mine = own.with_columns(number=_numbers(own["publication"])).join(counts, "number")
    counted = rows.join(before, ["publication", "hash"]).join(
        mine.select("publication", "hash", "held"), ["publication", "hash"], "left"
    )
    nth = pl.col("held").fill_null(0) + pl.int_range(pl.len()).over("publication", "hash")
    again = counted.filter(nth < pl.col("before"))
    return [again.filter(table=number)["at"] for number in range(len(tables))]


def _contents(number: int, table: pa.Table, versions: Versions) -> pl.DataFrame:
    """Place, publication and hash of the rows of publications that hold a whole source."""
    publication = pl.Series(pc.struct_field(table["provenance"].combine_chunks(), ["publication"]))
    at = publication.is_in(list(versions)).fill_null(value=False)
    at &= pl.Series(table["reason"]) != Reason.DUPLICATE.value
    places = at.arg_true()
    few = table.take(places.to_arrow())
    return pl.DataFrame(
        {
            "table": pl.repeat(number, len(places), dtype=pl.Int64, eager=True),
            "at": places.cast(pl.Int64),
            "publication": publication.gather(places).cast(pl.String),
            "hash": pl.Series(content_hashes(few), dtype=pl.UInt64),
        }
    )


def _numbers(publications: pl.Series) -> pl.Series:
    return pl.Series([publication_number(each) for each in publications.to_list()], dtype=pl.Int32)
