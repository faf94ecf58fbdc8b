import logging

import pytest
from pytest_django import Settings

from meetings.transport import send as transport
from meetings.transport.outcome import LEASE_ENDED, Outcome, Phase, SendStatus
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.transport.door import BOB, BOTH_REFUSED, CAROL, no, send, statuses, use, use_smtp, yes

OURS = "meetings.transport.smtp.backend.EmailBackend"


def test_no_recipient_needs_no_backend(settings: Settings) -> None:
    use(settings, "no.such.Backend")
    outcomes = transport.send(b"", envelope_from="", recipients=[], may_finish=yes)
    assert list(outcomes) == []


def test_our_backend_gives_a_reply_per_recipient(settings: Settings, invitation: bytes) -> None:
    with ScriptedSMTP(rcpt={CAROL: "550 5.1.1 no such user"}) as server:
        use_smtp(settings, OURS, server)
        outcomes = send(invitation, envelope_from="bounces@example.com")
    assert outcomes == {
        BOB: Outcome(SendStatus.SENT, "250 2.0.0 queued", phase=Phase.MESSAGE),
        CAROL: Outcome(SendStatus.REFUSED, "550 5.1.1 no such user", phase=Phase.RCPT),
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


DJANGO = "django.core.mail.backends.smtp.EmailBackend"


def test_smtp_of_django_becomes_our_backend(settings: Settings, invitation: bytes) -> None:
    """Django's own reports a mail that one recipient was refused as sent to all."""
    with ScriptedSMTP(rcpt={CAROL: "550 5.1.1 no such user"}) as server:
        use_smtp(settings, DJANGO, server)
        outcomes = send(invitation)
    assert statuses(outcomes) == [SendStatus.SENT, SendStatus.REFUSED]
    assert outcomes[CAROL].reply == "550 5.1.1 no such user"


SMTP = {
    OURS: True,
    DJANGO: True,
    "django.core.mail.backends.locmem.EmailBackend": False,
    "no.such.Backend": False,
}


@pytest.mark.parametrize(("backend", "expected"), SMTP.items())
def test_smtp_is_known_by_the_name_of_the_backend(
    backend: str, expected: bool, settings: Settings
) -> None:
    use(settings, backend)
    assert transport.sends_by_smtp() is expected


def test_caller_that_stops_leaves_no_connection_in_use(
    settings: Settings, invitation: bytes
) -> None:
    settings.MEETINGS_SMTP_RECIPIENTS = 1
    with ScriptedSMTP() as server:
        use_smtp(settings, OURS, server)
        outcomes = transport.send(
            invitation, envelope_from="", recipients=[BOB, CAROL], may_finish=yes
        )
        assert list(next(outcomes)) == [BOB]
        assert transport.connections_in_use() == 0
        del outcomes
        assert list(send(invitation, CAROL)) == [CAROL]
        assert [mail.recipients for mail in server.accepted] == [(BOB,), (CAROL,)]
        assert server.connections == 1
