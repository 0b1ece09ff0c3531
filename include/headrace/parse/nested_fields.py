"""The fields of a value that has levels: the members of an object within it, and what paths lead to.

A value is as `json_fields` has it: None, a bool, a text, a `Number`, a tuple of pairs or a list.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from headrace.contract.value_path import Path, parse_path
from headrace.parse.json_fields import Fields, fields_in, text_of
from headrace.parse.reasons import Reason
from headrace.parse.refusal import Refusal, Refused

ABSENT = object()
"""Nothing is at a path; not even null."""


class NestedFields:
    """Reads the fields of values by an envelope to be unwrapped and by paths, which begin at the whole value.

    Args:
        read: bytes to a value; its errors are this one's.
        unwrap: where the object is whose members are fields; the value itself if none is said.
        paths: field -> its path.
        deleted: the reason of a record that has null where the object would be.
    """

    def __init__(
        self, read: Callable[[bytes], Any], unwrap: str | None, paths: Mapping[str, str], deleted: Reason
    ) -> None:
        self._read, self._deleted = read, deleted
        self._said, self._unwrap = unwrap, parse_path(unwrap) if unwrap else ()
        self._paths = {name: parse_path(path) for name, path in paths.items()}

    def __call__(self, value: bytes) -> Fields:
        """Names and texts of the fields, those of paths last and only where something is there.

        Raises:
            Refused: no object is where the envelope has it, or a path leads to two values.
            UnicodeError, ValueError: as the bytes' reader, or the value is no object.
        """
        whole = self._read(value)
        names, texts = fields_in(self._unwrapped(whole) if self._unwrap else whole, len(value))
        found = list(paths_in(whole, self._paths))
        return (*names, *(name for name, _ in found)), [*texts, *(text for _, text in found)]

    def _unwrapped(self, whole: Any) -> Any:
        inner = at_path(whole, self._unwrap)
        if inner is None:
            raise Refused(Refusal.of(self._deleted, f"unwrap {self._said}: null"))
        if type(inner) is not tuple:
            raise Refused(Refusal.of(Reason.NOT_WRAPPED, f"unwrap {self._said}"))
        return inner


def paths_in(whole: Any, paths: Mapping[str, Path]) -> Iterator[tuple[str, str | None]]:
    """The fields that paths lead to, with their texts; raises as `at_path`."""
    for name, path in paths.items():
        value = at_path(whole, path)
        if value is not ABSENT:
            yield name, text_of(value)


def at_path(value: Any, path: Path) -> Any:
    """What is at the path: None where null is, or on the way; `ABSENT` where nothing is.

    Raises:
        Refused: a member on the way stands twice.
    """
    for step in path:
        if value is None:
            return None
        if isinstance(step, int):
            value = value[step] if type(value) is list and step < len(value) else ABSENT
        else:
            value = _member(value, step) if type(value) is tuple else ABSENT
    return value


def _member(pairs: tuple[tuple[str, Any], ...], name: str) -> Any:
    found = [value for key, value in pairs if key == name]
    if len(found) > 1:
        raise Refused(Refusal.of(Reason.REPEATED_FIELD, f"field {name[:80]}"))
    return found[0] if found else ABSENT
