"""Whoever is named in a contract is told by Airflow's notifiers, in words that are never templates."""

from typing import Any

import pytest
from airflow.sdk import BaseNotifier

from headrace.contract.alerts import Alerts
from headrace.errors import SettingsError
from headrace_airflow.alerts import Alert, notifiers, tell

HOSTILE = Alert("a line: {{ 6 * 7 }}", "a <b>field</b>: {{ 6 * 7 }}")
TOLD: list[tuple[str, str]] = []


class Kept(BaseNotifier):
    """A notifier of the tests' own: it keeps what it is told."""

    template_fields = ("said", "as_page")

    def __init__(self, said: str, as_page: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.said, self.as_page = said, as_page

    def notify(self, context: Any) -> None:
        TOLD.append((self.said, self.as_page))


class Broken(BaseNotifier):
    """A notifier that reaches nobody."""

    def notify(self, context: Any) -> None:
        raise ConnectionRefusedError("nobody listens")


def named(notifier: type[BaseNotifier], **arguments: str) -> Alerts:
    return Alerts(notifier=f"{__name__}.{notifier.__name__}", arguments=arguments)


def test_a_notifier_gets_what_happened_as_text_and_never_as_a_template() -> None:
    TOLD.clear()
    alerts = named(Kept, said="{{ alert.subject }} / {{ alert.text }}", as_page="{{ alert.html }}")
    tell(alerts, HOSTILE, {"ti": None})
    assert TOLD == [
        (
            "a line: {{ 6 * 7 }} / a <b>field</b>: {{ 6 * 7 }}",
            "<pre>a &lt;b&gt;field&lt;/b&gt;: {{ 6 * 7 }}</pre>",
        )
    ]


def test_an_address_gets_mail_through_airflows_own_notifier() -> None:
    (mail,) = notifiers(Alerts.model_validate("ops@example.org"))
    assert (type(mail).__name__, mail.to) == ("SmtpNotifier", ["ops@example.org"])  # type: ignore[attr-defined]  # SmtpNotifier's
    assert HOSTILE.subject not in str(vars(mail))


def test_what_is_no_notifier_is_never_called() -> None:
    with pytest.raises(SettingsError, match=r"os\.system is no notifier"):
        notifiers(Alerts(notifier="os.system"))
    with pytest.raises(SettingsError, match="install the provider that has it"):
        notifiers(Alerts(notifier="no_such_provider.Notifier"))


def test_a_notifier_that_fails_is_named() -> None:
    with pytest.raises(ExceptionGroup, match="was not delivered") as failed:
        tell(named(Broken), HOSTILE, {})
    assert str(failed.value.exceptions[0]) == "nobody listens"
