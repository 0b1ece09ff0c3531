"""Local times that come twice, told apart by the order of a source's rows: they go back as clocks do."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from headrace.contract.model import Contract
from headrace.kafka.headers import LATER, UNDECIDED
from headrace.parse.record_formats import format_of
from headrace.publish.clock_changes import DAY, WrittenDays, goes_back

if TYPE_CHECKING:
    from headrace.parse.local_times import LocalTimes

Values = Callable[[Any], Iterator[str]]
"""Makes the records' values of rows that follow each other, which have a length and `behind`."""

HOUR = timedelta(hours=1)

OUTSIDE, EARLIER, LATER_ONE, OPEN, LOST = "outside", "earlier", "later", "open", "lost"
"""Where a row stands: in no doubled hour, in either of the two, in one before which nothing stands, or in one
whose times do not go on and back as clocks do."""

MARKS = {EARLIER: "", LATER_ONE: LATER, OPEN: UNDECIDED, LOST: UNDECIDED}

Device = tuple[str | None, ...]
"""What rows have in common whose times go on: the entity, and the identity without the time."""


@dataclass(frozen=True)
class Stand:
    """The newest row of a device: its local time, and where it stands."""

    local: datetime
    where: str


class DoubledHours:
    """The rows of one source, part by part, in their order."""

    def __init__(self, contract: Contract, values: Values, earlier: Iterable[Any]) -> None:
        """`earlier`: parts before the first that is asked for; read if that begins in a doubled hour."""
        record = contract.record
        asked = record.event_time
        self._values, self._earlier, self._format = values, earlier, format_of(contract)
        self._fields, self._zone, self._trim = asked.field, asked.timezone, record.trim
        same = [record.entity, *(record.identity or ())]
        self._device = [field for field in dict.fromkeys(same) if field and field not in asked.field]
        self._asked, self._days = asked, WrittenDays(asked.format)
        self._reader: LocalTimes | None = None
        # Of readings an hour apart each of the two hours has one; else equal times are a row and its repeat.
        self._once = asked.every is not None and asked.every >= HOUR
        self._stands: dict[Device, Stand] = {}
        self._passed: str | None = None
        self._before: Stand | None = None

    def marks(self, rows: Any) -> dict[int, str]:
        """What is to be known of rows of this part, by their places in it."""
        if not len(rows) or self._days.of_instants or self._passes(rows):
            return {}
        for part in self._earlier:
            if not self._passes(part):
                self._look(part)
        self._earlier = ()
        return self._look(rows)

    def _passes(self, rows: Any) -> bool:
        """Whether no clock goes back between the times of the part's first row and its last, or near them."""
        ends = [next(self._values(each)) for each in (rows, rows.behind(len(rows) - 1))]
        texts = [self._texts(value)[0] for value in ends]
        first, last = self._days_of(texts)
        if not first or not last or goes_back(self._zone, min(first, last), max(first, last)):
            return False
        self._passed = texts[1]
        return True

    def _days_of(self, texts: Sequence[str | None]) -> list[date | None]:
        days = [self._days.of(text) for text in texts]
        if None not in days:
            return days
        return [clock and clock.date() for clock, _ in self._read(texts)]

    def _read(self, texts: Sequence[str | None]) -> list[tuple[datetime | None, bool]]:
        """What the clock shows at each time, and whether it shows that twice."""
        if self._reader is None:
            from headrace.parse.local_times import LocalTimes  # it imports polars, see clock_changes.py

            self._reader = LocalTimes(self._asked)
        return self._reader.read(texts)

    def _look(self, rows: Any) -> dict[int, str]:
        if self._passed is not None:
            ((local, _),) = self._read([self._passed])
            self._passed, self._before = None, Stand(local, OUTSIDE) if local else None
        texts, devices = zip(*map(self._texts, self._values(rows)), strict=True)
        marks: dict[int, str] = {}
        open_rows: dict[Device, list[int]] = {}
        lines = zip(devices, self._read(texts), strict=True)
        for at, (device, (local, is_twice)) in enumerate(lines):
            if local is None:
                continue
            where = self._where(device, local) if is_twice else OUTSIDE
            if where == OPEN:
                open_rows.setdefault(device, []).append(at)
            elif where == LATER_ONE:
                for earlier in open_rows.pop(device, ()):  # now it is known that they were the first
                    del marks[earlier]
            if mark := MARKS.get(where):
                marks[at] = mark
            self._stands[device] = Stand(local, where)
        return marks

    def _where(self, device: Device, local: datetime) -> str:
        """Where a time stands that comes twice, by the row before it."""
        before = self._stands.get(device, self._before)
        if before is None:
            return OPEN
        if before.where == OUTSIDE or abs(local - before.local) > DAY:
            return EARLIER if before.local < local else LOST
        if local > before.local or (local == before.local and not self._once):
            return before.where
        return LATER_ONE if before.where in {EARLIER, OPEN} else LOST

    def _texts(self, value: str) -> tuple[str | None, Device]:
        fields = self._format.by_name(value.encode())
        if self._trim:
            fields = {name: text and text.strip() for name, text in fields.items()}
        times = [fields.get(field) for field in self._fields]
        text = None if None in times else " ".join(map(str, times))
        return text, tuple(fields.get(field) for field in self._device)
