"""Who is told when a stream's runs fail, are late, or leave the readings behind."""

from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from headrace.contract.part import Part


def _as_list(addresses: Any) -> Any:
    return [addresses] if isinstance(addresses, str) else addresses


Address = Annotated[str, Field(pattern=r"^[^@\s,;<>]{1,64}@[^@\s,;<>]{1,255}$")]

Wait = Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=366))]


class Alerts(Part):
    """Whom Airflow's notifiers tell. A run that fails is always told of; the rest where it is asked for.

    An address alone is enough: `alerts: ops@example.org`.
    """

    to: Annotated[tuple[Address, ...], BeforeValidator(_as_list)] = Field(
        (), description="one or several addresses; the Airflow connection `smtp_default` sends the mail"
    )
    notifier: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")] | None = Field(
        None, description="any notifier of Airflow's providers, or your own, by its full name"
    )
    arguments: dict[str, str] = Field(
        {},
        description="the notifier's; templates, in which `{{ alert.subject }}` and `{{ alert.text }}` say "
        "what happened",
    )
    late: Wait | None = Field(None, description="told of a run that is not through so long after its start")
    incomplete: Wait | None = Field(
        None,
        description="told once the readings of some entity end longer ago than that when a run is through",
    )

    @model_validator(mode="before")
    @classmethod
    def _an_address_alone(cls, given: Any) -> Any:
        return {"to": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _tell_somebody(self) -> Self:
        if not self.to and self.notifier is None:
            raise ValueError("say who is told: to (addresses) or notifier")
        if self.arguments and self.notifier is None:
            raise ValueError("arguments: there is no notifier that they are for")
        return self
