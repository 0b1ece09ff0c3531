"""A hostile CSV file, published and landed: each row keeps its text, or the file is refused with the line."""

import json
from pathlib import Path

import duckdb
import pytest

from headrace.contract.source import CsvSource
from headrace.errors import SourceError
from headrace.kafka.topics import log_end
from headrace.parse.reasons import Reason
from headrace.publish.publishing import publish
from headrace.settings import Settings
from headrace.tables.queries import open_table
from headrace.tables.warehouse import Warehouse
from local.stack.broker import Broker
from testbed.stages import Land, succeeded
from testbed.streams import Stream, make_stream

HEADER = '"time","power","note"\r\n'
MARK = "\ufeff"

ROWS: tuple[tuple[str, list[str], Reason | None], ...] = (
    ("2018-01-01 00:00,1,plain\r\n", ["2018-01-01 00:00", "1", "plain"], None),
    ('2018-01-01 00:01,"2","a ""quoted"", text"\r\n', ["2018-01-01 00:01", "2", 'a "quoted", text'], None),
    ('2018-01-01 00:02,3,"two\r\nlines"\r\n', ["2018-01-01 00:02", "3", "two\r\nlines"], None),
    ('2018-01-01 00:03,4,"a\nb\n\n\nc"\r\n', ["2018-01-01 00:03", "4", "a\nb\n\n\nc"], None),
    ('2018-01-01 00:04,5,"a lone\rCR"\r\n', ["2018-01-01 00:04", "5", "a lone\rCR"], None),
    ('2018-01-01 00:05,6,"\r"\r\n', ["2018-01-01 00:05", "6", "\r"], None),
    (
        f"{MARK}2018-01-01 00:06,7,mark first\r\n",
        [f"{MARK}2018-01-01 00:06", "7", "mark first"],
        Reason.BAD_EVENT_TIME,
    ),
    (
        f"2018-01-01 00:07,{MARK}8,mark second\r\n",
        ["2018-01-01 00:07", f"{MARK}8", "mark second"],
        Reason.NOT_A_NUMBER,
    ),
    (f'2018-01-01 00:08,9,"{MARK}in, quotes"\r\n', ["2018-01-01 00:08", "9", f"{MARK}in, quotes"], None),
    (f"{MARK}time,power,note\r\n", [f"{MARK}time", "power", "note"], Reason.BAD_EVENT_TIME),
    ("2018-01-01 00:10,11,it's 5\" wide\r\n", ["2018-01-01 00:10", "11", "it's 5\" wide"], None),
    ('2018-01-01 00:11,"12",""\r\n', ["2018-01-01 00:11", "12", ""], None),
    (
        "2018-01-01 00:12, 13,blank before\r\n",
        ["2018-01-01 00:12", " 13", "blank before"],
        Reason.NOT_A_NUMBER,
    ),
    (
        '2018-01-01 00:13,14,"\x85\u2028\x0b\x0c\x1c"\r\n',
        ["2018-01-01 00:13", "14", "\x85\u2028\x0b\x0c\x1c"],
        None,
    ),
    ("2018-01-01 00:14,15,<b>😀\r\n", ["2018-01-01 00:14", "15", "<b>😀"], None),
    ("2018-01-01 00:15,16,ends in LF alone\n", ["2018-01-01 00:15", "16", "ends in LF alone"], None),
    ("2018-01-01 00:16,17,has no end", ["2018-01-01 00:16", "17", "has no end"], None),
)
"""Each row as it stands in the file, its fields by hand, and why it is no reading."""

DEFINITION = {
    "stream": "hostile_csv",
    "topic": {"name": "hostile_csv"},
    "record": {
        "key": ["time"],
        "event_time": {"field": "time", "format": "yyyy-MM-dd HH:mm"},
        "signals": [
            {"name": "power", "fields": ["power"]},
            {"name": "note", "fields": ["note"], "type": "string"},
        ],
    },
    "landing": {"quarantine_limit": "100%"},
}

TEXT = HEADER + "".join(row for row, _, _ in ROWS)


@pytest.fixture(scope="module")
def folder(land: Land, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("csv")


@pytest.fixture(scope="module")
def stream(broker: Broker, folder: Path) -> Stream:
    file = folder / "hostile.csv"
    file.write_bytes(TEXT.encode())
    return make_stream(folder, broker.config, {**DEFINITION, "source": {"kind": "csv", "path": str(file)}})


@pytest.fixture(scope="module")
def settings(folder: Path) -> Settings:
    return Settings(warehouse=folder / "warehouse", home=folder / "home", source_roots=str(folder))


Found = dict[int, tuple[str | None, dict[str, str]]]
"""Row of the source -> why it is no reading, and its fields."""


@pytest.fixture(scope="module")
def found(stream: Stream, settings: Settings, land: Land) -> Found:
    """What the tables hold after the file was published and landed."""
    published = publish(stream.contract, settings, stream.config, "a run")
    assert published.rows == len(ROWS)
    warehouse = Warehouse.of(settings, "hostile_csv")
    succeeded(land(stream.job(warehouse.root)))
    with duckdb.connect() as engine:
        for name in ("readings", "quarantine"):
            engine.register(name, open_table(warehouse.table(name)).to_pyarrow_dataset())
        engine.execute("SET TimeZone = 'UTC'")
        readings = engine.sql("""
            SELECT provenance.row, strftime(signal_ts, '%Y-%m-%d %H:%M'), signals FROM readings
        """).fetchall()
        quarantine = engine.sql("SELECT provenance.row, reason, value FROM quarantine").fetchall()
    landed: Found = {row: (None, {"time": time, **signals}) for row, time, signals in readings}
    refused: Found = {row: (reason, json.loads(value)) for row, reason, value in quarantine}
    assert landed.keys().isdisjoint(refused)
    return landed | refused


def test_duckdb_reads_the_same_fields(folder: Path, stream: Stream) -> None:
    """Not strictly: its strict reading takes no file whose lines end in more than one way."""
    read = duckdb.read_csv(
        str(folder / "hostile.csv"), header=True, all_varchar=True, na_values="no null", strict_mode=False
    )
    assert [list(row) for row in read.fetchall()] == [fields for _, fields, _ in ROWS]


@pytest.mark.parametrize("number", range(1, len(ROWS) + 1))
def test_a_row_ends_in_a_table_with_its_text(found: Found, number: int) -> None:
    _, fields, reason = ROWS[number - 1]
    assert found[number] == (reason, dict(zip(("time", "power", "note"), fields, strict=True)))


def test_nothing_else_is_in_the_tables(found: Found) -> None:
    assert sorted(found) == list(range(1, len(ROWS) + 1))


GOOD = "2018-01-01 00:00,1,a\r\n"

REFUSED = {
    "a lone CR outside quotes": ("2018-01-01 00:01,1,two\rlines\r\n", r"line 4, field power: is missing"),
    "a CR too many": ("2018-01-01 00:01,1,a\r\r\n", r"line 4: the line is empty; remove it"),
    "a mark before a quote": (
        f'{MARK}"2018-01-01 00:01","1","a,b"\r\n{MARK}"a,b","1","c"\r\n',
        r"line 4, field 4",
    ),
    "a quote that is never closed": (
        '2018-01-01 00:01,1,"a\r\n' + GOOD * 3,
        r"line 3: .* a quote is never closed",
    ),
    "text behind a quote": ('2018-01-01 00:01,1,"a"b\r\n', r"line 3: no valid CSV: ',' expected after '\"'"),
    "NUL": ("2018-01-01 00:01,1,a\0b\r\n", r"line 3: holds a NUL character"),
    "a field of 900 KB": (
        f"2018-01-01 00:01,1,{'x' * 900_000}\r\n",
        r"line 3: .*field larger than field limit",
    ),
    "half a character": ("2018-01-01 00:01,1,a\udcc3\r\n", r"line 3, byte \d+: 0xc3 is no utf-8 text"),
}
"""What follows a good row, and what publishing must say."""


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_read_for_certain_is_refused_with_the_line(
    name: str, stream: Stream, settings: Settings, folder: Path
) -> None:
    rest, message = REFUSED[name]
    file = folder / "refused.csv"
    file.write_bytes((HEADER + GOOD + rest).encode(errors="surrogateescape"))
    source = CsvSource(kind="csv", path=file)
    before = log_end(stream.config, stream.contract.topic.name)
    with pytest.raises(SourceError, match=message) as raised:
        publish(stream.contract.model_copy(update={"source": source}), settings, stream.config, "a run")
    assert str(file) in str(raised.value)
    assert log_end(stream.config, stream.contract.topic.name) == before
