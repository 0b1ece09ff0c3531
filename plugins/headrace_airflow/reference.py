"""The reference page of what Headrace adds to Airflow, made of the code's own words.

`python -m headrace_airflow.reference` writes it anew; a test holds that it is fresh.
"""

import inspect
import os
import re
import runpy
import tempfile
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, get_args

from headrace.contract.loader import load_contract
from headrace.contract.model import Contract
from headrace.contract.record_form import Registry
from headrace.contract.source import ExternalSource
from headrace.gates.conditions import Condition
from headrace.settings import PROJECT

if TYPE_CHECKING:
    from airflow.sdk import DAG, BaseOperator

REFERENCE_FILE = PROJECT / "docs" / "reference" / "operators.md"
"""The committed page."""

CONTRACT = PROJECT / "include" / "streams" / "wind_turbine.yaml"
"""The contract whose DAG the page shows: it has every stage."""

HEAD = """\
# DAGs, operators, gates, connections

Written by `python -m headrace_airflow.reference` from the code in `dags/`, `plugins/` and
`include/headrace/gates/`; do not edit.
"""

STREAM = """\
Its id is the stream's; description, schedule, owner and stages follow from the contract. One run at a time,
no catching up. A stream with an external source has neither `publish` nor `published_visible`.

"""

PARAMS = """\
A stream's form shows those that apply to it: `from` and `until` are for external streams, `source_path` is
for files, `republish` for all that publish ([run a stream by hand](../how-to/run-by-hand.md)).

"""

AUDIT = """\
Its id is `audit`. `HEADRACE_AUDIT_SCHEDULE` says when it runs: a cron expression, a preset (`@weekly` by
default) or `never`. It has one task a stream, each an [AuditOperator](#auditoperator); they take turns.
"""

MAINTAIN = """\
Its id is `maintain_tables`. `HEADRACE_MAINTAIN_SCHEDULE` says when it runs: a cron expression, a preset
(`@daily` by default) or `never`. It has one task a stream, each a [MaintainOperator](#maintainoperator), and
`task-logs`, which removes logs of more than `HEADRACE_KEEP_LOG_DAYS` before
([how](../how-to/keep-tables-small.md)).
"""

CONNECTIONS = """\
The connections are the only way to Kafka and Spark; examples are in
[use a real Kafka and Spark](../how-to/real-kafka-and-spark.md).
"""


def reference_text() -> str:
    """The page."""
    from headrace_airflow.operators.audit import AuditOperator
    from headrace_airflow.operators.maintain import MaintainOperator
    from headrace_airflow.operators.publish_by_spark import SparkPublishOperator
    from headrace_airflow.sensors.gate import Gate

    dag = _dag(load_contract(CONTRACT))
    stages = (type(task) for task in _ordered(dag) if not isinstance(task, Gate))
    kinds: dict[type, None] = dict.fromkeys((*stages, SparkPublishOperator, AuditOperator, MaintainOperator))
    bases = dict.fromkeys(base for kind in kinds for base in _bases(kind))
    parts = {
        "The DAG of a stream": STREAM + _tasks(dag),
        "What every task has": _table(
            ("setting", "value"), ((f"`{name}`", str(value)) for name, value in dag.default_args.items())
        ),
        "Parameters of a run": PARAMS + _params(dag, _external()),
        "The DAG that counts everything": AUDIT,
        "The DAG that keeps tables small": MAINTAIN,
        "Operators": "\n".join(map(_class, (*kinds, *bases))),
        "The gate between two stages": _class(Gate),
        "Conditions": "\n".join(map(_condition, _conditions())),
        "Connections": CONNECTIONS + _connections(),
    }
    return HEAD + "".join(f"\n## {title}\n\n{text}" for title, text in parts.items())


def _dag(contract: Contract) -> "DAG":
    dag: DAG = runpy.run_path(str(PROJECT / "dags" / "streams.py"))["stream_dag"](CONTRACT, contract)
    return dag


def _external() -> "DAG":
    """The DAG of a like stream that somebody else feeds."""
    return _dag(load_contract(CONTRACT).model_copy(update={"source": ExternalSource(kind="external")}))


def _ordered(dag: "DAG") -> "list[BaseOperator]":
    return list(dag.topological_sort())  # type: ignore[no-untyped-call]  # Airflow's has no annotations


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [head, ["---" for _ in head], *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _tasks(dag: "DAG") -> str:
    return _table(
        ("task", "is a", "what it does"),
        ((f"`{task.task_id}`", _link(type(task).__name__), _does(task)) for task in _ordered(dag)),
    )


def _does(task: Any) -> str:
    condition = getattr(task, "until", None)
    return f"waits for {_link(condition['kind'])}" if condition else _summary(type(task))


def _params(dag: "DAG", external: "DAG") -> str:
    params = {name: each.params.get_param(name) for each in (dag, external) for name in each.params}
    return _table(
        ("parameter", "type", "default", ""),
        (
            (f"`{name}`", _kind(param.schema["type"]), _default(param.value), str(param.description))
            for name, param in params.items()
        ),
    )


def _kind(kind: str | list[str]) -> str:
    return next(each for each in ([kind] if isinstance(kind, str) else kind) if each != "null")


def _default(value: object) -> str:
    return "" if value in {None, ""} else f"`{str(value).lower()}`"


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


# -- classes


def _bases(kind: type) -> list[type]:
    return [base for base in kind.__mro__[1:] if base.__module__.startswith("headrace_airflow.")]


def _class(kind: type) -> str:
    """A class: its docstring, its arguments, whose arguments it takes besides."""
    text, described = _docstring(kind)
    base = next(iter(_bases(kind)), None)
    others = _link(base.__name__) if base else f"Airflow's `{kind.__mro__[1].__name__}`"
    rows = list(_arguments(kind, described))
    table = _table(("argument", "type", "default", ""), rows) + "\n" if rows else ""
    lines = [
        f"### {kind.__name__}\n\n{text}\n",
        f"{table}{'Besides' if rows else 'Arguments'}: those of {others}.\n",
    ]
    if templated := vars(kind).get("template_fields"):
        lines.append(f"Templated: {', '.join(f'`{name}`' for name in templated)}.\n")
    lines += [f"Button in the web UI: {link.name}.\n" for link in vars(kind).get("operator_extra_links", ())]
    return "\n".join(lines)


def _docstring(thing: Any) -> tuple[str, dict[str, str]]:
    """The text, and what it says of each argument."""
    text, _, arguments = inspect.cleandoc(thing.__doc__).partition("\n\nArgs:\n")
    pairs = re.findall(r"^    (\w+): (.*(?:\n     .*)*)", arguments, flags=re.MULTILINE)
    return text, {name: " ".join(said.split()) for name, said in pairs}


def _summary(thing: Any) -> str:
    return inspect.cleandoc(thing.__doc__).splitlines()[0]


def _arguments(kind: type, described: dict[str, str]) -> Iterator[tuple[str, str, str, str]]:
    own = inspect.signature(kind).parameters if described else {}
    for name, said in described.items():
        default = own[name].default
        shown = "**required**" if default is inspect.Parameter.empty else f"`{default!r}`"
        yield f"`{name}`", _annotation(own[name].annotation), shown, said


def _annotation(kind: Any) -> str:
    return kind.__name__ if type(kind) is type else str(kind).replace("typing.", "")


# -- conditions and connections


def _conditions() -> tuple[Any, ...]:
    return get_args(get_args(Condition)[0])


def _condition(kind: Any) -> str:
    """A condition as a DAG's author writes it, what it means, and what the check asks."""
    from headrace_airflow.sensors import conditions

    name = kind.model_fields["kind"].default
    arguments = ", ".join(map(_argument, inspect.signature(getattr(conditions, name)).parameters.values()))
    how = _summary(kind.check)
    return (
        f"### {name}\n\n```python\n{name}({arguments})\n```\n\n{inspect.cleandoc(kind.__doc__)}\n\n"
        f"The check: {how[0].lower()}{how[1:]}\n"
    )


def _argument(parameter: inspect.Parameter) -> str:
    if parameter.default is inspect.Parameter.empty:
        return parameter.name
    return f"{parameter.name}={parameter.default!r}"


def _connections() -> str:
    from headrace_airflow.hooks.kafka import KafkaConfigHook
    from headrace_airflow.hooks.spark import DriverHook, require_spark_connection
    from headrace_airflow.operators.spark_stage import SparkStageOperator

    known = inspect.signature(SparkStageOperator).parameters
    said: dict[str, tuple[Any, Any]] = {
        "kafka_conn_id": (KafkaConfigHook, KafkaConfigHook.config),
        "spark_conn_id": (DriverHook, require_spark_connection),
    }
    parts = (
        f"\n### {known[argument].default}\n\nType `{hook.conn_type}`. {_docstring(hook)[0]}\n\n"
        f"A task fails at once when {_raises(reader)}\n"
        for argument, (hook, reader) in said.items()
    )
    return "".join(parts) + _registry()


def _registry() -> str:
    from headrace_airflow.hooks.schema_registry import registry_config

    name = Registry.model_fields["connection"].default
    what = inspect.cleandoc(registry_config.__doc__ or "").partition("\n\nRaises:")[0]
    return (
        f"\n### {name}\n\nType `http`; only of streams whose contract names it (`record.registry`). "
        f"{what}\n\n"
        f"A task fails at once when {_raises(registry_config)}\n"
    )


def _raises(thing: Any) -> str:
    _, _, raised = inspect.cleandoc(thing.__doc__).partition("\n\nRaises:\n")
    return raised.partition(": ")[2]


if __name__ == "__main__":
    # Airflow reads its home when it is imported, and makes ~/airflow where none is set.
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("AIRFLOW_HOME", home)
        REFERENCE_FILE.write_text(reference_text(), encoding="utf-8")
