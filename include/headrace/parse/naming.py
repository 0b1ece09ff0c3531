"""Where a field's value goes, by the contract: to a signal, to a column of its own, or under its own name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from headrace.contract.model import Contract
from headrace.parse.reasons import Reason
from headrace.parse.refusal import Refusal

SHOWN = 80
"""How many characters of a name or of a refused value a message shows."""


class Place(NamedTuple):
    """Where a value goes: `apart` are the event time and the entity, all else is a signal of that name."""

    name: str
    apart: bool = False


@dataclass(frozen=True)
class Layout:
    """What the contract says of a record by the names of its fields, in their order, alone.

    `places`: each place's field, by its number in the record; empty where two fields have one place.
    `refusal`: what the names, or bytes that cannot be read, are reason enough for.
    """

    places: dict[Place, int]
    refusal: Refusal | None = None


class Naming:
    """The contract's names of fields, looked up once for each layout and not for each record.

    A field belongs to the signal that lists it in its `fields`, whatever other signals are called. One that
    nobody lists and that is called like a signal is that signal's: under its name it would stand in the
    tables anyway, so it is held against the same bounds.
    """

    def __init__(self, contract: Contract) -> None:
        record = contract.record
        self._signals = {field: signal.name for signal in record.signals for field in signal.fields}
        self._apart = {name for name in (*record.event_time.field, record.entity) if name}
        known = {*record.fields, *record.passed_through, *(signal.name for signal in record.signals)}
        self._known = (
            None if contract.landing.unknown_fields == "keep" else {self.place(name) for name in known}
        )

    def place(self, field: str) -> Place:
        """Where the value of a field goes."""
        if field in self._apart:
            return Place(field, apart=True)
        return Place(self._signals.get(field, field))

    def layout(self, names: Sequence[str]) -> Layout:
        """What becomes of records with these fields."""
        places: dict[Place, int] = {}
        for number, name in enumerate(names):
            place = self.place(name)
            if place in places:
                return Layout({}, _repeated(names[places[place]], name))
            places[place] = number
        return Layout(places, self._unknown(places))

    def _unknown(self, places: dict[Place, int]) -> Refusal | None:
        if self._known is None:
            return None
        unknown = next((place.name for place in places if place not in self._known), None)
        if unknown is None:
            return None
        return Refusal.of(Reason.UNKNOWN_FIELD, f"field: {unknown[:SHOWN]}")


def _repeated(first: str, second: str) -> Refusal:
    fields = f"field {first[:SHOWN]}"
    if first != second:
        fields = f"fields {first[:SHOWN]} and {second[:SHOWN]}"
    return Refusal.of(Reason.REPEATED_FIELD, fields)
