"""Which pictures a stream's report has beside those of every stream."""

from headrace.contract.field_types import FieldName
from headrace.contract.part import Part


class Curve(Part):
    """A picture of one signal against another, over a reference."""

    x: FieldName
    y: FieldName
    reference: FieldName | None = None


class Rose(Part):
    """A picture of how often and how strongly it comes from each direction."""

    direction: FieldName
    speed: FieldName


class Report(Part):
    """Pictures beside those that every stream has; each names signals."""

    curve: Curve | None = None
    rose: Rose | None = None
