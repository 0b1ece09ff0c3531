"""What becomes of guesses that are not sure: a person at a terminal is asked, nobody else is."""

from collections.abc import Callable
from typing import Any

import typer
from rich.console import Console

from headrace.draft.guess import Guess
from headrace.draft.writing import shown
from headrace.report.terminal import print_text


class AtTerminal:
    """Asks, with what was seen, and asks again until the answer is one."""

    def __init__(self, console: Console, prompt: Callable[[str, str], str] | None = None) -> None:
        self._console = console
        self._prompt = prompt or (lambda text, default: str(typer.prompt(text, default=default)))

    def __call__(self, guess: Guess[Any]) -> Guess[Any]:
        """The guess as the person has settled it."""
        if guess.sure:
            return guess
        choices = [guess.value, *guess.others]
        print_text(self._console, f"\n{guess.question}", "bold")
        print_text(self._console, f"  {guess.saw}", "dim")
        for number, choice in enumerate(choices, 1):
            print_text(self._console, f"  {number}  {shown(choice)}")
        while True:
            answer = self._prompt("a number" if guess.read is None else "a number, or your own", "1").strip()
            try:
                return guess.answered(self._value(answer, choices, guess))
            except ValueError as wrong:
                print_text(self._console, f"  {_said(wrong)}", "red")

    def _value(self, answer: str, choices: list[Any], guess: Guess[Any]) -> Any:
        if answer.isdecimal() and 1 <= int(answer) <= len(choices):
            return choices[int(answer) - 1]
        if guess.read is None:
            raise ValueError(f"{answer!r} is no number from 1 to {len(choices)}")
        return guess.read(answer)


def _said(wrong: ValueError) -> str:
    """What pydantic, or we, have to say."""
    errors = getattr(wrong, "errors", None)
    return str(errors()[0]["msg"]).removeprefix("Value error, ") if errors else str(wrong)
