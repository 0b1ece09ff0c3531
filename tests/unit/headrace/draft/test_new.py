"""`headrace new` from a file to a contract that reads it; what is expected comes from who made the file."""

import csv
import gzip
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from headrace.cli import app
from headrace.contract.loader import load_contract
from headrace.contract.source import CsvSource, JsonlSource, ParquetSource
from headrace.draft import parquet, pieces
from headrace.draft.guess import leave
from headrace.draft.new import Drafted, Wish, new_of_file
from headrace.settings import PROJECT, load_settings

FORMS = {
    "yyyy-MM-dd HH:mm:ss": "%Y-%m-%d %H:%M:%S",
    "dd.MM.yyyy HH:mm:ss": "%d.%m.%Y %H:%M:%S",
    "MM/dd/yyyy hh:mm:ss a": "%m/%d/%Y %I:%M:%S %p",
    "yyyy-MM-dd'T'HH:mm:ssXXX": "%Y-%m-%dT%H:%M:%S+00:00",
    "yyyyMMddHHmmss": "%Y%m%d%H%M%S",
    "epoch_s": "",
    "iso": "%Y-%m-%dT%H:%M:%S.%fZ",
}
EVERY = [
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(days=1),
]

MINUTE = timedelta(minutes=1)
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), min_size=1, max_size=12
)


@dataclass(frozen=True)
class Made:
    """A file's shape as its maker knows it."""

    delimiter: str
    form: str
    begin: datetime
    every: timedelta
    steps: int
    devices: list[str]
    names: list[str]
    decimal: str
    missing: str

    @property
    def rows(self) -> int:
        return self.steps * max(1, len(self.devices))

    def times(self) -> list[datetime]:
        return [self.begin + n * self.every for n in range(self.steps)]

    def written(self, at: datetime) -> str:
        return str(int(at.timestamp())) if self.form == "epoch_s" else f"{at:{FORMS[self.form]}}"

    def write(self, file: Path) -> None:
        device = ["turbine"] if self.devices else []
        with file.open("w", encoding="utf-8", newline="") as writing:
            out = csv.writer(writing, delimiter=self.delimiter, lineterminator="\n")
            out.writerow(["measured at", *device, *self.names])
            for n, at in enumerate(self.times()):
                for name in self.devices or [None]:
                    number = f"{n * 7 % 31 + len(name or '') / 8:.3f}".replace(".", self.decimal)
                    values = [self.missing if n % 9 == 5 else number for _ in self.names]
                    out.writerow([self.written(at), *([name] if name else []), *values])


MADE = st.builds(
    Made,
    delimiter=st.sampled_from(",;\t|"),
    form=st.sampled_from([*FORMS]),
    begin=st.integers(10**9, 17 * 10**8).map(lambda at: datetime.fromtimestamp(at, UTC)),
    every=st.sampled_from(EVERY),
    steps=st.integers(20, 60),
    devices=st.sampled_from([[], ["a", "b"], ["T 1", "T 2", "T,3;4", "Ä"]]),
    names=st.lists(NAMES, min_size=1, max_size=4, unique_by=str.casefold),
    decimal=st.sampled_from(".,"),
    missing=st.sampled_from(["", "NA", "-", "NaN", "\\N"]),
)


def drafted(sample: Path, folder: Path) -> Drafted:
    return new_of_file(sample, Wish("drafted", folder / "drafted.yaml", leave), load_settings())


@given(made=MADE)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_of_any_shape_is_read_as_it_was_made(made: Made, tmp_path: Path) -> None:
    (tmp_path / "drafted.yaml").unlink(missing_ok=True)
    made.write(tmp_path / "sample.csv")
    found = drafted(tmp_path / "sample.csv", tmp_path)
    contract = load_contract(found.file)
    record = contract.record
    assert contract.source.delimiter == made.delimiter  # type: ignore[union-attr]  # it is a CSV source
    assert record.event_time.field == ("measured at",)
    assert record.event_time.every == made.every
    assert record.entity == ("turbine" if made.devices else None)
    assert record.identity == (("turbine", "measured at") if made.devices else ("measured at",))
    assert [signal.fields for signal in record.signals] == [(name,) for name in made.names]
    assert record.decimal == made.decimal
    assert {signal.type for signal in record.signals} == {"double"}
    assert found.trial is not None
    assert (found.trial.records, found.trial.readings) == (made.rows, made.rows)
    if found.draft.time.sure:
        instants = set(found.draft.time.value.instants)
        assert instants == set(made.times())
    else:
        days = [each for at in made.times() for each in (at.day, at.month)]
        assert made.form[0] in "dM" and max(days) <= 12  # noqa: PT018  # nothing tells them apart


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["new", *map(str, arguments)])


def test_the_shipped_file(tmp_path: Path) -> None:
    output = tmp_path / "t1.yaml"
    source = PROJECT / "include/data/wind_turbine/T1.csv"
    done = run(source, "--output", output, "--timezone", "Europe/Istanbul")
    assert done.exit_code == 0, done.output
    made, shipped = (load_contract(file) for file in (output, PROJECT / "include/streams/wind_turbine.yaml"))
    assert made.source == shipped.source
    assert made.record.event_time == shipped.record.event_time
    assert made.record.identity == shipped.record.identity
    assert "50,530 records: 50,530 readings; refused: none" in done.output
    text = output.read_text("utf-8")
    assert "day first: 13 to 31 stands in the first place in 30,544 rows" in text
    assert "UNSURE" not in text


def test_what_is_not_sure_is_marked_and_listed_and_the_exit_code_says_so(tmp_path: Path) -> None:
    sample = tmp_path / "Pump 7.csv"
    sample.write_text("time,v\n" + "".join(f"2024-01-01 {n:02}:00,{n}\n" for n in range(24)))
    output = tmp_path / "pump_7.yaml"
    done = run(sample, "--output", output)
    assert done.exit_code == 1, done.output
    assert "# UNSURE: its times say no zone" in output.read_text("utf-8")
    assert "1. zone: its times say no zone" in done.output
    assert "HEADRACE_SOURCE_ROOTS=" in done.output
    output.unlink()
    assert run(sample, "--output", output, "--yes").exit_code == 0


def test_a_contract_is_never_overwritten(tmp_path: Path) -> None:
    sample, output = tmp_path / "a.csv", tmp_path / "a.yaml"
    sample.write_text("time,v\n2024-01-01,1\n")
    output.write_text("mine")
    done = run(sample, "--output", output)
    assert (done.exit_code, output.read_text()) == (2, "mine")
    assert "is there and is not overwritten" in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("name,v\na,1.5\nb,2\n", "no time was found in name, v"),
        ('time,v\n"2024-01-01,1\n', "is a quote not closed?"),
        ("PAR1\0\0", "is no Parquet file"),
    ],
)
def test_a_sample_that_is_none_is_refused(tmp_path: Path, text: str, said: str) -> None:
    sample = tmp_path / "a.csv"
    sample.write_text(text)
    done = run(sample, "--output", tmp_path / "a.yaml")
    assert done.exit_code == 2
    assert said in done.stderr
    assert not (tmp_path / "a.yaml").exists()


def test_rows_that_would_be_refused_are_counted_and_shown(tmp_path: Path) -> None:
    sample = tmp_path / "a.csv"
    sample.write_text(
        "time,v\n" + "".join(f"2024-01-{n:02},{n}\n" for n in range(1, 31)) + "2024-01-31,broken\n"
    )
    done = run(sample, "--output", tmp_path / "a.yaml", "--yes")
    assert done.exit_code == 1
    assert "31 records: 30 readings; refused: 1 not_a_number" in done.output


def test_a_row_that_publish_would_refuse_is_named(tmp_path: Path) -> None:
    sample = tmp_path / "a.csv"
    sample.write_text("time,v\n" + "".join(f"2024-01-{n:02},{n}\n" for n in range(1, 31)) + "2024-01-31\n")
    done = run(sample, "--output", tmp_path / "a.yaml", "--yes")
    assert done.exit_code == 1
    assert "cannot be published as it is" in done.output
    assert "line 32" in done.output


HOSTILE = [
    "a: b # c",
    "{x}",
    "[y]",
    "- z",
    "'q'",
    '"',
    "%",
    "&a",
    "*a",
    "!!python/object",
    "é\u2028#",
    "null",
    "1",
]


def test_names_are_never_more_than_names(tmp_path: Path) -> None:
    sample = tmp_path / "a.csv"
    with sample.open("w", encoding="utf-8", newline="") as writing:
        out = csv.writer(writing)
        out.writerow(["time", *HOSTILE])
        out.writerows([f"2024-01-01 00:0{n}", *[str(n)] * len(HOSTILE)] for n in range(5))
    done = run(sample, "--output", tmp_path / "a.yaml", "--yes")
    assert done.exit_code == 0, done.output
    assert [signal.name for signal in load_contract(tmp_path / "a.yaml").record.signals] == HOSTILE


def test_names_in_comments_end_no_line(tmp_path: Path) -> None:
    device = "device\u2028schedule: x\x85- {"
    sample = tmp_path / "a.csv"
    rows = "".join(f"2024-01-01 00:0{n},{each},1\n" for n in range(9) for each in "ab")
    sample.write_text(f"time,{device},v\n{rows}", encoding="utf-8")
    done = run(sample, "--output", tmp_path / "a.yaml", "--yes")
    assert done.exit_code == 0, done.output
    assert load_contract(tmp_path / "a.yaml").record.entity == device
    assert "2 different device\\u2028schedule" in (tmp_path / "a.yaml").read_text("utf-8")


def test_columns_that_the_tables_call_alike_get_names_of_their_own(tmp_path: Path) -> None:
    sample = tmp_path / "a.csv"
    sample.write_text("time,Temp,temp,readings\n" + "".join(f"2024-01-01 00:0{n},1,2,3\n" for n in range(5)))
    assert run(sample, "--output", tmp_path / "a.yaml", "--yes").exit_code == 0
    signals = load_contract(tmp_path / "a.yaml").record.signals
    assert [(each.name, each.fields) for each in signals] == [
        ("Temp", ("Temp",)),
        ("temp_2", ("temp",)),
        ("readings_2", ("readings",)),
    ]


def test_old_times_and_forecasts_move_the_bounds(tmp_path: Path) -> None:
    sample = tmp_path / "a.csv"
    sample.write_text("time,v\n" + "".join(f"{year}-01-01,1\n" for year in range(1913, 2000)))
    run(sample, "--output", tmp_path / "a.yaml", "--yes")
    assert load_contract(tmp_path / "a.yaml").record.event_time.earliest == date(1910, 1, 1)
    ahead = datetime.now(UTC) + timedelta(days=30)
    sample.write_text("time,v\n" + "".join(f"{ahead + timedelta(days=n):%Y-%m-%d},1\n" for n in range(9)))
    (tmp_path / "a.yaml").unlink()
    done = run(sample, "--output", tmp_path / "a.yaml", "--yes")
    latest = load_contract(tmp_path / "a.yaml").record.event_time.latest
    assert isinstance(latest, timedelta) and latest > timedelta(days=38)  # noqa: PT018  # also for mypy
    assert done.exit_code == 0


def test_lines_before_the_header_units_and_columns_without_names(tmp_path: Path) -> None:
    sample = tmp_path / "a.csv"
    rows = "".join(f"2024-01-01 00:0{n},{n}.5,{n},\n" for n in range(9))
    sample.write_text(f"Station,Ems\n\ntime,U,I,\n,V,A,\n{rows}\n")
    done = run(sample, "--output", tmp_path / "a.yaml", "--yes")
    assert done.exit_code == 0, done.output
    source = load_contract(tmp_path / "a.yaml").source
    assert source == CsvSource(
        kind="csv", path=sample, preamble=2, units=1, trailing_delimiter=True, blank_lines="skip"
    )
    assert "9 records: 9 readings" in done.output


def test_a_time_whose_column_has_no_name_gets_one(tmp_path: Path) -> None:
    sample = tmp_path / "a.csv"
    sample.write_text(",v\n" + "".join(f"2024-01-01 00:0{n},{n}\n" for n in range(9)))
    assert run(sample, "--output", tmp_path / "a.yaml", "--yes").exit_code == 0
    contract = load_contract(tmp_path / "a.yaml")
    assert contract.source == CsvSource(kind="csv", path=sample, preamble=1, names=("column_1", "v"))
    assert contract.record.event_time.field == ("column_1",)


def test_names_that_nobody_needs_may_stand_twice_or_not_at_all(tmp_path: Path) -> None:
    sample = tmp_path / "a.csv"
    sample.write_text("time,v,note,,note\n" + "".join(f"2024-01-01 00:0{n},{n},a,b,c\n" for n in range(9)))
    assert run(sample, "--output", tmp_path / "a.yaml", "--yes").exit_code == 0
    assert [each.name for each in load_contract(tmp_path / "a.yaml").record.signals] == ["v"]
    assert "are kept as column_4, note, note_2" in (tmp_path / "a.yaml").read_text()


def test_numbers_for_no_value_are_asked_about(tmp_path: Path) -> None:
    sample = tmp_path / "a.csv"
    sample.write_text("time,v\n" + "".join(f"2024-01-01 00:{n:02},{n or -9999}\n" for n in range(59)))
    done = run(sample, "--output", tmp_path / "a.yaml", "--timezone", "UTC")
    assert done.exit_code == 1
    assert "-9999 in v lies far from all others" in done.output
    assert load_contract(tmp_path / "a.yaml").record.signals[0].missing == (-9999,)


def test_json_lines(tmp_path: Path) -> None:
    sample = tmp_path / "a.jsonl.gz"
    begin = 1_700_000_000_000
    records = [{"ms": begin + 60_000 * n, "v": n / 4, "ok": True, "tags": ["x"]} for n in range(9)]
    sample.write_bytes(gzip.compress("\n".join(map(json.dumps, records)).encode()))
    done = run(sample, "--output", tmp_path / "a.yaml")
    assert done.exit_code == 0, done.output
    contract = load_contract(tmp_path / "a.yaml")
    assert contract.source == JsonlSource(kind="jsonl", path=sample)
    assert (contract.record.event_time.format, contract.record.event_time.every) == (("epoch_ms",), MINUTE)
    assert [each.type for each in contract.record.signals] == ["double", "boolean", "array"]
    assert "9 records: 9 readings" in done.output


@pytest.mark.parametrize("zipped", [False, True])
def test_of_a_large_file_a_part_is_looked_at_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zipped: bool
) -> None:
    monkeypatch.setattr(pieces, "MOST", 64_000)
    times = (datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=n) for n in range(9_000))
    text = "time,v\n" + "".join(f"{at:%d/%m/%Y %H:%M},{at.minute}\n" for at in times)
    sample = tmp_path / ("a.csv.gz" if zipped else "a.csv")
    sample.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    found = drafted(sample, tmp_path)
    assert ("the head)" if zipped else "head and pieces)") in found.draft.sample.look.said
    assert found.draft.time.value.formats == ("dd/MM/yyyy HH:mm",)
    assert found.draft.every.value == MINUTE
    assert found.trial is not None
    assert found.trial.records == found.trial.readings < 9_000


def test_parquet(tmp_path: Path) -> None:
    """Two devices, a cadence, a column that has no texts; expected are the rows that were written."""
    times = [datetime(2024, 3, 30, tzinfo=UTC) + n * timedelta(minutes=10) for n in range(50)]
    frame = pl.DataFrame(
        {
            "at": times * 2,
            "device": ["a"] * 50 + ["b"] * 50,
            "v": [n / 7 for n in range(100)],
            "tags": [["x"]] * 100,
        }
    )
    frame.with_columns(tags=[["x"]] * 100).write_parquet(tmp_path / "mill.parquet")
    found = drafted(tmp_path / "mill.parquet", tmp_path)
    contract = load_contract(found.file)
    assert isinstance(contract.source, ParquetSource)
    assert contract.source.columns == ("at", "device", "v")
    assert contract.record.identity == ("device", "at")
    assert (contract.record.entity, contract.record.event_time.every) == ("device", timedelta(minutes=10))
    assert found.trial
    assert (found.trial.readings, found.trial.refused) == (100, {})


def test_of_a_large_parquet_file_the_head_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "MOST", 5_000)
    monkeypatch.setattr(parquet, "ROWS", 1_000)
    times = [datetime(2024, 1, 1, tzinfo=UTC) + n * MINUTE for n in range(12_000)]
    pl.DataFrame({"at": times, "v": range(12_000)}).write_parquet(tmp_path / "long.parquet")
    found = drafted(tmp_path / "long.parquet", tmp_path)
    assert "5,000 of its 12,000 rows" in found.file.read_text("utf-8")
    assert found.trial
    assert (found.trial.records, found.trial.readings) == (1_000, 1_000)


def test_a_parquet_file_without_texts_or_rows_is_refused(tmp_path: Path) -> None:
    pl.DataFrame({"at": [[1]]}).write_parquet(tmp_path / "lists.parquet")
    pl.DataFrame({"at": []}, {"at": pl.Int64}).write_parquet(tmp_path / "none.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    for name, said in (("lists", "none of its columns"), ("none", "is empty"), ("broken", "no Parquet file")):
        ended = run(tmp_path / f"{name}.parquet", "--output", tmp_path / f"{name}.yaml")
        assert (ended.exit_code, said in " ".join(ended.output.split())) == (2, True)


def packed(folder: Path, name: str, header: str, *days: int) -> None:
    rows = "".join(f"2024-01-{day:02}T0{hour}:00:00Z,{day}.{hour}\n" for day in days for hour in range(5))
    (folder / name).write_bytes(gzip.compress(f"{header}\n{rows}".encode()))


@pytest.mark.parametrize(("pattern", "stream"), [("", "pumps"), ("*.csv.gz", "pumps"), ("pump-*.gz", "pump")])
def test_a_folder_or_pattern_is_drafted_by_its_last_file(pattern: str, stream: str, tmp_path: Path) -> None:
    folder, streams = tmp_path / "pumps", tmp_path / "streams"
    folder.mkdir()
    streams.mkdir()
    packed(folder, "pump-1.csv.gz", "at,v", 1)
    packed(folder, "pump-2.csv.gz", "at,other", 2)
    packed(folder, "pump-3.csv.gz", "at,v", 3)
    (folder / ".hidden").write_text("no rows", "utf-8")
    sample = folder / pattern if pattern else folder
    ended = run(sample, "--output", streams / f"{stream}.yaml", "--yes")
    said = " ".join(ended.output.split())
    assert "pump-2.csv.gz, line 1, signal 'v': the column is missing" in said
    assert ended.exit_code == 1
    contract = load_contract(streams / f"{stream}.yaml")
    assert isinstance(contract.source, CsvSource)
    assert contract.source.path == sample
    packed(folder, "pump-2.csv.gz", "at,v", 2)
    (streams / f"{stream}.yaml").unlink()
    assert run(sample, "--output", streams / f"{stream}.yaml", "--yes").exit_code == 0


def test_a_folder_without_a_file_is_refused(tmp_path: Path) -> None:
    for sample, said in ((tmp_path, "no file is there"), (tmp_path / "a**b", "give a folder, or a pattern")):
        ended = run(sample, "--stream", "none", "--output", tmp_path / "none.yaml")
        assert (ended.exit_code, said in " ".join(ended.output.split())) == (2, True), ended.output
