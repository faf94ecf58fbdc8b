"""What an e-mail backend that is not ours says about a mail, as our outcomes.

anymail is optional and never imported. Its statuses and errors are known by their shape.
"""

import logging
import smtplib
import ssl
from collections.abc import Mapping
from http import HTTPStatus

from django.core.exceptions import ImproperlyConfigured

from meetings import trouble
from meetings.transport.outcome import (
    Outcome,
    Phase,
    SendStatus,
    outcome_of_rcpt,
    outcome_of_reply,
)

_STATUSES = {
    "sent": SendStatus.SENT,
    "queued": SendStatus.SENT,
    "rejected": SendStatus.REFUSED,
    "failed": SendStatus.REFUSED,
    "invalid": SendStatus.REFUSED,
}
_TRY_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_OUR_LOGIN = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


def is_a(error: Exception, name: str) -> bool:
    """Return whether a class of ``error``, or one that it derives from, is called ``name``."""
    return any(cls.__name__ == name for cls in type(error).__mro__)


def reported_statuses(email: object) -> dict[str, Outcome]:
    """Return the outcomes that ``email.anymail_status`` has, by the address in lower case.

    A status that is not in anymail's list is UNKNOWN.
    """
    recipients = getattr(getattr(email, "anymail_status", None), "recipients", None)
    if not isinstance(recipients, Mapping):
        return {}
    return {
        address.casefold(): _outcome_of_status(str(getattr(recipient, "status", None)))
        for address, recipient in recipients.items()
    }


def refused_recipients(error: Exception) -> dict[str, Outcome]:
    """Return the outcomes that an SMTPRecipientsRefused has, by the address in lower case."""
    if not isinstance(error, smtplib.SMTPRecipientsRefused):
        return {}
    return {
        address.casefold(): outcome_of_rcpt(*reply, Phase.NONE)
        for address, reply in error.recipients.items()
    }


def outcome_of_error(error: Exception, backend: str) -> Outcome:
    """Return the outcome of all recipients about whom nothing better is known.

    An error that only an operator can fix is logged as one of ``backend``.
    """
    status, needs_operator = _classify(error)
    outcome = Outcome(status, _sentence(error))
    if needs_operator:
        trouble.report(
            f"backend:{backend}", f"e-mail backend {backend}: {outcome.reply}", level=logging.ERROR
        )
    return outcome


def _outcome_of_status(status: str) -> Outcome:
    known = _STATUSES.get(status, SendStatus.UNKNOWN)
    return Outcome(known, f"the mail provider says: {status}")


def _sentence(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        return f"{error.smtp_code} {text}"
    return str(error) or type(error).__name__


def _classify(error: Exception) -> tuple[SendStatus, bool]:
    """The status, and whether only an operator can fix the error."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return _classify_http(status)
    if isinstance(error, smtplib.SMTPException):
        return _classify_smtp(error)
    return _classify_other(error)


def _classify_http(status: int) -> tuple[SendStatus, bool]:
    if status in _TRY_LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return SendStatus.DEFERRED, False
    if status < HTTPStatus.MULTIPLE_CHOICES:
        # The provider accepted the call, but its response could not be read.
        return SendStatus.UNKNOWN, False
    return SendStatus.REFUSED, status in _OUR_LOGIN


def _classify_smtp(error: smtplib.SMTPException) -> tuple[SendStatus, bool]:
    if isinstance(error, smtplib.SMTPServerDisconnected):
        # smtplib raises the same for a server that hangs up at once and for one that is lost after
        # the final dot.
        return SendStatus.UNKNOWN, False
    if isinstance(error, smtplib.SMTPConnectError):
        return SendStatus.DEFERRED, False
    if isinstance(error, smtplib.SMTPResponseException):
        status = outcome_of_reply(error.smtp_code, b"").status
        is_login = isinstance(error, smtplib.SMTPAuthenticationError)
        return status, is_login and status is SendStatus.REFUSED
    return SendStatus.REFUSED, not isinstance(error, smtplib.SMTPRecipientsRefused)


def _classify_other(error: Exception) -> tuple[SendStatus, bool]:
    if isinstance(error, ImproperlyConfigured | ssl.SSLError) or is_a(error, "SSLError"):
        return SendStatus.REFUSED, True
    if is_a(error, "ReadTimeout"):
        # The request was sent, and the provider may have acted on it.
        return SendStatus.UNKNOWN, False
    if is_a(error, "AnymailAPIError") or isinstance(error, OSError):
        return SendStatus.DEFERRED, False
    about_recipients = ("AnymailRecipientsRefused", "AnymailInvalidAddress")
    return SendStatus.REFUSED, not any(is_a(error, name) for name in about_recipients)
