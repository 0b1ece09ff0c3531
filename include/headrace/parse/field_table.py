"""The fields of a whole batch, to be asked for by their place: no look-up of a record's own."""

from collections.abc import Collection, Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from headrace.parse.missing import Missing
from headrace.parse.naming import Layout, Naming, Place
from headrace.parse.record_formats import Read
from headrace.parse.refusal import Refusal


class FieldTable:
    """All values of a batch, one after the other, and for each record where its own begin and its layout.

    Most records of a stream have the same fields in the same order: what depends on their names alone is
    worked out once a layout, and a column is one `take`. What cannot be read at all is a layout as well, one
    for each refusal.
    """

    def __init__(self, records: Iterable[Read], naming: Naming) -> None:
        texts: list[str | None] = []
        starts: list[int] = []
        layout_of: list[int] = []
        layouts: dict[Refusal | tuple[str, ...], int] = {}
        for names, found in records:
            starts.append(len(texts))
            texts += found
            layout_of.append(layouts.setdefault(names, len(layouts)))
        self._texts = pa.array(texts, pa.string())
        self._starts = pa.array(starts, pa.int64())
        self._layout_of = pa.array(layout_of, pa.int32())
        self._layouts = [_layout(names, naming) for names in layouts]

    def trim(self) -> None:
        """Take away the blanks about every text."""
        self._texts = pc.utf8_trim_whitespace(self._texts)

    def forget(self, missing: Missing, place: Place | None = None) -> None:
        """Have null where a text stands for no value: of the fields at the place, or of all."""
        if place is None:
            stands_for_none = missing.among(self._texts)
        else:
            at = self._positions(place).drop_null()
            stands_for_none = pc.is_in(
                pa.arange(0, len(self._texts)), at.filter(missing.among(self._texts.take(at)))
            )
        self._texts = pc.if_else(stands_for_none, None, self._texts)

    def column(self, place: Place) -> pa.StringArray:
        """The text of each record's field at the place; null where there is none, or it is null."""
        return self._texts.take(self._positions(place))

    def refusals(self) -> tuple[pa.StringArray, pa.StringArray]:
        """Reason and message of what its bytes or its names alone refuse; null for all other records."""
        refusals = [layout.refusal for layout in self._layouts]
        reasons = [refusal and refusal.reason for refusal in refusals]
        messages = [refusal and refusal.message for refusal in refusals]
        return self._by_layout(reasons, pa.string()), self._by_layout(messages, pa.string())

    def signals(self, refused: pa.BooleanArray, but: Collection[str] = ()) -> pa.MapArray:
        """Each record's map from a signal's name to its text, `but` for some; null for the refused."""
        kept = [
            {
                place.name: number
                for place, number in layout.places.items()
                if not place.apart and place.name not in but
            }
            for layout in self._layouts
        ]
        names = self._by_layout([list(places) for places in kept], pa.list_(pa.string()))
        numbers = self._by_layout([list(places.values()) for places in kept], pa.list_(pa.int32()))
        starts = self._starts.take(pc.list_parent_indices(numbers))
        texts = self._texts.take(pc.add(starts, numbers.flatten()))
        return pa.MapArray.from_arrays(names.offsets, names.flatten(), texts, mask=refused)

    def _positions(self, place: Place) -> pa.Int64Array:
        """Where each record's field at the place stands among all texts; null where there is none."""
        numbers = self._by_layout([layout.places.get(place) for layout in self._layouts], pa.int32())
        return pc.add(self._starts, numbers)

    def _by_layout(self, values: Sequence[object], kind: pa.DataType) -> pa.Array:
        """Each record's value, given each layout's."""
        return pa.array(values, kind).take(self._layout_of)


def _layout(names: Refusal | tuple[str, ...], naming: Naming) -> Layout:
    return Layout({}, names) if isinstance(names, Refusal) else naming.layout(names)
