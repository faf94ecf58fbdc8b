"""The one door through which composed mail leaves, whatever EMAIL_BACKEND is configured."""

from collections.abc import Callable, Iterator, Sequence

from django.core import mail

from meetings.deadline import Deadline
from meetings.transport.outcome import Outcome
from meetings.transport.smtp.backend import EmailBackend
from meetings.transport.third_party.backend import Permit, send_through
from meetings.transport.third_party.reports import outcome_of_error


def send(
    raw: bytes,
    *,
    envelope_from: str,
    recipients: Sequence[str],
    deadline: Deadline,
    may_finish: Callable[[], bool],
) -> Iterator[dict[str, Outcome]]:
    """Mail ``raw`` to ``recipients`` until ``deadline``, and yield what became of it.

    Yields the outcomes of each SMTP transaction as soon as it has ended, and before those the
    outcomes of addresses that no command can carry. Each recipient is in one of them. The next
    transaction begins when the next outcomes are asked for, so that the caller can record these
    first, or stop. Raises nothing.

    ``envelope_from`` is the address for bounces, empty for the null path. ``may_finish`` is asked
    right before each final dot. If it says no, the dot is not sent, and the outcome is DEFERRED. It
    must not raise.

    A backend that is not ours limits each wait rather than all of them, and only if it has a
    ``timeout``. It may count the mail as sent and say nothing about single recipients. Then all of
    them are SENT. A call of it cannot be stopped, so ``may_finish`` is asked before the call.
    """
    if not recipients:
        return
    try:
        backend = mail.get_connection()
    except Exception as error:  # another project's constructor may raise anything
        yield dict.fromkeys(recipients, outcome_of_error(error, "settings"))
        return
    if isinstance(backend, EmailBackend):
        yield from backend.deliver(
            envelope_from, recipients, raw, deadline=deadline, may_finish=may_finish
        )
    else:
        permit = Permit(deadline, may_finish)
        yield from send_through(backend, raw, envelope_from, recipients, permit)
