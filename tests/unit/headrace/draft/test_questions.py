"""What is not sure is asked at a terminal, until the answer is one; nowhere else is anybody asked."""

import os
import pty
import subprocess
import sys
from io import StringIO
from pathlib import Path

from pydantic import TypeAdapter
from rich.console import Console

from headrace.contract.field_types import Zone
from headrace.contract.loader import load_contract
from headrace.draft.guess import Guess
from headrace.draft.questions import AtTerminal

ZONE = Guess(
    "UTC",
    "its times say no zone",
    False,
    "Which zone?",
    ("Europe/Berlin",),
    TypeAdapter[str](Zone).validate_python,
)


def asked(guess: Guess[str], *answers: str) -> tuple[Guess[str], str]:
    given, said = iter(answers), StringIO()
    console = Console(file=said, width=100)
    return AtTerminal(console, lambda *_: next(given))(guess), said.getvalue()


def test_a_sure_guess_is_no_question() -> None:
    sure = Guess("a", "it is")
    assert asked(sure) == (sure, "")


def test_a_number_takes_a_choice() -> None:
    guess, said = asked(ZONE, "2")
    assert (guess.value, guess.sure) == ("Europe/Berlin", True)
    assert guess.saw == "you said so; its times say no zone"
    assert "Which zone?" in said
    assert "2  Europe/Berlin" in said


def test_ones_own_answer_is_taken_where_it_is_one() -> None:
    guess, said = asked(ZONE, "Ankara", "Europe/Istanbul")
    assert guess.value == "Europe/Istanbul"
    assert "'Ankara' is not a zone of the IANA database" in said


def test_where_only_the_choices_are_possible_nothing_else_is() -> None:
    guess, said = asked(Guess("a", "", False, "Which?", ("b",)), "c", "3", "2")
    assert guess.value == "b"
    assert "'c' is no number from 1 to 2" in said


def test_at_a_terminal_it_asks_and_writes_what_was_said(tmp_path: Path) -> None:
    sample = tmp_path / "a.csv"
    sample.write_text("time,v\n" + "".join(f"2024-01-01 {n:02}:00,{n}\n" for n in range(24)))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "headrace", "new", str(sample), "--output", str(tmp_path / "a.yaml")]
    done = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, b"Europe/Istanbul\n")
    said = b""
    while piece := _read(ours):
        said += piece
    assert done.wait() == 0, said
    assert b"In which zone do its clocks stand" in said
    assert load_contract(tmp_path / "a.yaml").record.event_time.timezone == "Europe/Istanbul"


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other end is closed
        return b""
