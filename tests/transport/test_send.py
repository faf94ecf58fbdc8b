import logging

import pytest
from pytest_django import Settings

from meetings.deadline import Deadline
from meetings.transport import send as transport
from meetings.transport.outcome import Outcome, SendStatus
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.transport.door import BOB, BOTH_REFUSED, CAROL, send, statuses, use, use_smtp

OURS = "meetings.transport.smtp.backend.EmailBackend"


def test_no_recipient_needs_no_backend(settings: Settings) -> None:
    use(settings, "no.such.Backend")
    assert transport.send(b"", envelope_from="", recipients=[], deadline=Deadline(10)) == {}


def test_our_backend_gives_a_reply_per_recipient(settings: Settings, invitation: bytes) -> None:
    with ScriptedSMTP(rcpt={CAROL: "550 5.1.1 no such user"}) as server:
        use_smtp(settings, OURS, server)
        outcomes = send(invitation, envelope_from="bounces@example.com")
    assert outcomes == {
        BOB: Outcome(SendStatus.SENT, "250 2.0.0 queued"),
        CAROL: Outcome(SendStatus.REFUSED, "550 5.1.1 no such user"),
    }
    [transaction] = server.received
    assert transaction.raw == invitation
    assert transaction.envelope_from == "bounces@example.com"


@pytest.mark.parametrize("backend", ["no.such.Backend", "anymail.backends.postmark.EmailBackend"])
def test_backend_that_cannot_be_made_is_logged(
    backend: str, settings: Settings, caplog: pytest.LogCaptureFixture, invitation: bytes
) -> None:
    use(settings, backend)
    assert statuses(send(invitation)) == BOTH_REFUSED
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
