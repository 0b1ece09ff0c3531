"""Conditions of a stream, which its contract, its tables and the broker answer."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field

from headrace.contract.loader import find_contract
from headrace.gates.answers import Answers
from headrace.gates.condition import BaseCondition, Verdict
from headrace.offsets import lag, position_text, reached
from headrace.settings import load_settings
from headrace.tables.warehouse import Warehouse

if TYPE_CHECKING:
    from headrace.contract.model import Contract


class OfStream(BaseCondition):
    """A condition of one stream."""

    stream: str

    def _warehouse(self) -> Warehouse:
        return Warehouse.of(load_settings(), self.stream)

    def _contract(self, answers: Answers) -> "Contract":
        streams = load_settings().streams_path
        return answers.of(("contract", self.stream), lambda: find_contract(streams, self.stream))

    def _landed(self, answers: Answers, topic_id: str) -> dict[int, int]:
        from headrace.tables.batches import landed_position

        question = ("landed", self.stream, topic_id)
        return answers.of(question, lambda: landed_position(self._warehouse(), topic_id))

    def _lag(self, answers: Answers) -> int:
        """Offsets that consumers can read and that are not landed."""
        from headrace.kafka.topics import describe_topic

        topic = self._contract(answers).topic.name
        there = answers.of(("topic", topic), lambda: describe_topic(answers.config, topic))
        return lag(self._landed(answers, there.topic_id), answers.log_end(topic))


class Landed(OfStream):
    """The stream's closed batches have come to `until` (partition -> offset)."""

    kind: Literal["landed"] = "landed"
    asks: ClassVar = "disk"
    topic_id: str
    until: dict[int, int]

    def __str__(self) -> str:
        return f"stream {self.stream} is landed up to {position_text(self.until)}"

    def check(self, answers: Answers) -> Verdict:
        """Ask `batches`."""
        position = self._landed(answers, self.topic_id)
        if reached(position, self.until):
            return Verdict(True, f"stream {self.stream} is landed up to {position_text(position)}")
        behind = lag(position, self.until)
        return Verdict(
            False, f"stream {self.stream}: {behind} offsets before {position_text(self.until)} are not landed"
        )


class Analysed(OfStream):
    """All gold tables have come to `until` (partition -> offset), by the contract's present analysis."""

    kind: Literal["analysed"] = "analysed"
    asks: ClassVar = "disk"
    topic_id: str
    until: dict[int, int]

    def __str__(self) -> str:
        return f"the gold tables of stream {self.stream} have come up to {position_text(self.until)}"

    def check(self, answers: Answers) -> Verdict:
        """Ask the newest commits of the gold tables."""
        from headrace.tables.progress import is_analysed

        met = is_analysed(self._contract(answers), self._warehouse(), self.topic_id, self.until)
        return Verdict(met, f"{self}: {'yes' if met else 'not yet'}")


class LagBelow(OfStream):
    """Fewer than so many offsets of the topic are not in the stream's tables; no consumer group is asked."""

    kind: Literal["lag_below"] = "lag_below"
    asks: ClassVar = "broker"
    offsets: Annotated[int, Field(ge=1)]

    def __str__(self) -> str:
        return f"stream {self.stream} lags by less than {self.offsets:,} offsets"

    def check(self, answers: Answers) -> Verdict:
        """Ask `batches` for the landed position, and the broker for the end that consumers see."""
        behind = self._lag(answers)
        return Verdict(behind < self.offsets, f"stream {self.stream} lags by {behind:,} offsets")


class NewRecords(OfStream):
    """At least so many offsets wait in the stream's topic that are not landed."""

    kind: Literal["new_records"] = "new_records"
    asks: ClassVar = "broker"
    at_least: Annotated[int, Field(ge=1)]

    def __str__(self) -> str:
        return f"{self.at_least:,} offsets of stream {self.stream} wait to be landed"

    def check(self, answers: Answers) -> Verdict:
        """Ask as `lag_below`; where a producer uses transactions, each end of one is an offset too."""
        new = self._lag(answers)
        return Verdict(new >= self.at_least, f"{new:,} offsets of stream {self.stream} are not landed")


class CompleteThrough(OfStream):
    """Every entity of the stream has an analysed reading at `moment` or after it.

    `missing`: also, of the days from `since` to the one before the moment's, at most so many slots have no
    reading; it needs a contract with a cadence (`every`), and counts days without any reading, too.
    """

    kind: Literal["complete_through"] = "complete_through"
    asks: ClassVar = "disk"
    moment: AwareDatetime
    since: date | None = None
    missing: Annotated[int, Field(ge=0)] = 0

    def __str__(self) -> str:
        return f"stream {self.stream} is complete through {self.moment.isoformat()}"

    def check(self, answers: Answers) -> Verdict:
        """Ask `daily_completeness`."""
        from headrace.tables.queries import newest_readings

        newest = answers.of(("newest", self.stream), lambda: newest_readings(self._warehouse()))
        behind = {entity: last for entity, last in newest.items() if last < self.moment}
        if behind or not newest:
            return Verdict(False, self._behind(behind))
        if self.since is None:
            return Verdict(
                True, f"stream {self.stream} has readings up to {min(newest.values()).isoformat()}"
            )
        return self._without_gaps(answers, self.since)

    def _behind(self, behind: dict[str | None, datetime]) -> str:
        if not behind:
            return f"stream {self.stream} has no analysed reading yet"
        entity, last = min(behind.items(), key=lambda each: each[1])
        more = f", and {len(behind) - 1} more lag" if len(behind) > 1 else ""
        of = "" if entity is None else f" of {entity}"
        return f"stream {self.stream}: the newest reading{of} is of {last.isoformat()}{more}"

    def _without_gaps(self, answers: Answers, since: date) -> Verdict:
        from headrace.tables.queries import missing_slots

        contract = self._contract(answers)
        zone = ZoneInfo(contract.record.event_time.timezone)
        last = self.moment.astimezone(zone).date() - timedelta(days=1)
        missing = missing_slots(contract, self._warehouse(), since, last) if since <= last else 0
        text = f"stream {self.stream}: {missing:,} slots from {since} to {last} have no reading"
        return Verdict(missing <= self.missing, text)
