"""Records that are there already: the same identity was landed before, or came earlier in the batch."""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from headrace.contract.model import Contract
from headrace.parse.reasons import Reason
from headrace_spark.parse import is_reading

PLACE = ["partition", "offset"]


def may_repeat(contract: Contract) -> Column:
    """Whether a parsed record could have come before: one that is known by its own offset cannot."""
    if contract.record.identity:
        return is_reading()
    return is_reading() & F.col("provenance.publication").isNotNull() & F.col("provenance.row").isNotNull()


@dataclass(frozen=True)
class BatchSummary:
    """A batch in numbers: its records, the readings among them, those that could have come before, the
    readings' first and last day.

    Days are texts: Spark has years that Python has not.
    """

    records: int
    readings: int
    candidates: int
    first: str | None
    last: str | None


def summarize(parsed: DataFrame, contract: Contract) -> BatchSummary:
    """Count the parsed records, in the one pass that also brings them into memory."""
    day = F.when(is_reading(), F.to_date("signal_ts"))
    row = parsed.agg(
        F.count("*"),
        F.count_if(is_reading()),
        F.count_if(may_repeat(contract)),
        F.min(day).cast("string"),
        F.max(day).cast("string"),
    ).first()
    assert row is not None  # noqa: S101  # an aggregate without groups has one row
    return BatchSummary(*row)


def near(readings: DataFrame, contract: Contract, summary: BatchSummary) -> DataFrame:
    """The readings that could have an identity of the batch's records.

    Where the event time is part of the identity they are of the same days; a day more on both sides, because
    the contract's zone may have been another when they were landed.
    """
    if contract.record.event_time.field not in (contract.record.identity or ()):
        return readings
    if summary.first is None or summary.last is None:
        return readings.limit(0)
    days = F.date_sub(F.to_date(F.lit(summary.first)), 1), F.date_add(F.to_date(F.lit(summary.last)), 1)
    return readings.where(F.col("signal_date").between(*days))


def any_repeats(candidates: DataFrame, landed: DataFrame) -> bool:
    """Whether `repeats` could find anything: one shuffle of identities where that takes three."""
    identities = candidates.select("provenance.identity").unionAll(landed.select("provenance.identity"))
    return not identities.groupBy("identity").count().where("count > 1").isEmpty()


def repeats(candidates: DataFrame, landed: DataFrame) -> DataFrame:
    """Place (partition, offset) of each candidate whose identity is landed, or earlier among them."""
    earlier = Window.partitionBy("identity").orderBy(*PLACE)
    numbered = candidates.select("provenance.identity", *(f"provenance.{name}" for name in PLACE)).withColumn(
        "nth", F.row_number().over(earlier)
    )
    known = landed.select("provenance.identity")
    first_but_known = numbered.where("nth = 1").join(known, "identity", "left_semi")
    return numbered.where("nth > 1").unionByName(first_but_known).select(*PLACE)


def without(parsed: DataFrame, places: DataFrame) -> DataFrame:
    """The parsed records that do not stand at one of the places."""
    at = [F.col(f"provenance.{name}") == places[name] for name in PLACE]
    return parsed.join(places, at, "left_anti")


def with_own_reasons(refused: DataFrame) -> DataFrame:
    """Records that were refused as they stand, with the reason that `parse` gives."""
    return refused.withColumns({"reason": F.col("refusal.reason"), "message": F.col("refusal.message")})


def with_reasons(refused: DataFrame, landed: DataFrame) -> DataFrame:
    """Every refused record with its reason: its own, or how it compares with the reading of its identity.

    A record without either was refused under the contract of an earlier, broken-off try.
    """
    content = ("signal_ts", "entity", "signals")
    readings = landed.select(
        F.col("provenance.identity").alias("known"),
        F.struct(*content).alias("reading"),
        F.col("provenance").alias("at"),
    ).dropDuplicates(["known"])
    joined = refused.join(
        readings, is_reading() & (F.col("provenance.identity") == F.col("known")), "left"
    ).withColumn("same", _same("reading"))
    compared = (
        F.when(F.col("known").isNull(), F.lit(Reason.EARLIER_CONTRACT.value))
        .when(F.col("same"), F.lit(Reason.DUPLICATE.value))
        .otherwise(F.lit(Reason.CONFLICT.value))
    )
    return joined.withColumn("reason", F.coalesce("refusal.reason", compared)).withColumn(
        "message", F.coalesce("refusal.message", _message())
    )


def _same(reading: str) -> Column:
    # Maps have no order and cannot be compared, their sorted entries can.
    entries = F.array_sort(F.map_entries("signals")).eqNullSafe(
        F.array_sort(F.map_entries(f"{reading}.signals"))
    )
    return (
        entries
        & F.col("signal_ts").eqNullSafe(F.col(f"{reading}.signal_ts"))
        & F.col("entity").eqNullSafe(F.col(f"{reading}.entity"))
    )


def _message() -> Column:
    text = F.when(F.col("known").isNull(), F.lit(Reason.EARLIER_CONTRACT.text))
    text = text.when(F.col("same"), F.lit(Reason.DUPLICATE.text)).otherwise(F.lit(Reason.CONFLICT.text))
    place = F.format_string("; batch %d, partition %d, offset %d", "at.batch", "at.partition", "at.offset")
    return F.concat(text, F.when(F.col("known").isNotNull(), place).otherwise(F.lit("")))
