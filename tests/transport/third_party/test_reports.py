import io
import logging
import smtplib
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest
import requests
from anymail.exceptions import AnymailAPIError, AnymailConfigurationError, AnymailRequestsAPIError
from django.core.mail.backends.base import BaseEmailBackend
from pytest_django import Settings

from meetings.transport.outcome import Outcome, SendStatus
from tests.transport.door import ALICE, BOB, CAROL, send, use

RAW = b"Subject: hello\r\n\r\n"


class Failing(BaseEmailBackend):
    """Another project's backend, which raises what a test wants."""

    error: Exception = AssertionError("no test has set this")

    def send_messages(self, email_messages: Any) -> int:
        raise self.error


@pytest.fixture
def fail_with(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    use(settings, Failing)
    return lambda error: monkeypatch.setattr(Failing, "error", error)


def http_error(status: int) -> Exception:
    response = requests.Response()
    response.status_code, response.reason = status, "Because"
    response.raw = io.BytesIO(b"{}")
    return AnymailRequestsAPIError(response=response)  # type: ignore[no-any-return]


def unreachable(kind: type[Exception]) -> Exception:
    # As anymail raises it: one class made of its own error and that of requests.
    both = type("AnymailRequestsAPIError", (AnymailRequestsAPIError, kind), {})
    return both("Error posting to https://api.example")  # type: ignore[no-any-return]


SENDER_REFUSED = smtplib.SMTPSenderRefused(451, b"4.3.0 later", ALICE)
NOT_LISTENING = ConnectionRefusedError(111, "Connection refused")
SENT_BUT_UNREAD = unreachable(requests.ReadTimeout)

ABOUT_THE_MAIL = {
    "MAIL 451": (SENDER_REFUSED, SendStatus.DEFERRED, "451 4.3.0 later"),
    "DATA 554": (smtplib.SMTPDataError(554, b"spam"), SendStatus.REFUSED, "554 spam"),
    "greeting": (smtplib.SMTPConnectError(554, b"no"), SendStatus.DEFERRED, "554 no"),
    "lost": (smtplib.SMTPServerDisconnected("closed"), SendStatus.UNKNOWN, "closed"),
    "not listening": (NOT_LISTENING, SendStatus.DEFERRED, "Connection refused"),
    "no such host": (socket.gaierror(-2, "Name not known"), SendStatus.DEFERRED, "Name not known"),
    "time-out": (TimeoutError(), SendStatus.DEFERRED, "TimeoutError"),
    "HTTP 400": (http_error(400), SendStatus.REFUSED, "400"),
    "HTTP 408": (http_error(408), SendStatus.DEFERRED, "408"),
    "HTTP 429": (http_error(429), SendStatus.DEFERRED, "429"),
    "HTTP 503": (http_error(503), SendStatus.DEFERRED, "503"),
    "HTTP 200": (http_error(200), SendStatus.UNKNOWN, "200"),
    "connect": (unreachable(requests.ConnectionError), SendStatus.DEFERRED, "posting"),
    "connect in time": (unreachable(requests.ConnectTimeout), SendStatus.DEFERRED, "posting"),
    "read in time": (SENT_BUT_UNREAD, SendStatus.UNKNOWN, "posting"),
    "throttled": (AnymailAPIError("throttled"), SendStatus.DEFERRED, "throttled"),
}
FOR_AN_OPERATOR = {
    "login": (smtplib.SMTPAuthenticationError(535, b"wrong"), "535 wrong"),
    "no STARTTLS": (smtplib.SMTPNotSupportedError("STARTTLS"), "STARTTLS"),
    "certificate": (ssl.SSLCertVerificationError("bad certificate"), "bad certificate"),
    "HTTP 401": (http_error(401), "401"),
    "certificate of a provider": (unreachable(requests.exceptions.SSLError), "posting"),
    "settings": (AnymailConfigurationError("no key"), "no key"),
    "surprise": (KeyError("surprise"), "surprise"),
}


@pytest.mark.parametrize(("error", "status", "words"), ABOUT_THE_MAIL.values(), ids=ABOUT_THE_MAIL)
def test_error_about_the_mail_is_not_logged(
    error: Exception,
    status: SendStatus,
    words: str,
    fail_with: Callable[[Exception], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    fail_with(error)
    outcomes = send(RAW)
    assert {outcome.status for outcome in outcomes.values()} == {status}
    assert words in outcomes[BOB].reply
    assert caplog.records == []


@pytest.mark.parametrize(("error", "words"), FOR_AN_OPERATOR.values(), ids=FOR_AN_OPERATOR)
def test_error_for_an_operator_is_logged_once(
    error: Exception,
    words: str,
    fail_with: Callable[[Exception], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    fail_with(error)
    outcomes = [*send(RAW).values(), *send(RAW).values()]
    assert {outcome.status for outcome in outcomes} == {SendStatus.REFUSED}
    assert words in outcomes[0].reply
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert words in record.getMessage()


def test_refused_recipients_keep_their_replies(fail_with: Callable[[Exception], None]) -> None:
    refused = smtplib.SMTPRecipientsRefused(
        {BOB: (550, b"no such user"), CAROL: (552, b"too many")}
    )
    fail_with(refused)
    assert send(RAW) == {
        BOB: Outcome(SendStatus.REFUSED, "550 no such user"),
        CAROL: Outcome(SendStatus.DEFERRED, "552 too many", too_many_recipients=True),
    }
