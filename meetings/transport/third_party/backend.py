"""Sending through an e-mail backend that is not ours: one of Django's, or a provider's of anymail.

anymail is optional and never imported. Its backends are known by the attributes that they have.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from django.conf import settings
from django.core.mail.backends import smtp
from django.core.mail.backends.base import BaseEmailBackend

from meetings import trouble
from meetings.transport.outcome import LEASE_ENDED, Outcome, SendStatus
from meetings.transport.third_party.frozen import FrozenEmail
from meetings.transport.third_party.reports import (
    is_a,
    outcome_of_error,
    refused_recipients,
    reported_statuses,
)

# Several providers accept no more recipients in one call of their API.
RECIPIENTS_PER_CALL = 50


@runtime_checkable
class _HasTimeout(Protocol):
    timeout: object  # seconds, None, or what else a project has invented


@runtime_checkable
class _IsProvider(Protocol):
    esp_name: str


@runtime_checkable
class _CanIgnore(Protocol):
    ignore_unsupported_features: bool


def send_through(
    backend: BaseEmailBackend,
    raw: bytes,
    envelope_from: str,
    recipients: Sequence[str],
    may_finish: Callable[[], bool],
) -> Iterator[dict[str, Outcome]]:
    """Send ``raw`` in as few calls as ``backend`` allows, and yield the outcomes of each call."""
    people = list(dict.fromkeys(recipients))
    most = _most_recipients(backend) or len(people)
    _shorten_timeout(backend, settings.MEETINGS_SMTP_DEADLINE)
    for first in range(0, len(people), most):
        batch = people[first : first + most]
        # A call of the backend cannot be stopped, so this is the last moment to ask.
        if may_finish():
            yield _send_to(backend, raw, envelope_from, batch)
        else:
            yield dict.fromkeys(batch, LEASE_ENDED)


def _most_recipients(backend: BaseEmailBackend) -> int | None:
    """How many recipients one call may have; None: any number."""
    if isinstance(backend, _IsProvider):
        return RECIPIENTS_PER_CALL
    # Django makes one SMTP transaction of each call.
    return settings.MEETINGS_SMTP_RECIPIENTS if isinstance(backend, smtp.EmailBackend) else None


def _shorten_timeout(backend: BaseEmailBackend, seconds: float) -> None:
    if isinstance(backend, _HasTimeout):
        given = backend.timeout
        backend.timeout = min(given, seconds) if isinstance(given, int | float) else seconds


def _send_to(
    backend: BaseEmailBackend, raw: bytes, envelope_from: str, recipients: Sequence[str]
) -> dict[str, Outcome]:
    try:
        email = FrozenEmail(raw, recipients=recipients, envelope_from=envelope_from)
    except Exception as error:  # the standard library's parser fails on some odd headers
        return dict.fromkeys(recipients, outcome_of_error(error, type(backend).__module__))
    rest, known = _attempt(backend, email)
    statuses = reported_statuses(email)
    if statuses and rest.status is SendStatus.SENT:
        rest = Outcome(SendStatus.UNKNOWN, "the mail provider says nothing about this recipient")
    known |= statuses
    return {address: known.get(address.casefold(), rest) for address in recipients}


def _attempt(backend: BaseEmailBackend, email: FrozenEmail) -> tuple[Outcome, dict[str, Outcome]]:
    """Send, and return the outcome in general and that of each recipient whom an error names."""
    name = type(backend).__module__
    try:
        count = _send_in_some_form(backend, email)
    except Exception as error:  # another project's code: whatever it raises is about this mail
        return outcome_of_error(error, name), refused_recipients(error)
    if not count:
        return Outcome(SendStatus.REFUSED, f"{name} sent nothing and gave no reason"), {}
    return Outcome(SendStatus.SENT, f"accepted by {name}"), {}


def _send_in_some_form(backend: BaseEmailBackend, email: FrozenEmail) -> int:
    """Send in the first form that the backend can express. Return what ``send_messages`` returns.

    anymail refuses what a provider's API cannot express before it calls the API, so nothing has
    been sent when the next form is tried.
    """
    if not isinstance(backend, _CanIgnore) or not backend.ignore_unsupported_features:
        return _send_strictly(backend, email)
    # The deployment asked anymail to drop what it cannot express and to say nothing. For most
    # providers that is the calendar: the mail would arrive as plain text, be reported as sent, and
    # never become a meeting in a calendar. So the forms are tried with the wish turned off.
    # It is granted only after they have failed, when the calendar is an attachment, which every
    # provider can express.
    backend.ignore_unsupported_features = False
    try:
        return _send_strictly(backend, email)
    except Exception as error:
        if not is_a(error, "AnymailUnsupportedFeature"):
            raise
        backend.ignore_unsupported_features = True
        return backend.send_messages([email])
    finally:
        backend.ignore_unsupported_features = True


def _send_strictly(backend: BaseEmailBackend, email: FrozenEmail) -> int:
    for _ in _forms(email):
        try:
            return backend.send_messages([email])
        except Exception as error:
            if not is_a(error, "AnymailUnsupportedFeature"):
                raise
            refusal = error
    raise refusal


def _forms(email: FrozenEmail) -> Iterator[None]:
    """Change ``email`` step by step to what more providers can express."""
    yield
    if "From" in email.extra_headers:
        email.without_envelope_sender()
        yield
    email.with_calendar_attached()
    trouble.report(
        "backend:calendar-attached",
        "the e-mail backend cannot send text/calendar as an alternative. It is sent as an"
        " attachment, and mail programs may show no buttons to accept and decline",
        level=logging.WARNING,
    )
    yield
