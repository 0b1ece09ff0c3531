"""Why a record's bytes cannot be read."""

from dataclasses import dataclass

from headrace.parse.reasons import Reason


@dataclass(frozen=True)
class Refusal:
    """A reason, and what is said of it to a person."""

    reason: Reason
    message: str

    @classmethod
    def of(cls, reason: Reason, detail: str = "") -> "Refusal":
        """The reason's own text and, where there is more to say, the detail."""
        return cls(reason, f"{reason.text}; {detail}" if detail else reason.text)


class Refused(ValueError):
    """Something in a record is reason enough to refuse it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
