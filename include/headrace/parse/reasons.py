"""Why a record did not become a reading: the closed list of quarantine's reason codes."""

from enum import StrEnum


class Reason(StrEnum):
    """A reason code; its text says what it means, `such_as` what ends so."""

    text: str
    such_as: str

    def __new__(cls, code: str, text: str = "", such_as: str = "") -> "Reason":
        """A member; called with a code alone it finds the one that has it."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.text = text
        member.such_as = such_as
        return member

    EMPTY = "empty", "the record has no value (a tombstone or an empty one)", "no bytes at all"
    NOT_COMPRESSED = (
        "not_compressed",
        "the value is not compressed as the contract says, is damaged, or is more than 16 MiB without it",
        "plain JSON; a stream that is cut off; some bytes of gzip that stand for gigabytes",
    )
    TOMBSTONE = (
        "tombstone",
        "a record without a value, where the contract skips and counts them; outside the share limit",
        "what a compacted topic writes to delete a key, with `landing.tombstones: skip_counted`",
    )
    NOT_UTF8 = (
        "not_utf8",
        "the value is not UTF-8 text",
        "Latin-1; UTF-16; half of a surrogate pair, as bytes or escaped (`\\ud83d`)",
    )
    NOT_AN_OBJECT = (
        "not_an_object",
        "the value is not one JSON object, or is nested 1,000 deep, or has a name of over 50,000 characters",
        "a list; a cut-off object; two objects; `01` or `1.`; a line break in a text; a byte-order mark",
    )
    NOT_WRAPPED = (
        "not_wrapped",
        "the value has no object where the contract's `unwrap` says",
        "a record without its envelope; another connector's envelope",
    )
    NOT_AVRO = (
        "not_avro",
        "the value is not a zero, four bytes of a schema's id and one Avro record of that schema",
        "plain JSON; Avro without the registry's head; a cut-off record; bytes behind it",
    )
    UNKNOWN_SCHEMA = (
        "unknown_schema",
        "the registry has no schema of the id that the value names",
        "a producer with another registry; a schema that was deleted for good",
    )
    UNFIT_SCHEMA = (
        "unfit_schema",
        "the value's schema lacks a field that the contract needs, has another type for it, or is unreadable",
        "a required field that was removed; a boolean where a number was; a schema that holds itself",
    )
    NOT_A_ROW = (
        "not_a_row",
        "the value is not one line of CSV with as many fields as the contract has columns",
        "a field too few; a quote that is not closed; two lines; a blank line",
    )
    REPEATED_FIELD = (
        "repeated_field",
        "a field stands twice, or under two of its names",
        '`{"p": 1, "p": 1}`; two of a signal\'s `fields`',
    )
    BAD_KEY = (
        "bad_key",
        "the record's key is not what the contract says",
        "no UTF-8; no JSON; another number of bytes than a number has",
    )
    BAD_HEADER = (
        "bad_header",
        "a header that is a field is no UTF-8 text, or has over 65,536 bytes",
        "a number as bytes",
    )
    UNKNOWN_FIELD = (
        "unknown_field",
        "a field that the contract does not know, and unknown fields are refused",
        "any other name, with `landing.unknown_fields: quarantine`",
    )
    MISSING_FIELD = (
        "missing_field",
        "the event time, an identity field, the entity or a required signal is missing",
        "not there; null; an empty text",
    )
    BAD_EVENT_TIME = (
        "bad_event_time",
        "the event time is not a time of the contract's format",
        "31 February; another format; full-width digits; a time that a clock change skips; the year 294248",
    )
    DOUBLED_EVENT_TIME = (
        "doubled_event_time",
        "the local time comes twice, when clocks go back, and nothing tells which of the two it is",
        "a file that begins in the doubled hour; any time in it with `doubled: quarantine`",
    )
    EARLY_EVENT_TIME = (
        "early_event_time",
        "the event time is before the contract's earliest",
        "the year 1; a clock that shows 1970",
    )
    LATE_EVENT_TIME = (
        "late_event_time",
        "the event time is after the contract's latest",
        "the year 9999; unless `latest` says otherwise, over a day after the record was written",
    )
    NOT_A_NUMBER = (
        "not_a_number",
        "a signal that must be a number is none, or is not finite",
        "NaN; Infinity; 1e400; `1,5` without `decimal`; `0x1`; full-width digits; true; a blank beside it",
    )
    WRONG_TYPE = (
        "wrong_type",
        "a signal is not of the type that the contract says",
        "1.5 or 65 bits as an integer; too many digits as a decimal; `yes` as a boolean; `[1, 2` as an array",
    )
    OUT_OF_RANGE = (
        "out_of_range",
        "a signal is below its minimum or above its maximum",
        "-0.1 with `minimum: 0`; -0 is not below 0",
    )
    NOT_ALLOWED = (
        "not_allowed",
        "a signal is none of the values that are taken, or not of its pattern",
        "`of` where `one_of` is [on, off]; a serial number with a letter too many",
    )
    RULE_BROKEN = (
        "rule_broken",
        "a rule of the contract does not hold; the message names the rule",
        "`low` above `high` with the expression `low <= high`; a missing value breaks none",
    )
    DUPLICATE = (
        "duplicate",
        "the same identity and content as a landed record; outside the share limit",
        "a source that was published again; its bytes are not kept",
    )
    CONFLICT = "conflict", "the identity of a landed record, with other content", "a correction of the source"
    REFUSED_BEFORE = (
        "refused_before",
        "an earlier publication of the source had this row refused too; outside the share limit",
        "a bad row, to the byte, of a source that was written anew or published again",
    )
    EARLIER_CONTRACT = (
        "earlier_contract",
        "refused under the contract of a try that was broken off; the present contract accepts it",
        "a contract that was changed between a killed run and the next one",
    )
