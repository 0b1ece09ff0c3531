"""Conditions of a topic, which the broker answers."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from headrace.errors import TopicMissing
from headrace.gates.answers import Answers
from headrace.gates.condition import BaseCondition, Verdict
from headrace.offsets import lag, position_text, reached


class TopicReady(BaseCondition):
    """The topic has its partitions, each of them answers, and its config is as it is named here."""

    kind: Literal["topic_ready"] = "topic_ready"
    asks: ClassVar = "broker"
    topic: str
    partitions: Annotated[int, Field(ge=1)]
    config: Mapping[str, str] = {}

    def __str__(self) -> str:
        return f"topic {self.topic} answers with {self.partitions} partitions"

    def check(self, answers: Answers) -> Verdict:
        """Ask for the end of each partition (only one with a leader answers), and for the config."""
        try:
            answering = len(answers.log_end(self.topic))
        except TopicMissing:  # a new topic spreads over the brokers a moment after it was made
            return Verdict(False, f"topic {self.topic} is not there yet")
        text = f"topic {self.topic}: {answering} of {self.partitions} partitions answer"
        if answering < self.partitions or not self.config:
            return Verdict(answering >= self.partitions, text)
        return self._configured(answers, text)

    def _configured(self, answers: Answers, text: str) -> Verdict:
        from headrace.kafka.topics import describe_topic

        has = answers.of(("topic", self.topic), lambda: describe_topic(answers.config, self.topic)).config
        others = [
            f"{name} is {has.get(name)}, not {wanted}"
            for name, wanted in sorted(self.config.items())
            if has.get(name) != wanted
        ]
        return Verdict(not others, "; ".join([text, *others]))


class Visible(BaseCondition):
    """Consumers that read committed records only can read up to `until` (partition -> offset)."""

    kind: Literal["visible"] = "visible"
    asks: ClassVar = "broker"
    topic: str
    until: dict[int, int]

    def __str__(self) -> str:
        return f"consumers of topic {self.topic} see the records up to {position_text(self.until)}"

    def check(self, answers: Answers) -> Verdict:
        """Ask for the last stable offsets: an open transaction holds them back."""
        end = answers.log_end(self.topic)
        text = f"topic {self.topic} is visible up to {position_text(end)}"
        if reached(end, self.until):
            return Verdict(True, text)
        return Verdict(False, f"{text}: {lag(end, self.until)} offsets before {position_text(self.until)}")
