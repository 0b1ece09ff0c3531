"""Who is told of a stream's runs."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from headrace.contract.alerts import Alerts


def test_an_address_alone_is_enough() -> None:
    assert Alerts.model_validate("ops@example.org") == Alerts(to=("ops@example.org",))


def test_all_that_can_be_asked_for() -> None:
    asked = {"to": ["a@b", "c@d"], "notifier": "team.OnCall", "arguments": {"x": "y"}, "late": "PT30M"}
    alerts = Alerts.model_validate({**asked, "incomplete": "PT2H"})
    assert (alerts.to, alerts.late, alerts.incomplete) == (
        ("a@b", "c@d"),
        timedelta(minutes=30),
        timedelta(hours=2),
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("nobody", "should match pattern"),
        ("a@b\nBcc: c@d", "should match pattern"),
        ({"late": "PT1H"}, "say who is told"),
        ({"to": "a@b", "arguments": {"x": "y"}}, "there is no notifier that they are for"),
        ({"to": "a@b", "late": "PT0S"}, "greater than"),
        ({"notifier": "import os; os.system"}, "should match pattern"),
    ],
)
def test_what_tells_nobody_is_refused(wrong: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Alerts.model_validate(wrong)
