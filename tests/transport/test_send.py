import logging

import pytest
from pytest_django import Settings

from meetings.deadline import Deadline
from meetings.transport import send as transport
from meetings.transport.outcome import LEASE_ENDED, Outcome, SendStatus
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.transport.door import BOB, BOTH_REFUSED, CAROL, no, send, statuses, use, use_smtp, yes

OURS = "meetings.transport.smtp.backend.EmailBackend"


def test_no_recipient_needs_no_backend(settings: Settings) -> None:
    use(settings, "no.such.Backend")
    outcomes = transport.send(
        b"", envelope_from="", recipients=[], deadline=Deadline(10), may_finish=yes
    )
    assert list(outcomes) == []


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


def test_outcomes_come_transaction_by_transaction(settings: Settings, invitation: bytes) -> None:
    settings.MEETINGS_SMTP_RECIPIENTS = 1
    with ScriptedSMTP() as server:
        use_smtp(settings, OURS, server)
        outcomes = transport.send(
            invitation,
            envelope_from="",
            recipients=["bob", BOB, CAROL],
            deadline=Deadline(600),
            may_finish=yes,
        )
        assert [list(of_transaction) for of_transaction in outcomes] == [["bob"], [BOB], [CAROL]]


def test_lease_that_has_ended_stops_our_backend(settings: Settings, invitation: bytes) -> None:
    with ScriptedSMTP() as server:
        use_smtp(settings, OURS, server)
        assert set(send(invitation, may_finish=no).values()) == {LEASE_ENDED}
    assert server.received == []


@pytest.mark.parametrize("backend", ["no.such.Backend", "anymail.backends.postmark.EmailBackend"])
def test_backend_that_cannot_be_made_is_logged(
    backend: str, settings: Settings, caplog: pytest.LogCaptureFixture, invitation: bytes
) -> None:
    use(settings, backend)
    assert statuses(send(invitation)) == BOTH_REFUSED
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
