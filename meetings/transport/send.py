"""The one door through which frozen mail leaves, whatever ``EMAIL_BACKEND`` a deployment has
configured.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from django.core import mail

from meetings import trouble
from meetings.deadline import Deadline
from meetings.transport.outcome import Outcome, SendStatus
from meetings.transport.smtp.backend import EmailBackend
from meetings.transport.third_party.frozen import FrozenEmail
from meetings.transport.third_party.reports import (
    is_a,
    outcome_of_error,
    refused_recipients,
    reported_statuses,
)

# Several providers take no more recipients in one call.
RECIPIENTS_PER_CALL = 50


def send(
    raw: bytes, *, envelope_from: str, recipients: Sequence[str], deadline: float
) -> dict[str, Outcome]:
    """Mail ``raw`` to ``recipients`` within ``deadline`` seconds; one outcome for each, whatever
    went wrong.

    Through any backend but ours the deadline bounds each wait where the backend has a ``timeout``,
    and a recipient counts as SENT when the backend says so or, saying nothing, counts the mail as
    sent.
    """
    if not recipients:
        return {}
    try:
        connection = mail.get_connection()
    except Exception as error:  # whatever a stranger's constructor makes of the settings
        return dict.fromkeys(recipients, outcome_of_error(error, "settings"))
    if isinstance(connection, EmailBackend):
        return connection.deliver(envelope_from, recipients, raw, deadline=deadline)
    return _through_django(connection, raw, envelope_from, recipients, Deadline(deadline))


def _through_django(
    connection: Any, raw: bytes, envelope_from: str, recipients: Sequence[str], deadline: Deadline
) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}
    size = RECIPIENTS_PER_CALL if hasattr(connection, "esp_name") else len(recipients)
    for first in range(0, len(recipients), size):
        batch = recipients[first : first + size]
        if deadline.left > 0:
            _shorten_timeout(connection, deadline.left)
            outcomes |= _one_call(connection, raw, envelope_from, batch)
        else:
            outcomes |= dict.fromkeys(
                batch, Outcome(SendStatus.DEFERRED, "the time allowed is over")
            )
    return outcomes


def _shorten_timeout(connection: Any, seconds: float) -> None:
    if hasattr(connection, "timeout"):
        given = connection.timeout
        connection.timeout = min(given, seconds) if isinstance(given, int | float) else seconds


def _one_call(
    connection: Any, raw: bytes, envelope_from: str, recipients: Sequence[str]
) -> dict[str, Outcome]:
    backend = type(connection).__module__
    message: FrozenEmail | None = None
    known: dict[str, Outcome] = {}
    try:
        message = FrozenEmail(raw, recipients=recipients, envelope_from=envelope_from)
        rest = Outcome(SendStatus.SENT, f"accepted by {backend}")
        if not _send_in_some_form(connection, message):
            rest = Outcome(SendStatus.REFUSED, f"{backend} sent nothing, and gave no reason")
    except (
        Exception
    ) as error:  # a stranger's code: whatever it raises is an answer about these recipients
        rest = outcome_of_error(error, backend)
        known = refused_recipients(error)
    statuses = reported_statuses(message)
    if statuses and rest.status is SendStatus.SENT:
        rest = Outcome(SendStatus.UNKNOWN, "the mail provider says nothing about this recipient")
    known |= statuses
    return {address: known.get(address.casefold(), rest) for address in recipients}


def _send_in_some_form(connection: Any, message: FrozenEmail) -> int | None:
    """Send in the first form that the backend can express; what ``send_messages`` returned.

    A provider's backend refuses what its API cannot say before it talks to the API. Asked to ignore
    what is unsupported, it would drop the calendar silently: that wish is granted only once the
    calendar is attached.
    """
    lenient = getattr(connection, "ignore_unsupported_features", False)
    if lenient:
        connection.ignore_unsupported_features = False
    try:
        for _ in _forms(message):
            try:
                return _send(connection, message)
            except Exception as error:
                if not is_a(error, "AnymailUnsupportedFeature"):
                    raise
                refusal = error
        if not lenient:
            raise refusal
        connection.ignore_unsupported_features = True
        return _send(connection, message)
    finally:
        if lenient:
            connection.ignore_unsupported_features = True


def _send(connection: Any, message: FrozenEmail) -> int | None:
    count: int | None = connection.send_messages([message])
    return count


def _forms(message: FrozenEmail) -> Iterator[None]:
    """``message`` as it is, then with less and less of what providers' APIs often lack."""
    yield
    if "From" in message.extra_headers:
        message.without_envelope_sender()
        yield
    message.with_calendar_attached()
    trouble.report(
        "backend:calendar-attached",
        "the e-mail backend cannot send text/calendar as an alternative: it goes as an attachment, which may show no"
        " Accept and Decline buttons",
        level=logging.WARNING,
    )
    yield
