"""Kafka records to readings: each record becomes one, or is refused with a reason; none is dropped.

Spark runs in ANSI mode, where a plain cast of bad text stops the query: only `try_` functions stand here.
"""

from collections.abc import Iterator

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.contract.model import Contract, Record, Signal
from headrace.kafka import headers
from headrace.parse.reasons import Reason
from headrace_spark.event_time import instant
from headrace_spark.json_text import as_written, fields_of, mark_of, text_of

# What Java parses and JSON does not know (hexadecimal, `1d`, `NaN`, blanks around it) is no number here.
DECIMAL = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\z"

SHOWN = 80
"""How many characters of a refused value its message shows."""


def parse(records: DataFrame, contract: Contract, topic_id: str) -> DataFrame:
    """Each record with what became of it.

    Columns: `refusal` (struct of reason and message; null for a reading), `signal_ts`, `signals`, `entity`,
    `provenance` (without the batch), and the record's own `key`, `value`, `headers`. Nothing in it depends on
    the batch: a stream is parsed by the same expressions, and so by the same compiled code, from its first
    micro-batch to its last.
    """
    shape = contract.record
    apart = [name for name in (shape.event_time.field, shape.entity) if name]
    return (
        records.withColumn("text", text_of(F.col("value")))
        .withColumn("mark", mark_of(F.col("text")))
        .withColumn(
            "fields",
            F.transform_values(fields_of(F.col("text")), lambda _, value: as_written(value, F.col("mark"))),
        )
        .withColumn("names", F.transform(F.map_keys("fields"), lambda field: _name(shape, field)))
        .withColumn("repeated", F.size(F.array_distinct("names")) < F.size("names"))
        .withColumn("values", F.when(~F.col("repeated"), F.map_from_arrays("names", F.map_values("fields"))))
        .withColumn("signal_ts", instant(_value(shape, shape.event_time.field), shape.event_time))
        .select(
            F.coalesce(*_refusals(contract)).alias("refusal"),
            "signal_ts",
            F.map_filter("values", lambda name, _: ~name.isin(apart)).alias("signals"),
            (_value(shape, shape.entity) if shape.entity else F.lit(None).cast("string")).alias("entity"),
            _provenance(shape, topic_id).alias("provenance"),
            "key",
            "value",
            "headers",
        )
    )


def is_reading() -> Column:
    """Whether a parsed record became a reading."""
    return F.col("refusal").isNull()


def bytes_where(parsed: DataFrame, kept: Column) -> DataFrame:
    """The rows with the bytes of their records only where `kept` holds."""
    return parsed.withColumns({name: F.when(kept, F.col(name)) for name in ("key", "value", "headers")})


def number(text: Column) -> Column:
    """A decimal number as DOUBLE, infinite where it is too large for one; null for any other text."""
    return F.when(text.rlike(DECIMAL), text.try_cast("double"))


def _aliases(shape: Record) -> dict[str, str]:
    return {field: signal.name for signal in shape.signals for field in signal.fields if field != signal.name}


def _name(shape: Record, field: Column) -> Column:
    """The name that a field has in the tables: its signal's, else its own."""
    aliases = [F.lit(text) for pair in _aliases(shape).items() for text in pair]
    return F.coalesce(F.try_element_at(F.create_map(*aliases), field), field) if aliases else field


def _value(shape: Record, field: str) -> Column:
    """The text of a field; null where it is missing, null or empty."""
    return F.nullif(F.try_element_at("values", F.lit(_aliases(shape).get(field, field))), F.lit(""))


def _refusals(contract: Contract) -> Iterator[Column]:
    """Every reason to refuse a record, in the order in which they are checked: struct or null."""
    shape = contract.record
    value = F.col("value")
    yield _refuse(Reason.EMPTY, value.isNull() | (F.octet_length(value) == 0))
    yield _refuse(Reason.NOT_UTF8, F.col("text").isNull())
    yield _refuse(Reason.NOT_AN_OBJECT, F.col("fields").isNull())
    yield _refuse(Reason.REPEATED_FIELD, F.col("repeated"))
    if contract.landing.unknown_fields == "quarantine":
        known = [*contract.record.fields, *(signal.name for signal in shape.signals)]
        unknown = F.filter("names", lambda name: ~name.isin(known))
        yield _refuse(Reason.UNKNOWN_FIELD, F.size(unknown) > 0, "field", F.try_element_at(unknown, F.lit(1)))
    for field in _required(shape):
        yield _refuse(Reason.MISSING_FIELD, _value(shape, field).isNull(), f"field {field}")
    yield from _event_time_refusals(shape)
    for signal in shape.signals:
        if signal.type == "double":
            yield from _number_refusals(signal, _value(shape, signal.name))


def _required(shape: Record) -> list[str]:
    required = [signal.name for signal in shape.signals if signal.required]
    named = [shape.event_time.field, *(shape.identity or ()), *([shape.entity] if shape.entity else [])]
    return list(dict.fromkeys([*named, *required]))


def _event_time_refusals(shape: Record) -> Iterator[Column]:
    given = _value(shape, shape.event_time.field)
    place = f"field {shape.event_time.field}, format {shape.event_time.format}"
    earliest = F.lit(shape.event_time.earliest).cast("timestamp")
    after_latest = F.date_add(F.lit(shape.event_time.latest), 1).cast("timestamp")
    yield _refuse(Reason.BAD_EVENT_TIME, F.col("signal_ts").isNull(), place, given)
    yield _refuse(Reason.EARLY_EVENT_TIME, F.col("signal_ts") < earliest, place, given)
    yield _refuse(Reason.LATE_EVENT_TIME, F.col("signal_ts") >= after_latest, place, given)


def _number_refusals(signal: Signal, given: Column) -> Iterator[Column]:
    parsed = number(given)
    infinite = F.abs(parsed) == F.lit(float("inf"))
    yield _refuse(
        Reason.NOT_A_NUMBER, given.isNotNull() & (parsed.isNull() | infinite), f"signal {signal.name}", given
    )
    if signal.minimum is not None:
        place = f"signal {signal.name}, minimum {signal.minimum:g}"
        yield _refuse(Reason.OUT_OF_RANGE, parsed < signal.minimum, place, given)
    if signal.maximum is not None:
        place = f"signal {signal.name}, maximum {signal.maximum:g}"
        yield _refuse(Reason.OUT_OF_RANGE, parsed > signal.maximum, place, given)


def _refuse(reason: Reason, condition: Column, place: str = "", given: Column | None = None) -> Column:
    text = [reason.text, *([place] if place else [])]
    message = F.lit("; ".join(text))
    if given is not None:
        message = F.concat(message, F.lit(": "), F.coalesce(F.substring(given, 1, SHOWN), F.lit("null")))
    return F.when(condition, F.struct(F.lit(reason.value).alias("reason"), message.alias("message")))


def _provenance(shape: Record, topic_id: str) -> Column:
    publication = F.try_validate_utf8(_header(headers.PUBLICATION).cast("string"))
    row = _header(headers.ROW).cast("string").try_cast("bigint")
    return F.struct(
        F.lit(topic_id).alias("topic_id"),
        F.col("partition"),
        F.col("offset"),
        F.col("timestamp"),
        publication.alias("publication"),
        row.alias("row"),
        _identity(shape, topic_id, publication, row).alias("identity"),
    )


def _header(name: str) -> Column:
    named = F.filter("headers", lambda header: header["key"] == name)
    return F.try_element_at(named, F.lit(1))["value"]


def _identity(shape: Record, topic_id: str, publication: Column, row: Column) -> Column:
    """What makes the record itself, as the text of a JSON array; null where a declared part is missing."""
    if shape.identity:
        return _json_array(*(_value(shape, field) for field in shape.identity))
    place = _json_array(F.lit(topic_id), F.col("partition"), F.col("offset"))
    return F.coalesce(_json_array(publication, row), place)


def _json_array(*parts: Column) -> Column:
    whole = F.to_json(F.array(*(part.cast("string") for part in parts)))
    some_missing = parts[0].isNull()
    for part in parts[1:]:
        some_missing = some_missing | part.isNull()
    return F.when(~some_missing, whole)
