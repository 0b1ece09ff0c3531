"""What every condition is: fields that travel as JSON, a question, and a verdict in words."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from headrace.gates.answers import Answers


class Verdict(NamedTuple):
    """Whether a condition is met, and in words how things stand."""

    met: bool
    text: str


class BaseCondition(BaseModel, ABC):
    """A condition; as text it says what it waits for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asks: ClassVar[Literal["broker", "disk"]]
    """Whose silence would hold the check up: gates that ask the disk never wait behind a silent broker."""

    @abstractmethod
    def check(self, answers: Answers) -> Verdict:
        """Ask once.

        Raises:
            HeadraceError: no answer; where it is transient, the caller may ask again.
        """
