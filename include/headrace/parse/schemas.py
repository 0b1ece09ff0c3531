"""The schemas that a stream's records were written by: each asked for once, wherever records are parsed."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

from headrace.kafka.schema_registry import Ask, WrittenBy, asking

MAGIC = b"\0"
"""The first byte of a value whose next four are the big-endian id of its schema: Confluent's wire format."""

HEAD = 5
"""Bytes in front of the record itself."""


class SchemasMissing(Exception):  # a question to whoever may ask, no error
    """Schemas are not known here, in a process that cannot ask."""

    def __init__(self, ids: frozenset[int]) -> None:
        super().__init__(ids)
        self.ids = ids


class Schemas:
    """What is known of schemas, by their ids; what a process has asked for travels with its parser."""

    def __init__(self, known: dict[int, WrittenBy | None] | None = None, ask: Ask | None = None) -> None:
        self.known = known or {}
        self._ask = ask

    @classmethod
    def of(cls, registry: Mapping[str, Any]) -> Self | None:
        """Those of the registry with that configuration; None where there is none."""
        return cls(ask=asking(registry)) if registry else None

    def __reduce__(self) -> tuple[type["Schemas"], tuple[dict[int, WrittenBy | None]]]:
        """Travel to an executor, where nobody is asked."""
        return Schemas, (self.known,)

    def require(self, ids: Iterable[int]) -> None:
        """Know them all.

        Raises:
            SchemasMissing: some are not known, and there is nobody to ask.
            HeadraceError: as `Ask`.
        """
        missing = frozenset(ids).difference(self.known)
        if missing and self._ask is None:
            raise SchemasMissing(missing)
        for each in sorted(missing):
            assert self._ask is not None  # noqa: S101  # as above
            self.known[each] = self._ask(each)


def schema_ids(values: Iterable[object]) -> set[int]:
    """The ids that values name."""
    heads = {
        value[1:HEAD]
        for value in values
        if isinstance(value, bytes) and len(value) >= HEAD and value.startswith(MAGIC)
    }
    return {int.from_bytes(head, "big") for head in heads}
