"""The parameters of a stream's runs: the form that the web UI shows, and what the first stage refuses of it.

JSON Schema refuses a wrong form when the run is triggered (400); what only the contract, the disk or the
topic can tell, `provision_topics` refuses before the run has done anything.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param

from headrace.contract.model import Contract
from headrace.contract.source import ExternalSource, SqlSource
from headrace.errors import SettingsError

if TYPE_CHECKING:
    from airflow.sdk import Context

OFFSETS = r"^(\d{1,9}:\d{1,18}(-\d{1,18})?([ ,]+|$))*$"

BOUND = (
    r"^\s*((\d{1,9}:\d{1,18}([ ,]+|$))+"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))\s*$"
)
"""Offsets of partitions, or an instant with its zone's offset."""

BOUNDS = "partition:offset (0:1200 1:900), or a time as Kafka stamps its records (2026-03-01T06:00+03:00)"

LANDING, GIVING_UP = "How it lands", "Giving records up: whoever may set Airflow's variables has to allow it"


def stream_params(contract: Contract) -> dict[str, Param]:
    """The parameters that runs of that stream have; each does nothing unless it is given."""
    return {**_of_source(contract), **_of_landing(contract), **_of_every_stream()}


def _of_source(contract: Contract) -> dict[str, Param]:
    if isinstance(contract.source, ExternalSource):
        return {}
    republish = Param(
        False,
        type="boolean",
        title="Republish",
        description="Publish the whole source once more; its rows land as duplicates.",
    )
    if isinstance(contract.source, SqlSource):
        return {"republish": republish}
    path = Param(
        None,
        type=["null", "string"],
        minLength=1,
        maxLength=4096,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        title="Source path",
        description="Publish this file instead of the contract's, in this run: one of the same kind, in a "
        "folder that HEADRACE_SOURCE_ROOTS names. Relative paths start at the checkout.",
    )
    return {"source_path": path, "republish": republish}


def _of_landing(contract: Contract) -> dict[str, Param]:
    batch = Param(
        None,
        type=["null", "integer"],
        minimum=1,
        maximum=100_000_000,
        title="Records per batch",
        description="At most so many records a batch in this run, instead of landing.max_records_per_batch.",
        section=LANDING,
    )
    if not isinstance(contract.source, ExternalSource):  # a run that publishes lands all of it
        return {"records_per_batch": batch}
    return {
        "from": _bound(
            "From",
            f"Where the first landing of the topic begins: {BOUNDS}. What lies before is noted in `batches` "
            "as a gap. Refused once something of the topic is landed: landing goes on where it stands.",
        ),
        "until": _bound(
            "Until", f"Where the run's slice ends: {BOUNDS}. The next run lands what lies behind."
        ),
        "records_per_batch": batch,
    }


def _bound(title: str, description: str) -> Param:
    return Param(
        None,
        type=["null", "string"],
        maxLength=4096,
        pattern=BOUND,
        title=title,
        description=description,
        section=LANDING,
    )


def _of_every_stream() -> dict[str, Param]:
    return {
        "skip_report": Param(
            False,
            type="boolean",
            title="Skip the report",
            description="The run writes no report; the newest one stays. All else is done as ever.",
        ),
        "accept_loss": Param(
            False,
            type="boolean",
            title="Accept a loss",
            description="Go on where the topic's retention has removed unlanded records, or its log was cut "
            "off. Whoever may set Airflow's variables has to allow it to this run; `land` says how.",
            section=GIVING_UP,
        ),
        "skip_offsets": Param(
            "",
            type=["string", "null"],
            pattern=OFFSETS,
            title="Skip offsets",
            description="Offsets to give up because no process can land them, as HR310 names them: "
            "0:1234-1234 (partition:first-last). Allowed to the run as `accept_loss` is; `batches` notes "
            "them as a gap.",
            section=GIVING_UP,
        ),
    }


def with_source(contract: Contract, params: "dict[str, Any]") -> Contract:
    """The contract with the file that the run is to publish."""
    path = params.get("source_path")
    if not path or isinstance(contract.source, ExternalSource | SqlSource):
        return contract
    source = contract.source.model_copy(update={"path": Path(path)})
    return contract.model_copy(update={"source": source})


def refuse_params(contract: Contract, context: "Context") -> None:
    """Refuse what a run was given and cannot do, before it has done anything.

    Raises:
        SettingsError: a parameter is broken, or not known to its DAG, which Airflow takes in silence.
        SourceMissing, SourceError: the file is not there, or may not be a source.
    """
    _refuse_unknown(context)
    from headrace.land.bounds import parse_bound
    from headrace.land.skipping import parse_offsets

    params = context["params"]
    for bound in ("from", "until"):
        parse_bound(bound, params.get(bound))
    parse_offsets(params.get("skip_offsets") or "")
    if params.get("source_path"):
        _refuse_source(with_source(contract, params))


def _refuse_source(contract: Contract) -> None:
    from headrace.publish.sources.listing import is_many
    from headrace.publish.sources.opening import open_source
    from headrace.settings import load_settings

    source = contract.own_source
    assert source  # noqa: S101  # streams without one have no such parameter
    if is_many(source):
        raise SettingsError(
            f"source_path {str(source.path)!r}: is a folder or a pattern; a run's own source is one file"
        )
    with open_source(load_settings(), source.path, source.file):
        return


def _refuse_unknown(context: "Context") -> None:
    known = set(context["dag"].params)
    unknown = sorted(set(context["dag_run"].conf or {}) - known)
    if unknown:
        raise SettingsError(
            f"run {context['run_id']!r}: DAG {context['dag'].dag_id} has no parameter "
            f"{', '.join(map(repr, unknown))}; there are {', '.join(sorted(known))}. "
            "Trigger a run with the right one; this one has done nothing"
        )
