"""What a record's part of a contract may not say is refused with its line and field."""

from pathlib import Path

import pytest

from headrace.contract.loader import load_contract
from headrace.contract.model import Contract
from headrace.contract.record import Record
from headrace.errors import ContractError

CONTRACT = """\
stream: mill
source: {kind: external}
topic: {name: mill}
record:
  TIME
  OPTION
  signals:
  - SIGNAL
"""
TIME = "event_time: {field: at, format: iso}"
SIGNAL = "{name: v, fields: [v]}"


def _loaded(folder: Path, time: str = TIME, option: str = "identity: [at]", signal: str = SIGNAL) -> Contract:
    file = folder / "mill.yaml"
    text = CONTRACT.replace("TIME", time).replace("OPTION", option).replace("SIGNAL", signal)
    file.write_text(text, encoding="utf-8")
    return load_contract(file)


TIMES = {
    "event_time: {format: iso}": "event_time.field: is missing; add it",
    "event_time: {field: at}": "event_time.format: is missing; add it",
    "event_time: {field: [], format: iso}": "event_time.field: is missing; add it",
    "event_time: {field: [at, at], format: iso}": "event_time.field: something stands in it twice",
    "event_time: {field: at, format: epoch}": "event_time.format: 'epoch' is no time pattern: is epoch_s",
    "event_time: {field: at, format: [iso, epoch_millis]}": "format.1: 'epoch_millis' is no time pattern",
    "event_time: {field: at, format: [epoch_ms, iso, epoch_s]}": "told apart by their digits: put them in",
    "event_time: {field: at, format: ISO8601}": "is iso meant?",
    "event_time: {from: kafka_timestamp, field: at}": "event_time.field: the time is the record's own",
    "event_time: {from: kafka_timestamp, format: iso}": "event_time.format: the time is the record's",
    "event_time: {from: kafka, field: at, format: iso}": "event_time.from: Input should be 'field' or",
}


@pytest.mark.parametrize("time", TIMES)
def test_a_wrong_time_is_named(time: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError) as refused:
        _loaded(tmp_path, time=time)
    assert TIMES[time] in str(refused.value)
    assert "line 5" in str(refused.value)


SIGNALS = {
    "{name: v, fields: [v], type: float}": "signals.0.type: must be double, integer, boolean",
    "{name: v, fields: [v], type: 'decimal(39, 2)'}": "must be double",
    "{name: v, fields: [v], type: 'decimal(2, 3)'}": "must be double",
    "{name: v, fields: [v], type: decimal}": "for example decimal(12, 2)",
    "{name: v, fields: [v], type: boolean, minimum: 0}": "type boolean has neither bounds nor",
    "{name: v, fields: [v], type: string, circular: true}": "type string has neither bounds nor",
    "{name: v, fields: [v], type: integer, minimum: 0.5}": "bounds and values of an integer are whole",
    "{name: v, fields: [v], type: integer, one_of: [9223372036854775808]}": "whole numbers of 64 bits",
    "{name: v, fields: [v], minimum: .inf}": "signals.0.minimum: is no finite number",
    "{name: v, fields: [v], minimum: 1" + "0" * 400 + "}": "signals.0.minimum: is no finite number",
    "{name: v, fields: [v], missing: [1" + "0" * 400 + "]}": "signals.0.missing.0: is no finite number",
    "{name: v, fields: [v], type: 'decimal(5, 2)', maximum: 1e40}": "of a decimal have 38 digits at most",
    "{name: v, fields: [v], type: struct, decimal: ','}": "type struct has no decimal sign",
    "{name: v, fields: [v], decimal: ',', thousands: ','}": "decimal and thousands are both ','",
    "{name: v, fields: [v], thousands: '.'}": "decimal and thousands are both '.'",
    "{name: v, fields: [v], thousands: ';'}": "signals.0.thousands: Input should be '.', ','",
    "{name: v, fields: [v], pattern: x}": "type double has no pattern; string has",
    "{name: v, fields: [v], type: string, pattern: '(a'}": "'(a' is no regular expression: unclosed group",
    "{name: v, fields: [v], type: string, pattern: '(?=a)'}": "no regular expression: look-around",
    "{name: v, fields: [v], format: iso}": "type double has no format; timestamp has",
    "{name: v, fields: [v], type: timestamp, format: YYYY}": "signals.0.format: 'YYYY' is no time",
    "{name: v, fields: [v], type: array, one_of: ['[]']}": "type array has no one_of",
    "{name: v, fields: [v], type: string, one_of: [1]}": "one_of of type string are texts; put",
    "{name: v, fields: [v], one_of: ['1']}": "one_of of type double are numbers, without",
    "{name: v, fields: [v], missing: [null]}": "signals.0.missing.0: must be a text or a number",
    "{name: v, fields: [v], missing: [no]}": "put the words null, true, yes and no in quotes",
    "{name: v, fields: [v], missing: ['']}": "must be a text or a number",
    "{name: v, fields: [v], missing: [.nan]}": "is no finite number; say `nan: missing` of NaN",
    "{name: v, fields: [v], nan: quarantine}": "signals.0.nan: Input should be 'missing'",
}


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_wrong_signal_is_named(signal: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError) as refused:
        _loaded(tmp_path, signal=signal)
    assert SIGNALS[signal] in str(refused.value)
    assert "line 8" in str(refused.value)


OPTIONS = {
    "thousands: .": "field record: decimal and thousands are both '.'",
    "decimal: ;": "field record.decimal: Input should be '.' or ','",
    "missing: NA": "field record.missing: Input should be a valid tuple",
    "nan: ignore": "field record.nan: Input should be 'quarantine' or 'missing'",
    "trim: both": "field record.trim",
    "unwrap: payload..after": "field record.unwrap: 'payload..after' is no path from '..after' on",
    "paths: {v: 'a[x]'}": "field record.paths.v: 'a[x]' is no path from '[x]' on; write it like a.b[0].c",
    "paths: {v: ''}": "field record.paths.v",
    "format: text\n  unwrap: a": "a record of format text has no levels; leave out unwrap and paths",
    "headers: {p: headrace}": "field record.headers.p: 'headrace' is one of Headrace's own headers",
    "value_compression: lz4": "field record.value_compression: Input should be 'gzip' or 'zstd'",
    "key: {format: text}": "name the field that the key is, or paths into it",
    "key: {format: text, paths: {id: id}}": "a key of format text has no paths; name its field",
    "key: {format: avro, field: id}": "field record.key.format: Input should be 'text', 'json', 'int32' or",
    "key: device": "field record.key: Input should be a valid tuple",
    "format: avro": "field record: format avro, and no other, has its schemas in a registry; add or leave",
    "registry: {}": "field record: format avro, and no other, has its schemas in a registry; add or leave",
    "key: {format: text, field: x}\n  headers: {x: y}": "field 'x' is more than one of paths, key,",
}


@pytest.mark.parametrize("option", OPTIONS)
def test_a_wrong_option_of_all_fields_is_named(option: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError) as refused:
        _loaded(tmp_path, option=option)
    assert OPTIONS[option] in str(refused.value)


def test_a_sources_rows_have_a_time_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "mill.yaml"
    text = CONTRACT.replace("TIME", "event_time: {from: kafka_timestamp}").replace("OPTION", "trim: true")
    text = text.replace("SIGNAL", SIGNAL).replace("{kind: external}", "{kind: csv, path: a.csv}")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ContractError, match="rows get Kafka's timestamp when they are published"):
        load_contract(file)


def test_what_is_read_is_written_the_same(tmp_path: Path) -> None:
    """A contract travels to drivers as what it was read to be."""
    read = _loaded(
        tmp_path,
        time="event_time: {from: kafka_timestamp, timezone: Europe/Berlin}",
        option="missing: [NA, -9999, 0.5]",
        signal="{name: v, fields: [v], type: integer, maximum: 9007199254740993, one_of: [1]}",
    )
    assert Record.model_validate(read.record.model_dump(mode="json")) == read.record
    assert read.record.missing == ("NA", -9999, 0.5)
    assert read.record.signals[0].maximum == 9007199254740993


@pytest.mark.parametrize(
    "option", ["value_compression: gzip", "headers: {t: trace}", "key: {format: text, field: k}"]
)
def test_a_source_is_published_in_headraces_own_form(option: str, tmp_path: Path) -> None:
    file = tmp_path / "mill.yaml"
    text = CONTRACT.replace("TIME", TIME).replace("OPTION", option).replace("SIGNAL", SIGNAL)
    file.write_text(text.replace("{kind: external}", "{kind: csv, path: a.csv}"), encoding="utf-8")
    with pytest.raises(ContractError, match="leave out value_compression, headers and the key's format"):
        load_contract(file)
