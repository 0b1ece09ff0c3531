"""What a gate waits for: small conditions that travel as JSON and are checked by asking broker or tables."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from headrace.contract.loader import find_contract
from headrace.errors import SettingsError, TopicMissing
from headrace.kafka.topics import log_end
from headrace.offsets import lag, reached
from headrace.settings import load_settings
from headrace.tables.warehouse import Warehouse


class Verdict(NamedTuple):
    """Whether a condition is met, and in words how things stand."""

    met: bool
    text: str


class _Condition(BaseModel, ABC):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @abstractmethod
    def check(self, config: Mapping[str, Any]) -> Verdict:
        """Ask once; `config` is librdkafka's.

        Raises:
            BrokerUnreachable: no answer; the caller may ask again.
        """


class TopicReady(_Condition):
    """The topic has its partitions, and each of them answers."""

    kind: Literal["topic_ready"] = "topic_ready"
    topic: str
    partitions: Annotated[int, Field(ge=1)]

    def __str__(self) -> str:
        return f"topic {self.topic} answers with {self.partitions} partitions"

    def check(self, config: Mapping[str, Any]) -> Verdict:
        """Ask for the end of each partition: only one with a leader answers."""

        try:
            answering = len(log_end(config, self.topic))
        except TopicMissing:  # a new topic spreads over the brokers a moment after it was made
            return Verdict(False, f"topic {self.topic} is not there yet")
        text = f"topic {self.topic}: {answering} of {self.partitions} partitions answer"
        return Verdict(answering >= self.partitions, text)


class Visible(_Condition):
    """Consumers that read committed records only can read up to `until` (partition -> offset)."""

    kind: Literal["visible"] = "visible"
    topic: str
    until: dict[int, int]

    def __str__(self) -> str:
        return f"consumers of topic {self.topic} see the records up to {_text(self.until)}"

    def check(self, config: Mapping[str, Any]) -> Verdict:
        """Ask for the last stable offsets: an open transaction holds them back."""

        end = log_end(config, self.topic)
        if reached(end, self.until):
            return Verdict(True, f"topic {self.topic} is visible up to {_text(end)}")
        behind = lag(end, self.until)
        text = (
            f"topic {self.topic} is visible up to {_text(end)}: {behind} offsets before {_text(self.until)}"
        )
        return Verdict(False, text)


class Landed(_Condition):
    """The stream's closed batches have come to `until` (partition -> offset)."""

    kind: Literal["landed"] = "landed"
    stream: str
    topic_id: str
    until: dict[int, int]

    def __str__(self) -> str:
        return f"stream {self.stream} is landed up to {_text(self.until)}"

    def check(self, config: Mapping[str, Any]) -> Verdict:
        """Ask `batches`."""
        from headrace.tables.batches import landed_position

        position = landed_position(Warehouse.of(load_settings(), self.stream), self.topic_id)
        if reached(position, self.until):
            return Verdict(True, f"stream {self.stream} is landed up to {_text(position)}")
        behind = lag(position, self.until)
        return Verdict(
            False, f"stream {self.stream}: {behind} offsets before {_text(self.until)} are not landed"
        )


class Analysed(_Condition):
    """Both gold tables have come to `until` (partition -> offset), by the contract's present analysis."""

    kind: Literal["analysed"] = "analysed"
    stream: str
    topic_id: str
    until: dict[int, int]

    def __str__(self) -> str:
        return f"the gold tables of stream {self.stream} have come up to {_text(self.until)}"

    def check(self, config: Mapping[str, Any]) -> Verdict:
        """Ask the newest commits of the gold tables."""
        from headrace.tables.progress import is_analysed

        settings = load_settings()
        analysis = find_contract(settings.streams_path, self.stream).analysis_sha256
        met = is_analysed(Warehouse.of(settings, self.stream), self.topic_id, self.until, analysis)
        return Verdict(met, f"{self}: {'yes' if met else 'not yet'}")


Condition = Annotated[TopicReady | Visible | Landed | Analysed, Field(discriminator="kind")]
"""Every condition; a new one is a class above and a name here."""

_CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)


def parse_condition(fields: Mapping[str, Any]) -> Condition:
    """The condition from its fields.

    Raises:
        SettingsError: there is no such condition, its fields do not fit, or a task has not told one of them.
    """
    untold = [name for name, value in fields.items() if value is None]
    if untold:
        raise SettingsError(
            f"gate condition {fields.get('kind')}: nobody has told {' and '.join(untold)}: "
            "was the task that tells it marked as success by hand? Clear it: it goes on where it ended, "
            "adds nothing twice, and tells the gate what to wait for"
        )
    try:
        return _CONDITION.validate_python(dict(fields))
    except ValidationError as broken:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in broken.errors())
        raise SettingsError(
            f"no gate condition: {wrong}; correct the gate's condition in the DAG"
        ) from broken


def _text(position: Mapping[int, int]) -> str:
    return " ".join(f"{partition}:{offset}" for partition, offset in sorted(position.items()))
