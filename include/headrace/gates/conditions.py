"""Every condition that a gate can wait for: small, travelling as JSON, checked by asking broker or tables."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from headrace.errors import SettingsError
from headrace.gates.of_broker import TopicReady, Visible
from headrace.gates.of_file import FileArrived
from headrace.gates.of_stream import Analysed, CompleteThrough, LagBelow, Landed, NewRecords
from headrace.gates.of_table import FewSmallFiles, TableHas

Condition = Annotated[
    TopicReady
    | Visible
    | NewRecords
    | LagBelow
    | Landed
    | Analysed
    | CompleteThrough
    | TableHas
    | FewSmallFiles
    | FileArrived,
    Field(discriminator="kind"),
]
"""A new one is a class in one of those modules, a name here and its constructor for DAGs
(`headrace_airflow.sensors.conditions`)."""

_CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)


def parse_condition(fields: Mapping[str, Any]) -> Condition:
    """The condition from its fields.

    Raises:
        SettingsError: there is no such condition, its fields do not fit, or a task has not told one of them.
    """
    untold = [name for name, value in fields.items() if value is None]
    if untold:
        raise SettingsError(
            f"gate condition {fields.get('kind')}: nobody has told {' and '.join(untold)}: "
            "was the task that tells it marked as success by hand? Clear it: it goes on where it ended, "
            "adds nothing twice, and tells the gate what to wait for"
        )
    try:
        return _CONDITION.validate_python(dict(fields))
    except ValidationError as broken:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in broken.errors())
        raise SettingsError(
            f"no gate condition: {wrong}; correct the gate's condition in the DAG"
        ) from broken
