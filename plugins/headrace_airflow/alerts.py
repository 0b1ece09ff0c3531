"""What a stream's people are told by Airflow's notifiers: of runs that fail, are late, leave readings behind.

The words of an alert come from everywhere, a CSV file's bytes among them: notifiers get them as values of a
template's names, never as templates.
"""

import asyncio
import html
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from headrace.contract.alerts import Alerts
from headrace.contract.loader import load_contract
from headrace.contract.model import Contract
from headrace.errors import SettingsError
from headrace.settings import load_settings
from headrace.tables.warehouse import Warehouse

if TYPE_CHECKING:
    from airflow.sdk import BaseNotifier, Context

log = logging.getLogger(__name__)

Callbacks = list[Callable[["Context"], None]]


@dataclass(frozen=True)
class Alert:
    """What happened: a line, and all of it in words."""

    subject: str
    text: str

    @property
    def html(self) -> str:
        """The text as it can stand in a page."""
        return f"<pre>{html.escape(self.text)}</pre>"


def when_failed(contract: Contract) -> Callbacks:
    """What a task of the stream calls when its last try has failed."""
    alerts = contract.alerts
    return [lambda context: tell(alerts, failed(context), context)] if alerts else []


def when_through(contract: Contract) -> Callbacks:
    """What the stage calls after which every record of a run is accounted for."""

    def look(context: "Context") -> None:
        found = incomplete(contract, datetime.now(UTC))
        if found is not None and contract.alerts is not None:
            tell(contract.alerts, found, context)

    return [look] if contract.alerts and contract.alerts.incomplete else []


def when_late(file: Path, contract: Contract) -> DeadlineAlert | None:
    """The deadline of each of the stream's runs."""
    if contract.alerts is None or contract.alerts.late is None:
        return None
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=contract.alerts.late,
        callback=AsyncCallback(tell_late, kwargs={"contract": str(file)}),
    )


async def tell_late(contract: str, context: dict[str, Any]) -> None:
    """Tell of a run that is past its deadline; runs in the triggerer, whose loop others need."""
    read = await asyncio.to_thread(load_contract, Path(contract))
    if read.alerts is None:
        return
    run = context["dag_run"]["dag_run_id"]
    alert = Alert(
        f"{read.stream}: a run is late",
        f"Run {run} of stream {read.stream} is not through {read.alerts.late} after its start.\n"
        "It goes on; its tasks in Airflow's web UI say what they wait for.",
    )
    await asyncio.to_thread(tell, read.alerts, alert, dict(context))


def failed(context: "Context") -> Alert:
    """The alert of a task that failed, with the cause."""
    task, cause = context["ti"], context.get("exception")
    where = f"Task {task.task_id} of run {task.run_id} failed at try {task.try_number}."
    said = str(cause) if cause is not None else "Nothing said why: its process may have been killed."
    return Alert(f"{task.dag_id}: {task.task_id} failed", "\n\n".join([where, said, str(task.log_url)]))


def incomplete(contract: Contract, now: datetime) -> Alert | None:
    """The alert of readings that end too long ago, unless an earlier run of the stream had to tell it."""
    from headrace.report.behind import behind

    alerts = contract.alerts
    if alerts is None or alerts.incomplete is None:
        return None
    found = behind(Warehouse.of(load_settings(), contract.stream), alerts.incomplete, now)
    return Alert(f"{contract.stream}: readings are behind", found) if found else None


def tell(alerts: Alerts, alert: Alert, context: Any) -> None:
    """Hand the alert to each notifier; one that fails keeps no other from being told."""
    wrong = []
    for notifier in notifiers(alerts):
        try:
            notifier({**context, "alert": alert})
        except Exception as error:
            log.exception("alert %r was not delivered", alert.subject)
            wrong.append(error)
    if wrong:
        raise ExceptionGroup(f"alert {alert.subject!r} was not delivered", wrong)


def notifiers(alerts: Alerts) -> list["BaseNotifier"]:
    """Airflow's notifiers that the contract names.

    Raises:
        SettingsError: one is not there, or is none.
    """
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    mail = SmtpNotifier(to=list(alerts.to), subject="{{ alert.subject }}", html_content="{{ alert.html }}")
    named = [_named(alerts.notifier)(**alerts.arguments)] if alerts.notifier else []
    return [*([mail] if alerts.to else []), *named]


def _named(name: str) -> Callable[..., "BaseNotifier"]:
    from airflow.sdk import BaseNotifier

    module, _, kind = name.rpartition(".")
    try:
        found = getattr(import_module(module), kind)
    except (ImportError, AttributeError) as missing:
        raise SettingsError(f"alerts.notifier: {missing}; install the provider that has it") from missing
    if not (isinstance(found, type) and issubclass(found, BaseNotifier)):
        raise SettingsError(f"alerts.notifier: {name} is no notifier (a class of Airflow's BaseNotifier)")
    return found
