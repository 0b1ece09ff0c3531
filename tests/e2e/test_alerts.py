"""Who is named in a contract gets mail: of a run that is late, and of one that fails, with its cause."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from local.stack.ports import free_port
from testbed.dag_stream import HEADER, DagStream
from testbed.pipeline import Pipeline

pytestmark = pytest.mark.timeout(600)  # the start of the stack may be in it

HOSTILE = "{{ 6 * 7 }}<img src=x>.csv"


class Mailbox:
    """What a mail server was given."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        self.mails.append(message_from_bytes(bytes(envelope.content or b""), policy=policy.default))
        return "250 OK"

    def about(self, subject: str) -> str | None:
        """What the mail of that subject says; None before it is there."""
        mail = next((mail for mail in self.mails if mail["subject"] == subject), None)
        body = mail and mail.get_body(("html",))
        return str(body.get_content()) if body else None


@pytest.fixture(scope="module")
def mailbox(pipeline: Pipeline) -> Iterator[Mailbox]:
    """A mail server, and the connection that leads to it."""
    box = Mailbox()
    server = Controller(box, hostname="127.0.0.1", port=free_port())
    server.start()
    connection = {
        "connection_id": "smtp_default",
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": server.port,
        "extra": '{"disable_ssl": true, "disable_tls": true, "from_email": "headrace@example.org"}',
    }
    pipeline.airflow._http.post("/api/v2/connections", json=connection).raise_for_status()
    yield box
    pipeline.airflow._http.delete("/api/v2/connections/smtp_default").raise_for_status()
    server.stop()


@pytest.fixture(scope="module")
def stream(pipeline: Pipeline) -> Iterator[DagStream]:
    stream = DagStream(pipeline.of("alerted"))
    stream.contract["alerts"] = {"to": "ops@example.org", "late": "PT1S", "incomplete": "P1D"}
    stream.write_contract()
    yield stream
    stream.contract_file.unlink()


def test_a_late_run_is_told_of_while_it_goes_on_and_old_readings_when_it_is_through(
    pipeline: Pipeline, stream: DagStream, mailbox: Mailbox
) -> None:
    stream.start()
    late = pipeline.awaited(lambda: mailbox.about("alerted: a run is late"), seconds=120)
    assert mailbox.mails[0]["to"] == "ops@example.org"
    assert stream.runs[0] in late
    assert stream.ended() == "success"
    behind = pipeline.awaited(lambda: mailbox.about("alerted: readings are behind"), seconds=60)
    assert "2017-12-31T21:20:00+00:00, more than 1 day" in behind


def test_a_failed_task_tells_its_cause_as_text(
    pipeline: Pipeline, stream: DagStream, mailbox: Mailbox
) -> None:
    file = stream.source.with_name(HOSTILE)
    file.write_bytes(HEADER.replace(b"Wind_Direction", b"else"))
    stream.read_from(file)
    stream.write_contract()
    stream.start()
    assert stream.ended() == "failed"
    said = pipeline.awaited(lambda: mailbox.about("alerted: publish failed"), seconds=60)
    assert "HR201" in said
    assert "{{ 6 * 7 }}&lt;img src=x&gt;.csv" in said
    assert f"dags/alerted/runs/{stream.runs[-1].replace('+', '%2B').replace(':', '%3A')}" in said
