"""The results file, one line per trial, and the table of what all runs that wrote to it have found."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from chaos.trial import Result

HEAD = ("fault", "trials", "ended as it should", "rows lost", "rows doubled", "median seconds to recover")


@dataclass(frozen=True)
class Row:
    """All trials of one fault."""

    fault: str
    trials: int
    recovered: int
    lost: int
    doubled: int
    seconds: float | None

    @property
    def cells(self) -> tuple[str, ...]:
        """As text."""
        numbers = (self.trials, self.recovered, self.lost, self.doubled)
        return (self.fault, *map(str, numbers), "-" if self.seconds is None else f"{self.seconds:.1f}")


def keep(file: Path, result: Result) -> None:
    """Add a line."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(result.model_dump_json() + "\n")


def read(file: Path) -> list[Result]:
    """All lines."""
    return [Result.model_validate_json(line) for line in file.read_text("utf-8").splitlines()]


def rows(results: Iterable[Result], order: Iterable[str]) -> list[Row]:
    """A row a fault, in that order, and last the sum; a trial with a problem of any kind is not recovered."""
    by_fault: dict[str, list[Result]] = {name: [] for name in order}
    everything = list(results)
    for result in everything:
        by_fault.setdefault(result.fault, []).append(result)
    table = [_row(name, some) for name, some in by_fault.items() if some]
    return [*table, _row("all", everything)]


def _row(name: str, some: list[Result]) -> Row:
    seconds = [result.seconds for result in some if result.seconds is not None]
    return Row(
        name,
        trials=len(some),
        recovered=sum(result.recovered and not result.problems for result in some),
        lost=sum(result.lost for result in some),
        doubled=sum(result.doubled for result in some),
        seconds=median(seconds) if seconds else None,
    )


def markdown(table: list[Row]) -> str:
    """The table for a page of docs/."""
    lines = [HEAD, tuple("---" for _ in HEAD), *(row.cells for row in table)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
