"""What a `Gate` can wait for, as a DAG's author writes it: `Gate(task_id="…", until=lag_below("s", 10_000))`.

Every value may also be an XCom of an earlier task. `stream` is a stream's id, `until` partition -> offset.
What does not fit is refused by the gate when it runs: values are known only then.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from airflow.sdk import XComArg

Offsets = Mapping[int, int] | Mapping[str, int] | XComArg


def topic_ready(
    topic: str | XComArg, partitions: int | XComArg = 1, config: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The topic has at least those partitions, all with a leader, and that config."""
    return _condition("topic_ready", topic=topic, partitions=partitions, config=config)


def visible(topic: str | XComArg, until: Offsets) -> dict[str, Any]:
    """Consumers of committed records can read the topic up to those offsets."""
    return _condition("visible", topic=topic, until=until)


def new_records(stream: str | XComArg, at_least: int | XComArg = 1) -> dict[str, Any]:
    """At least so many offsets of the stream's topic are not landed."""
    return _condition("new_records", stream=stream, at_least=at_least)


def lag_below(stream: str | XComArg, offsets: int | XComArg) -> dict[str, Any]:
    """Fewer than so many offsets of the stream's topic are not landed."""
    return _condition("lag_below", stream=stream, offsets=offsets)


def landed(stream: str | XComArg, topic_id: str | XComArg, until: Offsets) -> dict[str, Any]:
    """The stream is landed up to those offsets of the topic with that id."""
    return _condition("landed", stream=stream, topic_id=topic_id, until=until)


def analysed(stream: str | XComArg, topic_id: str | XComArg, until: Offsets) -> dict[str, Any]:
    """The stream's gold tables have come up to those offsets, by the contract's present analysis."""
    return _condition("analysed", stream=stream, topic_id=topic_id, until=until)


def complete_through(
    stream: str | XComArg,
    moment: datetime | str | XComArg,
    since: date | str | XComArg | None = None,
    missing: int = 0,
) -> dict[str, Any]:
    """Every entity has a reading at that moment or later; from `since` on at most so many slots have none."""
    return _condition("complete_through", stream=stream, moment=moment, since=since, missing=missing)


def table_has(
    table: str | XComArg,
    version: int | XComArg | None = None,
    rows: int | XComArg | None = None,
    value: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The table (`<stream>/<table>`, or a Delta table's absolute path) has come to all that is named."""
    return _condition("table_has", table=table, version=version, rows=rows, value=value)


def few_small_files(table: str | XComArg, most: int = 200) -> dict[str, Any]:
    """The table (as `table_has`) has at most so many files below 8 MB."""
    return _condition("few_small_files", table=table, most=most)


def file_arrived(path: str | XComArg, quiet: float = 10) -> dict[str, Any]:
    """The file, or every file of the pattern, is there and has not changed for so many seconds."""
    return _condition("file_arrived", path=path, quiet=quiet)


def _condition(kind: str, **fields: Any) -> dict[str, Any]:
    """The fields as JSON has them; what is not given is left to the condition's own default."""
    given = {name: value for name, value in fields.items() if value is not None}
    plain = {
        name: value.isoformat() if isinstance(value, date) else value  # a datetime is a date
        for name, value in given.items()
    }
    return {"kind": kind, **plain}
