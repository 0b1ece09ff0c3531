"""A CSV is read as it was written, or refused with its file, line and field."""

import gzip
from pathlib import Path

import pytest

from headrace.contract.loader import load_contract
from headrace.contract.model import Contract
from headrace.contract.record import EventTime, Record, Signal
from headrace.contract.source import CsvSource
from headrace.errors import SourceError
from headrace.publish.sources.csv_rows import CsvRows
from headrace.publish.sources.rows import check_source
from headrace.settings import PROJECT

SHIPPED = load_contract(PROJECT / "include/streams/wind_turbine.yaml")
T1 = PROJECT / "include/data/wind_turbine/T1.csv"

PLAIN = "Date/Time,LV_ActivePower,Wind_Speed,Theoretical_Power_Curve,Wind_Direction"
UNITS = "Date/Time,LV ActivePower (kW),Wind Speed (m/s),Theoretical_Power_Curve (KWh),Wind Direction (°)"
ROW = "01 01 2018 00:00,380.0,5.3,416.3,259.9"


def contract_of(path: Path, **source: str) -> Contract:
    return SHIPPED.model_copy(update={"source": CsvSource(kind="csv", path=path, **source)})


def rows_of(contract: Contract) -> CsvRows:
    assert isinstance(contract.source, CsvSource)
    return CsvRows(contract.source.file, contract.source)


def check(path: Path, content: bytes, contract: Contract | None = None) -> int:
    path.write_bytes(content)
    contract = contract or contract_of(path)
    return check_source(rows_of(contract), contract)


def lines(*texts: str) -> bytes:
    return "".join(f"{text}\r\n" for text in texts).encode()


def test_the_wind_turbine_file_has_its_rows() -> None:
    rows = rows_of(contract_of(T1))
    assert rows.read().header == PLAIN.split(",")
    assert check_source(rows, SHIPPED) == 50_530


@pytest.mark.parametrize("header", [PLAIN, UNITS])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_both_headers_with_and_without_mark(tmp_path: Path, header: str, mark: bytes) -> None:
    assert check(tmp_path / "t.csv", mark + lines(header, ROW)) == 1


def test_a_header_alone_is_a_source_without_rows(tmp_path: Path) -> None:
    assert check(tmp_path / "t.csv", lines(PLAIN)) == 0


def test_a_last_line_without_its_end_is_a_row(tmp_path: Path) -> None:
    assert check(tmp_path / "t.csv", lines(PLAIN) + ROW.encode()) == 1


def test_a_value_that_is_no_number_is_no_fault_of_the_source(tmp_path: Path) -> None:
    assert check(tmp_path / "t.csv", lines(PLAIN, "when,much,NaN,,-")) == 1


FAULTS = {
    "empty": (b"", r"t\.csv, line 1: is empty; a source begins with its header"),
    "empty header": (lines("", ROW), r"line 1: is empty; a source begins with its header"),
    "no header": (lines(ROW), r"line 1: is no header: none of the contract's fields is in it; add"),
    "names unknown": (lines("a,b"), r"line 1: is no header"),
    "other delimiter": (
        lines(PLAIN.replace(",", ";")),
        r"line 1: is no header: .* source \(delimiter, preamble",
    ),
    "signal missing": (
        lines(PLAIN.replace(",Wind_Speed", "")),
        r"line 1, signal 'Wind Speed \(m/s\)': the column is missing: none of \['Wind_Speed', ",
    ),
    "event time missing": (
        lines(PLAIN.replace("Date/Time,", "")),
        r"line 1, field 'Date/Time': the column is missing",
    ),
    "column twice": (lines(PLAIN + ",Wind_Speed"), r"line 1, field 'Wind_Speed': the column stands twice"),
    "two names of a signal": (
        lines(PLAIN + ",Wind Speed (m/s)"),
        r"field 'Wind Speed \(m/s\)': is signal 'Wind Speed \(m/s\)', as is column 'Wind_Speed'",
    ),
    "two marks": (b"\xef\xbb\xbf\xef\xbb\xbf" + lines(PLAIN), r"line 1: begins with a byte-order mark"),
    "too few fields": (
        lines(PLAIN, ROW, "01 01 2018 00:10,1,2"),
        r"line 3, field Theoretical_Power_Curve: is missing: the row has 3 fields, the header 5",
    ),
    "too many fields": (lines(PLAIN, ROW + ",7"), r"line 2, field 6: the row has 6 fields, the header 5"),
    "empty line": (
        lines(PLAIN, ROW, "", ROW),
        r"line 3: the line is empty; remove it, or set source\.blank_lines: skip",
    ),
    "undecodable": (
        lines(PLAIN, ROW) + b"01 01 2018 00:10,\xff,1,2,3\r\n",
        r"line 3, byte 134: 0xff is no utf-8 text; correct source\.encoding",
    ),
    "cut within a character": (lines(PLAIN) + "°".encode()[:1], r"line 2, byte 77: 0xc2 is no utf-8 text"),
    "NUL": (lines(PLAIN, ROW, "01\0,1,2,3,4"), r"line 3: holds a NUL character"),
    "open quote": (lines(PLAIN, ROW, '"01,1,2,3,4', ROW), r"line 3: no valid CSV: a quote is never closed"),
    "text after a quote": (lines(PLAIN, '"01"x,1,2,3,4'), r"line 2: no valid CSV: ',' expected after '\"'"),
    "endless field": (lines(PLAIN, "x" * 200_000), r"line 2: no valid CSV: field larger than field limit"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_its_place(name: str, tmp_path: Path) -> None:
    content, message = FAULTS[name]
    with pytest.raises(SourceError, match=message) as error:
        check(tmp_path / "t.csv", content)
    assert str(tmp_path / "t.csv") in str(error.value)


POWER = Signal(name="power", fields=("P_avg",))
STATE = Signal(name="state", fields=("power",), type="string")


@pytest.mark.parametrize("header", ["at,P_avg,power", "power,at,P_avg"])
def test_a_column_that_is_called_like_a_signal_needs_a_signal_of_its_own(tmp_path: Path, header: str) -> None:
    time = EventTime(field=("at",), format=("yyyy",))
    contract = contract_of(tmp_path / "in.csv").model_copy(
        update={"record": Record(event_time=time, signals=(POWER,))}
    )
    first, second = (column for column in header.split(",") if column != "at")
    message = f"field 'power': columns {first!r} and {second!r} would both be signal 'power'; let a signal of"
    with pytest.raises(SourceError, match=message):
        check(tmp_path / "in.csv", lines(header, "1,1,1"), contract)
    both = contract.model_copy(update={"record": Record(event_time=time, signals=(POWER, STATE))})
    assert check(tmp_path / "in.csv", lines(header, "1,1,1"), both) == 1


def test_an_unknown_column_is_refused_where_the_contract_says_so(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    keep = contract_of(file)
    refuse = keep.model_copy(
        update={"landing": keep.landing.model_copy(update={"unknown_fields": "quarantine"})}
    )
    assert check(file, lines(PLAIN + ",Mood", ROW + ",good"), keep) == 1
    with pytest.raises(SourceError, match=r"line 1, field 'Mood': the contract does not know this column"):
        check(file, lines(PLAIN + ",Mood", ROW + ",good"), refuse)


@pytest.mark.parametrize(
    ("field", "update"),
    [
        ("Farm", {"key": ("Farm",)}),
        ("Farm", {"identity": ("Date/Time", "Farm")}),
        ("Farm", {"entity": "Farm"}),
    ],
)
def test_fields_of_key_identity_and_entity_must_be_columns(
    tmp_path: Path, field: str, update: dict[str, object]
) -> None:
    contract = contract_of(tmp_path / "t.csv")
    contract = contract.model_copy(update={"record": contract.record.model_copy(update=update)})
    with pytest.raises(SourceError, match=f"line 1, field '{field}': the column is missing"):
        check(tmp_path / "t.csv", lines(PLAIN, ROW), contract)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(lines(PLAIN, ROW))[:-9], "the gzip file is broken or cut off"),
        (lines(PLAIN, ROW), "the gzip file is broken or cut off: Not a gzipped file"),
        (gzip.compress(lines(PLAIN, ROW)[:-5] + b"\xff"), r"line 2, byte 112: 0xff is no utf-8 text"),
    ],
)
def test_a_broken_gzip_file_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        check(tmp_path / "t.csv.gz", content)
