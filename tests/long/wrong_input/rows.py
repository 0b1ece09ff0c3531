"""What can be wrong, a row each: what is put wrong, which task says what, its state, the way back to green.

A terminal fault fails its task at the first try; a transient one is tried again, and the same run goes on.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from testbed.dag_stream import GOOD, HEADER, LINES, ROWS, DagStream

Act = Callable[[DagStream], object]

UNIT_HEADER = (
    "Date/Time,LV ActivePower (kW),Wind Speed (m/s),Theoretical_Power_Curve (KWh),Wind Direction (°)\r\n"
)


def nothing(_: DagStream) -> None:
    """Needs no act."""


def heal_source(stream: DagStream) -> None:
    """The sound file, where the contract looks for it."""
    stream.write(*GOOD)
    stream.read_from(stream.source)


def source(*lines: bytes) -> Act:
    """The source holds these lines."""
    return lambda stream: stream.write(*lines)


def reads_from(path: str) -> Act:
    """The contract names another file."""
    return lambda stream: stream.read_from(path)


def contract(part: str, **fields: object) -> Act:
    """The contract has other fields in one part."""
    return lambda stream: stream.change(part, **fields)


@dataclass(frozen=True)
class Case:
    """One row of the table.

    `wrong` and `mended` act before a run; `meanwhile` while the wrong one is on its way. `before`: it begins
    with a green run of the sound stream. `alone`: no other case runs beside it, because it concerns the whole
    stack. `variable`: the wrong run is one by hand, in an environment with that value (None: without the
    variable); such a run keeps Airflow's database to itself for long, so it is alone too.
    """

    name: str
    task: str
    message: str
    wrong: Act = nothing
    mended: Act = heal_source
    meanwhile: Act = nothing
    state: str = "failed"
    before: Act | None = None
    alone: bool = False
    variable: tuple[str, str | None] | None = None
    next_conf: dict[str, bool] = field(default_factory=dict)

    @property
    def transient(self) -> bool:
        """Whether the fault goes away by itself, so that the same run goes on."""
        return self.state == "up_for_retry"


def external(stream: DagStream, retention_ms: str = "-1") -> None:
    """A topic that somebody else feeds, with five records."""
    stream.contract["source"] = {"kind": "external"}
    stream.make_topic(retention_ms=retention_ms, compression_type="zstd")
    stream.produce(range(5))


def one_column_more(stream: DagStream) -> None:
    """A column that the contract does not know, where it wants no such."""
    stream.write(GOOD[0].rstrip() + b",Mood\r\n", *(row.rstrip() + b",good\r\n" for row in GOOD[1:]))
    stream.change("landing", unknown_fields="quarantine")


def a_value_of_another_type(stream: DagStream) -> None:
    """An exponent where the contract asks for a decimal."""
    *others, direction = stream.contract["record"]["signals"]
    stream.change("record", signals=[*others, direction | {"type": "decimal(20, 16)"}])
    stream.write(*GOOD[:3], b"01 01 2018 00:20,390.4,5.2,390.0,2.725e2\r\n")


def a_rule_that_a_row_breaks(stream: DagStream) -> None:
    """Much power of no wind."""
    rule = '"LV ActivePower (kW)" <= 1000 OR "Wind Speed (m/s)" > 1'
    stream.change("record", rules=[{"name": "power of wind", "expression": rule}])
    stream.write(*GOOD[:3], b"01 01 2018 00:20,2000,0.5,390.0,272.5\r\n")


def columns_in_place_of_the_map(stream: DagStream) -> None:
    """After rows are landed, and with new ones."""
    stream.change("landing", columns="typed")
    stream.write(*LINES[:6])


def a_table_by(query: str) -> Act:
    """A gold table by an SQL file that holds this."""

    def act(stream: DagStream) -> None:
        file = stream.source.with_suffix(".sql")
        file.write_text(query, encoding="utf-8")
        stream.change("analysis", tables={"days": {"sql": str(file)}})

    return act


def a_file_in_the_way(stream: DagStream) -> None:
    """Where the stream's tables would be."""
    folder = stream.pipeline.warehouse.folder
    folder.parent.mkdir(exist_ok=True)
    folder.touch()


def expire_before_landing(stream: DagStream) -> None:
    """Five more records come, and retention takes three of them before anybody landed them."""
    stream.produce(range(5, 10))
    stream.expire(8)


def years(count: int) -> Act:
    """The whole year of T1.csv, and the same in later years: hundreds of thousands of rows."""
    rows = [row.replace(b" 2018 ", b" %d " % (2018 + year)) for year in range(count) for row in ROWS]
    return source(HEADER, *rows)


def connection(**fields: object) -> str:
    return json.dumps(fields)


CASES = (
    # -- the file
    Case("empty CSV", "publish", r"\[HR201\] .*\.csv, line 1: is empty; a source begins", source()),
    Case("header only", "publish", r"has a header and no row", source(HEADER), state="success"),
    Case(
        "no header",
        "publish",
        r"\[HR201\] .*, line 1: is no header: none of the contract's fields is in it; add a header",
        source(*ROWS[:3]),
    ),
    Case(
        "a column missing",
        "publish",
        r"\[HR201\] .*, line 1, signal 'Wind Direction \(°\)': the column is missing",
        source(*(line.rpartition(b",")[0] + b"\r\n" for line in GOOD)),
    ),
    Case(
        "a column too many",
        "publish",
        r"\[HR201\] .*, line 1, field 'Mood': the contract does not know this column and refuses",
        one_column_more,
    ),
    Case(
        "a row with too few fields",
        "publish",
        r"\[HR201\] .*, line 3, field Wind_Direction: is missing: the row has 4 fields, the header 5",
        source(*GOOD[:2], GOOD[2].rpartition(b",")[0] + b"\r\n", GOOD[3]),
    ),
    Case(
        "a row with too many fields",
        "publish",
        r"\[HR201\] .*, line 3, field 6: the row has 6 fields, the header 5",
        source(*GOOD[:2], b"7," + GOOD[2], GOOD[3]),
    ),
    Case(
        "lines before the header",
        "publish",
        r"\[HR201\] .*, line 1: is no header: .* correct record and source \(delimiter, preamble, names\)",
        source(b"# made by a logger\r\n", *GOOD),
    ),
    Case(
        "white space around the names",
        "publish",
        r"\[HR201\] .*, line 1: is no header: .* set source\.trim: true",
        source(HEADER.replace(b",", b" , "), *GOOD[1:]),
    ),
    Case(
        "a delimiter behind each row",
        "publish",
        r"\[HR201\] .*, line 2, field 6: .* set source\.trailing_delimiter: true",
        source(HEADER, *(row.rstrip() + b",\r\n" for row in GOOD[1:])),
    ),
    Case(
        "a blank line",
        "publish",
        r"\[HR201\] .*, line 3: the line is empty; remove it, or set source\.blank_lines: skip",
        source(*GOOD[:2], b"\r\n", *GOOD[2:]),
    ),
    Case(
        "a line without end",
        "publish",
        r"\[HR201\] .*, line 5: is longer than the 1,048,576 characters that a row may have",
        source(*GOOD, b"x" * 3_000_000),
    ),
    Case(
        "more units than rows",
        "publish",
        r"\[HR201\] .*: ends before the 9 rows of units that stand behind its header",
        contract("source", units=9),
    ),
    Case(
        "a number that is none",
        "land",
        r"(?s)\[HR406\].*not_a_number.*signal Wind Speed \(m/s\): brisk",
        source(*GOOD[:3], b"01 01 2018 00:20,390.4,brisk,390.0,272.5\r\n"),
    ),
    Case(
        "a value of another type",
        "land",
        r"(?s)\[HR406\].*wrong_type.*signal Wind Direction \(°\), decimal\(20, 16\): 2\.725e2",
        a_value_of_another_type,
    ),
    Case(
        "a rule that a row breaks",
        "land",
        r"(?s)\[HR406\].*rule_broken.*power of wind: ",
        a_rule_that_a_row_breaks,
    ),
    Case(
        "columns in the place of the map",
        "land",
        r"\[HR409\] .*readings: was made with `landing\.columns: map`, and the contract says typed",
        columns_in_place_of_the_map,
        contract("landing", columns="map"),
        before=nothing,
    ),
    Case(
        "a table by SQL that reads a file",
        "analyse",
        r"\[HR102\] .*\.sql, which analysis\.tables\.days names: .*disabled by configuration",
        a_table_by("SELECT signal_date FROM readings, read_csv('/etc/passwd')"),
        a_table_by("SELECT signal_date, count(*) AS n FROM readings GROUP BY 1"),
    ),
    Case(
        "a date that does not exist",
        "land",
        r"(?s)\[HR406\].*bad_event_time.*30 02 2018 00:20",
        source(*GOOD[:3], b"30 02 2018 00:20,390.4,5.2,390.0,272.5\r\n"),
    ),
    Case(
        "another encoding",
        "publish",
        r"\[HR201\] .*, line 1, byte 94: 0xb0 is no utf-8 text; correct source\.encoding",
        source(UNIT_HEADER.encode("latin-1"), *GOOD[1:]),
    ),
    Case(
        "a truncated gzip",
        "publish",
        r"\[HR201\] .*\.csv\.gz: the gzip file is broken or cut off",
        lambda stream: stream.compress(cut_off=9),
        DagStream.compress,
    ),
    Case(
        "JSON Lines that are none",
        "publish",
        r"\[HR201\] .*\.csv, line 1, column 1: is no JSON object; correct the line or remove it",
        lambda stream: stream.contract.update(source={"kind": "jsonl", "path": str(stream.source)}),
    ),
    Case(
        "Parquet that is none",
        "publish",
        r"\[HR201\] .*\.csv: is no Parquet file, or a broken one; put a sound one in its place",
        lambda stream: stream.contract.update(source={"kind": "parquet", "path": str(stream.source)}),
    ),
    Case(
        "a folder without files",
        "publish",
        r"\[HR202\] .*\.gone: no file there; put one there, or correct source\.path",
        reads_from("include/data/wind_turbine/*.gone"),
        state="up_for_retry",
    ),
    Case(
        "a query without a connection",
        "publish",
        r"\[HR101\] Airflow connection not_there is missing; add it \(of the database's type",
        lambda stream: stream.contract.update(
            source={"kind": "sql", "connection": "not_there", "query": "SELECT 1 AS id", "cursor": "id"}
        ),
    ),
    Case(
        "an unreadable file",
        "publish",
        r"\[HR201\] /proc/.*: cannot be read: Input/output error; permit reading",
        reads_from("/proc/self/mem"),
    ),
    Case(
        "a file outside the allowed roots",
        "publish",
        r"\[HR201\] /etc/passwd: leads to /etc/passwd, outside the folders .*add its folder to HEADRACE_",
        reads_from("/etc/passwd"),
    ),
    Case(
        "no file",
        "publish",
        r"\[HR202\] .*: no such file; put it there, or correct source\.path",
        lambda stream: stream.source.unlink(),
        state="up_for_retry",
    ),
    # -- the topic
    Case(
        "topic with other partitions",
        "provision_topics",
        r"\[HR303\] .*it has 2 partitions, declared are 1.* set topic\.partitions: 2",
        lambda stream: stream.make_topic(2, retention_ms="-1", compression_type="zstd"),
        contract("topic", partitions=2),
    ),
    Case(
        "topic with other config",
        "provision_topics",
        r"\[HR303\] .*its retention\.ms is 86400000, declared is -1: an external stream.* not changed",
        lambda stream: external(stream, retention_ms="86400000"),
        contract("topic", config={"retention.ms": 86400000}),
    ),
    Case(
        "topic deleted and made again",
        "publish",
        r"\[HR304\] topic .* was deleted and made again: .* run with the parameter republish",
        DagStream.delete_topic,
        nothing,
        before=nothing,
        next_conf={"republish": True, "accept_loss": True},
    ),
    Case(
        "position below the log's start",
        "land",
        r"\[HR305\] .* has removed records that were never landed: 0:\[5, 8\).*parameter accept_loss",
        expire_before_landing,
        nothing,
        before=external,
        next_conf={"accept_loss": True},
    ),
    # -- the warehouse
    Case(
        "warehouse path is a file",
        "publish",
        r"\[HR404\] .*: a file is in the way of the warehouse; move it",
        a_file_in_the_way,
        lambda stream: stream.pipeline.warehouse.folder.unlink(),
    ),
    # -- the connections
    Case(
        "missing spark_default",
        "land",
        r"\[HR101\] Airflow connection spark_default is missing; add it \(type spark",
        contract("landing", engine="spark"),
        contract("landing", engine="worker"),
        variable=("AIRFLOW_CONN_SPARK_DEFAULT", None),
        alone=True,
    ),
    Case(
        "wrong connection",
        "provision_topics",
        r"\[HR101\] Airflow connection kafka_default has type 'http'; it must be kafka",
        variable=("AIRFLOW_CONN_KAFKA_DEFAULT", connection(conn_type="http", host="127.0.0.1")),
        alone=True,
    ),
    Case(
        "connection to nowhere",
        "provision_topics",
        r"\[HR101\] Airflow connection kafka_default: its extra names no bootstrap\.servers",
        variable=("AIRFLOW_CONN_KAFKA_DEFAULT", connection(conn_type="kafka", host="127.0.0.1")),
        alone=True,
    ),
    # -- the whole stack
    Case(
        "disk full",
        "publish",
        r"\[HR203\] .*spool: cannot be written: File too large; free space",
        source(*LINES),
        partial(DagStream.limit_files, megabytes=None),
        state="up_for_retry",
        meanwhile=partial(DagStream.limit_files, megabytes=2),
        alone=True,
    ),
    Case(
        "broker not there",
        "provision_topics",
        r"\[HR301\] broker 127\.0\.0\.1:\d+ did not answer for topic .*Is it running",
        DagStream.stop_broker,
        DagStream.start_broker,
        state="up_for_retry",
        alone=True,
    ),
    Case(
        "broker gone in the middle",
        "publish",
        r"\[HR301\] broker 127\.0\.0\.1:\d+ did not answer for topic",
        years(3),
        DagStream.start_broker,
        state="up_for_retry",
        meanwhile=DagStream.stop_broker_while_it_publishes,
        alone=True,
    ),
)

REQUIRED = {
    *("empty CSV", "header only", "no header", "a column missing", "a column too many"),
    *("a row with too few fields", "a row with too many fields", "a number that is none"),
    *("a value of another type", "a date that does not exist"),
    *("another encoding", "a truncated gzip", "an unreadable file"),
    *("a file outside the allowed roots", "broker not there", "broker gone in the middle"),
    *("topic with other partitions", "topic with other config", "topic deleted and made again"),
    *("position below the log's start", "warehouse path is a file", "disk full", "wrong connection"),
    *("missing spark_default", "port taken", "Java too old", "no network at set-up"),
}
"""What the table must have; faults of contracts are in tests/unit/headrace/contract/test_loader.py."""
