"""The questions of many gates, asked once for all that ask at about the same time."""

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from headrace.errors import HeadraceError

FRESH = 1.0
"""Seconds for which an answer is given to whoever asks the same."""

WANTED = 60.0
"""Seconds for which a topic that a gate has asked about is asked about with all others."""

T = TypeVar("T")


class Answers:
    """Answers of one broker and of the tables, shared by all gates of a process; for many threads.

    `config` is librdkafka's, as the Airflow connection gives it.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config
        self._lock = threading.Lock()
        self._shared: dict[Hashable, _Shared] = {}
        self._wanted: dict[str, float] = {}

    def log_end(self, topic: str) -> dict[int, int]:
        """Up to where consumers of committed records can read: all gates' topics are one question.

        Raises:
            HeadraceError: as `headrace.kafka.topics.log_end`.
        """
        with self._lock:
            self._wanted[topic] = time.monotonic()
        ends = self.of("ends of logs", self._log_ends)
        if topic not in ends:  # the others were asked about a moment before
            ends = self.of(("end of log", topic), lambda: self._ask([topic]))
        end = ends[topic]
        if isinstance(end, HeadraceError):
            raise end
        return end

    def _log_ends(self) -> dict[str, dict[int, int] | HeadraceError]:
        oldest = time.monotonic() - WANTED
        with self._lock:
            self._wanted = {topic: asked for topic, asked in self._wanted.items() if asked >= oldest}
            topics = list(self._wanted)
        return self._ask(topics)

    def _ask(self, topics: list[str]) -> dict[str, dict[int, int] | HeadraceError]:
        from headrace.kafka.topics import log_ends

        return log_ends(self.config, topics)

    def of(self, question: Hashable, ask: Callable[[], T]) -> T:
        """The answer to that question: a fresh one if there is one, else by `ask`, for all who wait for it.

        Raises:
            HeadraceError: what `ask` has raised, to all of them.
        """
        with self._lock:
            shared = self._shared.setdefault(question, _Shared())
        with shared.asking:
            if time.monotonic() - shared.at >= FRESH:
                shared.error = shared.answer = None
                try:
                    shared.answer = ask()
                except HeadraceError as failed:
                    shared.error = failed
                shared.at = time.monotonic()
                self._forget()
            if shared.error is not None:
                raise shared.error
            answer: T = shared.answer
            return answer

    def _forget(self) -> None:
        """Keep what somebody may ask for again."""
        oldest = time.monotonic() - WANTED
        with self._lock:
            for question in [each for each, shared in self._shared.items() if shared.is_older(oldest)]:
                del self._shared[question]


class _Shared:
    """One question's newest answer, or the error that it met with."""

    def __init__(self) -> None:
        self.asking = threading.Lock()
        self.at = float("-inf")
        self.answer: Any = None
        self.error: HeadraceError | None = None

    def is_older(self, than: float) -> bool:
        """Whether nobody asks and nobody has asked since `than`."""
        return not self.asking.locked() and self.at < than


_OF_BROKERS: WeakValueDictionary[str, Answers] = WeakValueDictionary()
"""As long as a gate has them: a password that is changed makes another configuration."""

_LOCK = threading.Lock()


def answers_of(config: Mapping[str, Any]) -> Answers:
    """The answers that all gates of this process with that configuration share."""
    key = repr(sorted(config.items()))
    with _LOCK:
        return _OF_BROKERS.setdefault(key, Answers(config))
