"""What is staged: the rows, the order, the statistics and the narrow facts; DuckDB reads the files."""

import json
import pickle
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from headrace.identities.hashing import identity_hashes
from headrace.staging import staging as module
from headrace.staging.staged import Refused, Staged, StagedFile
from headrace.staging.staging import Staging, discard, stage
from testbed.parsed_rows import Parsed, parsed

LANDED_AT = datetime(2026, 11, 25, 22, 30, 0, 123456, tzinfo=UTC)  # the 26th in Istanbul


@pytest.fixture
def staging(tmp_path: Path) -> Staging:
    return Staging(
        readings=tmp_path / "ware house" / "readings",
        quarantine=tmp_path / "ware house" / "quarantine",
        batch=7,
        landed_at=LANDED_AT,
        zone="Europe/Istanbul",
        by_contract=True,
    )


def ask(folder: Path, files: tuple[StagedFile, ...], what: str, order: str = "") -> list[tuple[Any, ...]]:
    """What DuckDB finds in the files, at UTC."""
    with duckdb.connect() as base:
        base.execute("SET TimeZone = 'UTC'")
        paths = [str(folder / file.path) for file in files]
        return base.execute(
            f"SELECT {what} FROM read_parquet({paths}, file_row_number = true) {order}"
        ).fetchall()


def test_a_reading_gets_its_day_its_landing_and_its_batch(staging: Staging) -> None:
    record = Parsed(3, 1, minutes=21 * 60 + 30, signals=[("b", "1.50"), ("a", None)], entity="t1", row=9)
    staged = stage([parsed(record)], staging)
    what = """signal_date, epoch_us(signal_ts), create_date, epoch_us(create_ts), signals, entity,
        provenance.topic_id, provenance.partition, provenance.offset, provenance.publication, provenance.row,
        provenance.identity, provenance.batch"""
    assert ask(staging.readings, staged.readings, what) == [
        (
            date(2018, 1, 2),  # 21:30 at UTC on the 1st
            1514842200000000,
            date(2026, 11, 26),
            1795645800123456,
            {"b": "1.50", "a": None},
            "t1",
            "topic-1",
            1,
            3,
            None,
            9,
            "[1,3]",
            7,
        )
    ]


def test_a_refused_record_keeps_its_bytes(staging: Staging) -> None:
    staged = stage([parsed(Parsed(3, reason="not_an_object", message="no object"))], staging)
    what = "reason, message, key, value, headers, provenance.offset, provenance.batch"
    assert ask(staging.quarantine, staged.quarantine, what) == [
        ("not_an_object", "no object", None, b"{", [{"key": "h", "value": b"v"}], 3, 7)
    ]
    assert staged.readings == ()


def test_rows_are_ordered_by_day_partition_and_offset(staging: Staging) -> None:
    day = 24 * 60
    staged = stage(
        [parsed(Parsed(5, 1, minutes=day), Parsed(9, 0)), parsed(Parsed(2, 1), Parsed(4, 1, minutes=day))],
        staging,
    )
    what = "day(signal_date), provenance.partition, provenance.offset"
    assert ask(staging.readings, staged.readings, what, "ORDER BY file_row_number") == [
        (1, 0, 9),
        (1, 1, 2),
        (2, 1, 4),
        (2, 1, 5),
    ]
    (file,) = staged.readings
    assert file.identities is not None
    assert file.identities["hash"] == identity_hashes(pa.array(["[0,9]", "[1,2]", "[1,4]", "[1,5]"]))
    assert staged.days == (date(2018, 1, 1), date(2018, 1, 2))


def test_statistics_say_what_the_file_holds(staging: Staging) -> None:
    records = [
        Parsed(5, 1, minutes=0.00001, entity="a"),
        Parsed(9, 2, minutes=-1),
        Parsed(7, 1, minutes=2000),
    ]
    staged = stage([parsed(*records)], staging)
    (file,) = staged.readings
    said = json.loads(file.statistics)
    assert said["numRecords"] == file.rows == 3
    ((low, high, first, last),) = ask(
        staging.readings,
        staged.readings,
        "min(signal_date), max(signal_date), min(provenance.offset), max(provenance.offset)",
    )
    assert (said["minValues"]["signal_date"], said["maxValues"]["signal_date"]) == (str(low), str(high))
    inner = said["minValues"]["provenance"], said["maxValues"]["provenance"]
    assert [each["offset"] for each in inner] == [first, last]
    assert [each["partition"] for each in inner] == [1, 2]
    assert [each["batch"] for each in inner] == [7, 7]
    assert said["nullCount"]["entity"] == 2
    assert said["nullCount"]["provenance"] == {
        **dict.fromkeys(["topic_id", "partition", "offset", "timestamp", "identity", "batch"], 0),
        **dict.fromkeys(["publication", "row"], 3),
    }
    assert "row" not in inner[0]


LONG = "x" * 32


@pytest.mark.parametrize(
    ("texts", "low", "high"),
    [
        (["b", "ä", "a"], "a", "ä"),
        ([None, ""], "", ""),
        ([LONG], LONG, LONG),
        ([f"{LONG}y", f"{LONG}\U0010fffe"], LONG, f"{LONG}\U0010ffff"),
        ([f"{LONG}\U0010ffff{LONG}"], LONG, f"{LONG}\U0010ffff\U0010ffff"),
        ([f"{LONG}\U0010ffff"], LONG, f"{LONG}\U0010ffff"),
    ],
)
def test_a_text_lies_between_its_columns_bounds(
    staging: Staging, texts: list[str | None], low: str, high: str
) -> None:
    staged = stage([parsed(*(Parsed(at, entity=text) for at, text in enumerate(texts)))], staging)
    said = json.loads(staged.readings[0].statistics)
    assert (said["minValues"]["entity"], said["maxValues"]["entity"]) == (low, high)
    assert all(low <= text <= high for text in texts if text is not None)


def test_a_column_of_nulls_has_no_bounds(staging: Staging) -> None:
    staged = stage([parsed(Parsed(0))], staging)
    assert "entity" not in json.loads(staged.readings[0].statistics)["minValues"]


def test_an_instants_bounds_hold_it_in_whole_milliseconds(staging: Staging) -> None:
    staged = stage(
        [parsed(Parsed(0, minutes=-1.5 / 60_000_000), Parsed(1, minutes=0.0015 / 60_000))], staging
    )
    said = json.loads(staged.readings[0].statistics)
    assert said["minValues"]["signal_ts"] == "2017-12-31T23:59:59.999Z"  # of …59.999998
    assert said["maxValues"]["signal_ts"] == "2018-01-01T00:00:00.001Z"  # of …00.000002


def test_an_instant_of_no_year_that_a_text_can_say_has_no_bound(staging: Staging) -> None:
    batch = parsed(Parsed(0))
    far = pa.array([2**63 - 1], pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    provenance = batch["provenance"]
    fields = dict(zip([each.name for each in provenance.type], provenance.flatten(), strict=True))
    fields["timestamp"] = far
    changed = pa.StructArray.from_arrays(list(fields.values()), names=list(fields))
    position = batch.schema.get_field_index("provenance")
    staged = stage([batch.set_column(position, "provenance", changed)], staging)
    said = json.loads(staged.readings[0].statistics)
    assert "timestamp" not in said["minValues"]["provenance"]
    assert said["minValues"]["provenance"]["offset"] == 0


def test_files_are_written_as_rows_come_in(staging: Staging, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_A_FILE", 4)
    seen = []

    def batches() -> Any:
        for start in range(0, 10, 2):
            seen.append(len(list(staging.readings.glob("*.parquet"))))
            yield parsed(Parsed(start), Parsed(start + 1))

    staged = stage(batches(), staging)
    assert seen == [0, 0, 1, 1, 2]
    assert [file.rows for file in staged.readings] == [4, 4, 2]
    assert (staged.records, staged.landed, staged.quarantined) == (10, 10, 0)


def test_large_rows_fill_a_file_before_many_do(staging: Staging, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BYTES_A_FILE", 1)
    staged = stage([parsed(Parsed(0)), parsed(Parsed(1))], staging)
    assert [file.rows for file in staged.readings] == [1, 1]


def test_each_reason_has_its_count_and_its_first_record(staging: Staging) -> None:
    first = parsed(
        Parsed(8, reason="empty", message="e8"), Parsed(1), Parsed(9, reason="not_utf8", message="u9")
    )
    second = parsed(Parsed(3, 1, reason="empty", message="e3"), Parsed(2, reason="empty", message="e2"))
    expected = {"empty": Refused(3, 0, 2, "e2"), "not_utf8": Refused(1, 0, 9, "u9")}
    assert stage([first, second], staging).refused == expected
    together = stage([first], staging) + stage([second], staging)
    assert (together.refused, together.records) == (expected, 5)


def test_without_a_declared_identity_only_rows_of_a_source_may_have_come_before(staging: Staging) -> None:
    records = parsed(
        Parsed(0, identity='["p",1]', publication="p", row=1), Parsed(1, publication="p"), Parsed(2, row=2)
    )
    undeclared = Staging(**{**vars(staging), "by_contract": False})
    staged = stage([records], undeclared)
    (file,) = staged.readings
    assert file.identities is not None
    assert file.identities["hash"].is_null().to_pylist() == [False, True, True]
    assert (staged.candidates, stage([records], staging).candidates) == (1, 3)


def test_a_hash_is_the_same_in_every_version() -> None:
    hashes = identity_hashes(pa.array(['["01 01 2018 00:00"]', None, "é"]))
    # `printf '["01 01 2018 00:00"]' | b2sum -l 64` says f7e5627756ae442f: those bytes, last first
    assert hashes.to_pylist() == [0x2F44AE567762E5F7, None, 0x2F19F3EF8BBF1ACB]


def test_nothing_stays_when_the_parser_fails(staging: Staging, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_A_FILE", 1)

    def fails() -> Any:
        yield parsed(Parsed(0), Parsed(1, reason="empty", message="e"))
        raise MemoryError

    with pytest.raises(MemoryError):
        stage(fails(), staging)
    assert list(staging.readings.iterdir()) == list(staging.quarantine.iterdir()) == []


def test_what_is_discarded_is_gone_and_may_be_discarded_again(staging: Staging) -> None:
    staged = stage([parsed(Parsed(0), Parsed(1, reason="empty", message="e"))], staging)
    discard(staging, staged)
    discard(staging, staged)
    assert list(staging.readings.iterdir()) == list(staging.quarantine.iterdir()) == []


def test_the_facts_travel_between_processes(staging: Staging) -> None:
    staged = stage([parsed(Parsed(0))], staging)
    back: Staged = pickle.loads(pickle.dumps(staged))
    assert (back.readings, back.days) == (staged.readings, staged.days)
    assert pickle.loads(pickle.dumps(staging)) == staging


def test_a_batch_without_records_stages_nothing(staging: Staging) -> None:
    assert stage([], staging) == stage([parsed()], staging) == Staged()
    assert Staged().days is None
