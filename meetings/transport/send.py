"""The one door through which composed mail leaves, whatever EMAIL_BACKEND is configured."""

from collections.abc import Sequence

from django.core import mail

from meetings.deadline import Deadline
from meetings.transport.outcome import Outcome
from meetings.transport.smtp.backend import EmailBackend
from meetings.transport.third_party.backend import send_through
from meetings.transport.third_party.reports import outcome_of_error


def send(
    raw: bytes, *, envelope_from: str, recipients: Sequence[str], deadline: Deadline
) -> dict[str, Outcome]:
    """Mail ``raw`` to ``recipients`` until ``deadline``.

    Returns one outcome for each recipient and raises nothing. ``envelope_from`` is the address for
    bounces, empty for the null path.

    A backend that is not ours limits each wait rather than all of them, and only if it has a
    ``timeout``. It may count the mail as sent and say nothing about single recipients. Then all of
    them are SENT.
    """
    if not recipients:
        return {}
    try:
        backend = mail.get_connection()
    except Exception as error:  # another project's constructor may raise anything
        return dict.fromkeys(recipients, outcome_of_error(error, "settings"))
    if isinstance(backend, EmailBackend):
        return backend.deliver(envelope_from, recipients, raw, deadline=deadline)
    return send_through(backend, raw, envelope_from, recipients, deadline)
