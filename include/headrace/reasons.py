"""Why a record did not become a reading: the closed list of quarantine's reason codes."""

from enum import StrEnum


class Reason(StrEnum):
    """A reason code; its text says what it means."""

    text: str

    def __new__(cls, code: str, text: str = "") -> "Reason":
        """A member; called with a code alone it finds the one that has it."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.text = text
        return member

    EMPTY = "empty", "the record has no value (a tombstone or an empty one)"
    NOT_UTF8 = "not_utf8", "the value is not UTF-8 text"
    NOT_AN_OBJECT = "not_an_object", "the value is not one JSON object"
    REPEATED_FIELD = "repeated_field", "a field stands twice, or under two of its names"
    UNKNOWN_FIELD = "unknown_field", "a field that the contract does not know, and unknown fields are refused"
    MISSING_FIELD = (
        "missing_field",
        "the event time, an identity field, the entity or a required signal is missing",
    )
    BAD_EVENT_TIME = "bad_event_time", "the event time is not a time of the contract's format"
    EARLY_EVENT_TIME = "early_event_time", "the event time is before the contract's earliest"
    LATE_EVENT_TIME = "late_event_time", "the event time is after the contract's latest"
    NOT_A_NUMBER = "not_a_number", "a signal that must be a number is none, or is not finite"
    OUT_OF_RANGE = "out_of_range", "a signal is below its minimum or above its maximum"
    DUPLICATE = "duplicate", "the same identity and content as a landed record; outside the share limit"
    CONFLICT = "conflict", "the identity of a landed record, with other content"
    EARLIER_CONTRACT = (
        "earlier_contract",
        "refused under the contract of a try that was broken off; the present contract accepts it",
    )
