"""How values are written: the form of numbers and what stands for none, of all fields or of a single one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from headrace.contract.number_form import PLAIN, NumberForm
from headrace.draft.columns import Column
from headrace.draft.guess import Guess


@dataclass(frozen=True)
class Values:
    """What holds of all fields; what else a single one has stands at its signal.

    `sentinels`: numbers such as -9999 by field, if they stand for no value.
    """

    form: Guess[NumberForm]
    missing: tuple[str, ...]
    nan: bool
    sentinels: Guess[tuple[tuple[str, str], ...]]

    def of_signal(self, column: Column) -> dict[str, object]:
        """What a signal says of its values that the record does not."""
        own: dict[str, object] = {}
        if (
            column.kind == "number"
            and not column.whole
            and column.form != self.form.value
            and not column.rival
        ):
            own["decimal"] = column.form.decimal
            if column.form.thousands:
                own["thousands"] = column.form.thousands
        missing: list[str | int | float] = [
            text for text, _ in column.missing if text not in self.missing and not _is_nan(text)
        ]
        missing += [_number(text) for name, text in self.sentinels.value if name == column.name]
        return {**own, **({"missing": missing} if missing else {})}


def values_of(columns: Sequence[Column]) -> Values:
    """The commonest form of numbers, and the words for no value that several fields have."""
    words = Counter(text for column in columns for text, _ in column.missing if not _is_nan(text))
    nan = any(_is_nan(text) for column in columns for text, _ in column.missing)
    return Values(
        _form(columns), tuple(text for text, times in words.items() if times > 1), nan, _sentinels(columns)
    )


def _form(columns: Sequence[Column]) -> Guess[NumberForm]:
    numbers = [each for each in columns if each.kind == "number" and (not each.whole or each.form.thousands)]
    open_ones = [each for each in numbers if each.rival]
    if open_ones and open_ones[0].rival:
        form, rival = open_ones[0].form, open_ones[0].rival
        saw = (
            f"every number in {open_ones[0].name} may be a fraction, or a whole number with parted thousands"
        )
        return Guess(form, saw, False, "How are numbers written?", (rival,))
    forms = Counter(each.form for each in numbers)
    form, times = forms.most_common(1)[0] if forms else (PLAIN, 0)
    return Guess(form, f"the numbers of {times} fields" if times else "no fractions")


def _sentinels(columns: Sequence[Column]) -> Guess[tuple[tuple[str, str], ...]]:
    found = tuple((column.name, column.sentinel) for column in columns if column.sentinel)
    if not found:
        return Guess((), "no number stands for no value")
    listed = ", ".join(f"{text} in {name}" for name, text in found[:3])
    saw = f"{listed} lies far from all others and stands there more than once"
    return Guess(found, saw, False, "Do these numbers stand for no value?", ((),))


def _is_nan(text: str) -> bool:
    return text.lower() == "nan"


def _number(text: str) -> int | float:
    value = float(text.replace(",", "."))
    return int(value) if value.is_integer() else value
