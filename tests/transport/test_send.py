import base64
import io
import logging
import smtplib
import socket
import ssl
import time
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
import requests
from anymail.exceptions import AnymailAPIError, AnymailConfigurationError, AnymailRequestsAPIError
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from pytest_django import Settings

from meetings.transport import send as transport
from meetings.transport.outcome import Outcome, SendStatus
from tests.support.smtp_server import HANG, ScriptedSMTP
from tests.transport.conftest import ICS

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"


def send(
    raw: bytes, *recipients: str, envelope_from: str = ALICE, deadline: float = 10
) -> dict[str, Outcome]:
    return transport.send(
        raw, envelope_from=envelope_from, recipients=recipients or (BOB, CAROL), deadline=deadline
    )


def fates(outcomes: dict[str, Outcome]) -> list[SendStatus]:
    return [outcome.status for outcome in outcomes.values()]


def use(settings: Settings, backend: str | type[BaseEmailBackend]) -> None:
    name = backend if isinstance(backend, str) else f"{backend.__module__}.{backend.__qualname__}"
    settings.EMAIL_BACKEND = name


def use_smtp(settings: Settings, backend: str, server: ScriptedSMTP) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = (
        backend,
        server.host,
        server.port,
    )


def test_nobody_to_send_to(settings: Settings) -> None:
    use(settings, "no.such.Backend")
    assert transport.send(b"", envelope_from=ALICE, recipients=[], deadline=10) == {}


def test_our_smtp_backend_delivers_with_a_reply_per_recipient(
    settings: Settings, invitation: bytes
) -> None:
    with ScriptedSMTP(rcpt={CAROL: "550 5.1.1 no such user"}) as server:
        use_smtp(settings, "meetings.transport.smtp.backend.EmailBackend", server)
        outcomes = send(invitation, envelope_from="bounces@example.com")
    assert outcomes == {
        BOB: Outcome(SendStatus.SENT, "250 2.0.0 queued"),
        CAROL: Outcome(SendStatus.REFUSED, "550 5.1.1 no such user"),
    }
    assert (server.received[0].raw, server.received[0].envelope_from) == (
        invitation,
        "bounces@example.com",
    )


class TestDjangosBackends:
    def test_locmem(self, settings: Settings, invitation: bytes) -> None:
        use(settings, "django.core.mail.backends.locmem.EmailBackend")
        mail.outbox = []
        assert fates(send(invitation)) == [SendStatus.SENT, SendStatus.SENT]
        assert mail.outbox[0].message().as_bytes() == invitation

    def test_files_of_ours(self, settings: Settings, invitation: bytes, tmp_path: Path) -> None:
        use(settings, "meetings.transport.file.EmailBackend")
        settings.EMAIL_FILE_PATH = str(tmp_path)
        assert fates(send(invitation)) == [SendStatus.SENT, SendStatus.SENT]
        assert [file.read_bytes() for file in tmp_path.iterdir()] == [invitation]

    def test_files_of_djangos(self, settings: Settings, invitation: bytes, tmp_path: Path) -> None:
        use(settings, "django.core.mail.backends.filebased.EmailBackend")
        settings.EMAIL_FILE_PATH = str(tmp_path)
        assert fates(send(invitation)) == [SendStatus.SENT, SendStatus.SENT]
        assert [file.read_bytes().startswith(invitation) for file in tmp_path.iterdir()] == [True]

    def test_a_full_disk_is_tried_again(
        self, settings: Settings, invitation: bytes, tmp_path: Path
    ) -> None:
        use(settings, "meetings.transport.file.EmailBackend")
        settings.EMAIL_FILE_PATH = str(tmp_path / "file")
        (tmp_path / "file").touch()
        assert fates(send(invitation)) == [SendStatus.DEFERRED, SendStatus.DEFERRED]

    def test_console(
        self, settings: Settings, invitation: bytes, capsys: pytest.CaptureFixture[str]
    ) -> None:
        use(settings, "django.core.mail.backends.console.EmailBackend")
        assert fates(send(invitation)) == [SendStatus.SENT, SendStatus.SENT]
        assert "text/calendar" in capsys.readouterr().out

    def test_smtp_of_djangos_gets_the_exact_bytes(
        self, settings: Settings, invitation: bytes
    ) -> None:
        with ScriptedSMTP() as server:
            use_smtp(settings, "django.core.mail.backends.smtp.EmailBackend", server)
            assert fates(send(invitation, envelope_from="bounces@example.com")) == [
                SendStatus.SENT,
                SendStatus.SENT,
            ]
        [transaction] = server.received
        assert transaction.raw == invitation
        assert transaction.envelope_from == "bounces@example.com"
        assert transaction.recipients == (BOB, CAROL)

    @pytest.mark.parametrize("timeout", [60, None])
    def test_smtp_of_djangos_gets_no_more_time_than_there_is(
        self, timeout: int | None, settings: Settings, invitation: bytes
    ) -> None:
        settings.EMAIL_TIMEOUT = timeout
        with ScriptedSMTP(mail=HANG) as server:
            use_smtp(settings, "django.core.mail.backends.smtp.EmailBackend", server)
            started = time.monotonic()
            assert fates(send(invitation, deadline=0.2)) == [SendStatus.UNKNOWN, SendStatus.UNKNOWN]
            assert time.monotonic() - started < 2
            assert fates(send(invitation, deadline=0)) == [SendStatus.DEFERRED, SendStatus.DEFERRED]
        assert server.connections == 1


class Failing(BaseEmailBackend):
    """A backend of somebody else's that raises, or returns, what a test wants."""

    raises: BaseException | None = None
    returns: int | None = 1

    def send_messages(self, email_messages: Any) -> Any:
        if self.raises:
            raise self.raises
        return self.returns


def http_error(status: int) -> Exception:
    response = requests.Response()
    response.status_code, response.reason = status, "Because"
    response.raw = io.BytesIO(b"{}")
    return AnymailRequestsAPIError(response=response)  # type: ignore[no-any-return]


def provider_unreachable(kind: type[Exception]) -> Exception:
    # As anymail raises it: one class made of its own error and that of requests.
    both = type("AnymailRequestsAPIError", (AnymailRequestsAPIError, kind), {})
    return both("Error posting to https://api.example")  # type: ignore[no-any-return]


ERRORS = [
    (
        smtplib.SMTPSenderRefused(451, b"4.3.0 later", ALICE),
        SendStatus.DEFERRED,
        "451 4.3.0 later",
        False,
    ),
    (smtplib.SMTPDataError(554, b"5.7.1 spam"), SendStatus.REFUSED, "554 5.7.1 spam", False),
    (smtplib.SMTPConnectError(554, b"not here"), SendStatus.DEFERRED, "554 not here", False),
    (smtplib.SMTPAuthenticationError(535, b"wrong"), SendStatus.REFUSED, "535 wrong", True),
    (smtplib.SMTPServerDisconnected("closed"), SendStatus.UNKNOWN, "closed", False),
    (smtplib.SMTPNotSupportedError("STARTTLS"), SendStatus.REFUSED, "STARTTLS", True),
    (
        ConnectionRefusedError(111, "Connection refused"),
        SendStatus.DEFERRED,
        "Connection refused",
        False,
    ),
    (socket.gaierror(-2, "Name not known"), SendStatus.DEFERRED, "Name not known", False),
    (TimeoutError(), SendStatus.DEFERRED, "TimeoutError", False),
    (ssl.SSLCertVerificationError("bad certificate"), SendStatus.REFUSED, "bad certificate", True),
    (http_error(400), SendStatus.REFUSED, "400", False),
    (http_error(401), SendStatus.REFUSED, "401", True),
    (http_error(408), SendStatus.DEFERRED, "408", False),
    (http_error(429), SendStatus.DEFERRED, "429", False),
    (http_error(503), SendStatus.DEFERRED, "503", False),
    (http_error(200), SendStatus.UNKNOWN, "200", False),
    (provider_unreachable(requests.ConnectionError), SendStatus.DEFERRED, "posting", False),
    (provider_unreachable(requests.ConnectTimeout), SendStatus.DEFERRED, "posting", False),
    (provider_unreachable(requests.ReadTimeout), SendStatus.UNKNOWN, "posting", False),
    (provider_unreachable(requests.exceptions.SSLError), SendStatus.REFUSED, "posting", True),
    (AnymailAPIError("throttled"), SendStatus.DEFERRED, "throttled", False),
    (AnymailConfigurationError("no key"), SendStatus.REFUSED, "no key", True),
    (KeyError("surprise"), SendStatus.REFUSED, "surprise", True),
]


@pytest.mark.parametrize(
    ("error", "status", "words", "loud"),
    ERRORS,
    ids=[f"{type(row[0]).__name__}-{row[2]}" for row in ERRORS],
)
def test_what_a_backend_raises_is_put_into_a_class(
    error: Exception,
    status: SendStatus,
    words: str,
    loud: bool,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    invitation: bytes,
) -> None:
    use(settings, Failing)
    monkeypatch.setattr(Failing, "raises", error)
    outcomes = [*send(invitation).values(), *send(invitation).values()]
    assert {outcome.status for outcome in outcomes} == {status}
    assert words in outcomes[0].reply
    assert [record.levelno for record in caplog.records] == ([logging.ERROR] if loud else [])


def test_recipients_refused_keep_each_their_reply(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, invitation: bytes
) -> None:
    use(settings, Failing)
    refused = smtplib.SMTPRecipientsRefused({BOB: (550, b"no such user"), CAROL: (452, b"full")})
    monkeypatch.setattr(Failing, "raises", refused)
    assert send(invitation) == {
        BOB: Outcome(SendStatus.REFUSED, "550 no such user"),
        CAROL: Outcome(SendStatus.DEFERRED, "452 full"),
    }


@pytest.mark.parametrize("count", [0, None])
def test_a_backend_that_sent_nothing(
    count: int | None, settings: Settings, monkeypatch: pytest.MonkeyPatch, invitation: bytes
) -> None:
    use(settings, Failing)
    monkeypatch.setattr(Failing, "returns", count)
    assert fates(send(invitation)) == [SendStatus.REFUSED, SendStatus.REFUSED]


@pytest.mark.parametrize("backend", ["no.such.Backend", "anymail.backends.postmark.EmailBackend"])
def test_a_backend_that_cannot_be_made(
    backend: str, settings: Settings, caplog: pytest.LogCaptureFixture, invitation: bytes
) -> None:
    use(settings, backend)
    assert fates(send(invitation)) == [SendStatus.REFUSED, SendStatus.REFUSED]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_the_calendar_of_the_frozen_bytes_is_what_was_put_in(invitation: bytes) -> None:
    [part] = [
        part
        for part in message_from_bytes(invitation).walk()
        if part.get_content_type() == "text/calendar"
    ]
    assert base64.b64decode(str(part.get_payload())) == ICS.encode()
