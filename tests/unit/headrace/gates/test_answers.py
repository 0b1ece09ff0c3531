"""Gates that ask the same share one answer, or one error; a topic's first question does not wait."""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from headrace.errors import BrokerUnreachable, TopicMissing
from headrace.gates import answers as module
from headrace.gates.answers import Answers, answers_of

Ends = dict[str, dict[int, int] | Exception]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What the broker was asked: the topics of each question. Topic `absent` is not there."""
    questions: list[list[str]] = []

    def log_ends(_: Mapping[str, Any], topics: Sequence[str]) -> Ends:
        questions.append(list(topics))
        return {topic: TopicMissing(topic) if topic == "absent" else {0: len(topic)} for topic in topics}

    monkeypatch.setattr("headrace.kafka.topics.log_ends", log_ends)
    return questions


def test_all_topics_are_one_question_once_they_are_known(
    asked: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = [f"topic{'x' * number}" for number in range(300)]
    answers = Answers({})
    assert [answers.log_end(topic) for topic in topics] == [{0: len(topic)} for topic in topics]
    monkeypatch.setattr(module, "FRESH", 0.0)  # time goes by
    asked.clear()
    answers.log_end(topics[0])
    monkeypatch.setattr(module, "FRESH", 3600.0)
    with ThreadPoolExecutor(8) as gates:
        assert list(gates.map(answers.log_end, topics)) == [{0: len(topic)} for topic in topics]
    assert [sorted(question) for question in asked] == [sorted(topics)]


def test_a_topic_that_is_absent_is_so_for_its_own_gate_only(asked: list[list[str]]) -> None:
    answers = Answers({})
    with pytest.raises(TopicMissing):
        answers.log_end("absent")
    assert answers.log_end("there") == {0: 5}
    assert asked == [["absent"], ["there"]]


def test_a_question_that_nobody_asks_any_more_is_forgotten(
    asked: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = Answers({})
    answers.log_end("gone")
    monkeypatch.setattr(module, "FRESH", 0.0)
    monkeypatch.setattr(module, "WANTED", 0.0)
    answers.log_end("there")
    assert "gone" not in asked[-1]
    assert ("end of log", "gone") not in answers._shared


@pytest.mark.parametrize("fails", [False, True])
def test_who_asks_at_the_same_time_waits_for_the_one_answer(fails: bool) -> None:
    answers, begun, end, asked = Answers({}), threading.Event(), threading.Event(), Counter[str]()

    def ask() -> int:
        asked["times"] += 1
        begun.set()
        end.wait()
        if fails:
            raise BrokerUnreachable("silent")
        return 7

    with ThreadPoolExecutor(4) as gates:
        waiting = [gates.submit(answers.of, "question", ask) for _ in range(4)]
        begun.wait()
        end.set()
        if fails:
            assert {str(each.exception()) for each in waiting} == {str(BrokerUnreachable("silent"))}
        else:
            assert {each.result() for each in waiting} == {7}
    assert asked["times"] == 1


def test_gates_of_one_connection_share_and_of_two_do_not() -> None:
    assert answers_of({"bootstrap.servers": "a"}) is answers_of({"bootstrap.servers": "a"})
    assert answers_of({"bootstrap.servers": "a"}) is not answers_of({"bootstrap.servers": "b"})


def test_answers_are_forgotten_with_the_last_gate_that_asks() -> None:
    held = answers_of({"sasl.password": "of yesterday"})
    assert answers_of({"sasl.password": "of yesterday"}) is held
    del held
    assert not any("of yesterday" in connection for connection in module._OF_BROKERS)
