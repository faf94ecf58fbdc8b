"""What an e-mail backend that is not ours said about a mail, put into our classes.

The optional package ``anymail`` is known by the shape of its statuses and errors; it is never
imported.
"""

import logging
import smtplib
import ssl
from collections.abc import Mapping
from http import HTTPStatus

from django.core.exceptions import ImproperlyConfigured

from meetings import trouble
from meetings.transport.outcome import Outcome, SendStatus, outcome_of_reply

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
    """Whether ``error`` is of a class called ``name``, or of one derived from it, in whatever
    package.
    """
    return any(cls.__name__ == name for cls in type(error).__mro__)


def reported_statuses(message: object) -> dict[str, Outcome]:
    """What ``message.anymail_status`` has for each address (in lower case); empty where there is
    none.

    A status of another name means that the provider does not know either: UNKNOWN.
    """
    recipients = getattr(getattr(message, "anymail_status", None), "recipients", None)
    if not isinstance(recipients, Mapping):
        return {}
    statuses = {
        address.casefold(): str(getattr(value, "status", None))
        for address, value in recipients.items()
    }
    return {
        address: Outcome(
            _STATUSES.get(status, SendStatus.UNKNOWN), f"the mail provider says: {status}"
        )
        for address, status in statuses.items()
    }


def refused_recipients(error: Exception) -> dict[str, Outcome]:
    """The recipients that an SMTPRecipientsRefused names (in lower case), each with its reply."""
    if not isinstance(error, smtplib.SMTPRecipientsRefused):
        return {}
    return {
        address.casefold(): outcome_of_reply(*reply) for address, reply in error.recipients.items()
    }


def outcome_of_error(error: Exception, backend: str) -> Outcome:
    """The outcome of everybody of whom nothing better is known. What an operator has to mend is
    logged loudly.
    """
    status, loud = _judged(error)
    outcome = Outcome(status, _sentence(error))
    if loud:
        trouble.report(
            f"backend:{backend}", f"e-mail backend {backend}: {outcome.reply}", level=logging.ERROR
        )
    return outcome


def _sentence(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return f"{error.smtp_code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
    return str(error) or type(error).__name__


def _judged(error: Exception) -> tuple[SendStatus, bool]:
    """The status, and whether it is a case for an operator."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return _judged_by_status(status)
    if isinstance(error, smtplib.SMTPException):
        return _judged_smtp(error)
    return _judged_by_class(error)


def _judged_by_class(error: Exception) -> tuple[SendStatus, bool]:
    if isinstance(error, ImproperlyConfigured | ssl.SSLError) or is_a(error, "SSLError"):
        return SendStatus.REFUSED, True
    if is_a(error, "ReadTimeout"):
        # The request was out; nobody knows what became of it.
        return SendStatus.UNKNOWN, False
    if is_a(error, "AnymailAPIError") or isinstance(error, OSError):
        return SendStatus.DEFERRED, False
    return SendStatus.REFUSED, not (
        is_a(error, "AnymailRecipientsRefused") or is_a(error, "AnymailInvalidAddress")
    )


def _judged_by_status(status: int) -> tuple[SendStatus, bool]:
    if status in _TRY_LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return SendStatus.DEFERRED, False
    if status < HTTPStatus.MULTIPLE_CHOICES:
        # Accepted, with an answer that could not be read.
        return SendStatus.UNKNOWN, False
    return SendStatus.REFUSED, status in _OUR_LOGIN


def _judged_smtp(error: smtplib.SMTPException) -> tuple[SendStatus, bool]:
    if isinstance(error, smtplib.SMTPServerDisconnected):
        # smtplib does not tell a server that hung up at its greeting from one lost after the final
        # dot.
        return SendStatus.UNKNOWN, False
    if isinstance(error, smtplib.SMTPConnectError):
        return SendStatus.DEFERRED, False
    if isinstance(error, smtplib.SMTPResponseException):
        status = outcome_of_reply(error.smtp_code, b"").status
        return status, status is SendStatus.REFUSED and isinstance(
            error, smtplib.SMTPAuthenticationError
        )
    return SendStatus.REFUSED, not isinstance(error, smtplib.SMTPRecipientsRefused)
