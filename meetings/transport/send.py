"""The one door through which composed mail leaves, whatever EMAIL_BACKEND is configured."""

from collections.abc import Callable, Iterator, Sequence

from django.conf import settings
from django.core import mail
from django.core.mail.backends import smtp
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.module_loading import import_string

from meetings.transport.outcome import Outcome
from meetings.transport.smtp.backend import EmailBackend
from meetings.transport.smtp.pool import (
    close_kept_connections,
    connections_allowed,
    connections_in_use,
    interrupt,
    mails_without_reply,
    make_way,
    say_served_ago,
    wait_for_news,
)
from meetings.transport.third_party.backend import send_through
from meetings.transport.third_party.reports import outcome_of_error

__all__ = [
    "close_kept_connections",
    "connections_allowed",
    "connections_in_use",
    "interrupt",
    "mails_without_reply",
    "make_way",
    "say_served_ago",
    "send",
    "sends_by_smtp",
    "wait_for_news",
]


def send(
    raw: bytes,
    *,
    envelope_from: str,
    recipients: Sequence[str],
    may_finish: Callable[[], bool],
    is_served_elsewhere: Callable[[], bool] = lambda: False,
) -> Iterator[dict[str, Outcome]]:
    """Mail ``raw`` to ``recipients``, and yield what became of it.

    Yields the outcomes of each SMTP transaction as soon as it has ended, and before those the
    outcomes of addresses that no command can carry. Each recipient is in one of them. The next
    transaction begins when the next outcomes are asked for, so that the caller can record these
    first, or stop. Between two of them no connection is in use. Raises nothing.

    A transaction has MEETINGS_SMTP_DEADLINE seconds until its final dot, and each wait in it
    EMAIL_TIMEOUT. The reply to the dot has MEETINGS_SMTP_LAST_REPLY seconds after that. Recipients
    for whom the server has no room (452, 552) follow at once, if it has just taken others.

    ``envelope_from`` is the address for bounces, empty for the null path. ``may_finish`` is asked
    right before each final dot. If it says no, the dot is not sent, and the outcome is DEFERRED. It
    must not raise.

    A server that refuses a session while it bears others of this process has shown how many it
    bears. The mail waits for one of them, until its deadline. Where this process has none,
    ``is_served_elsewhere`` is asked whether others have them all; it must not raise.

    A backend that is not ours limits each wait rather than all of them, and only if it has a
    ``timeout``. It may count the mail as sent and say nothing about single recipients. Then all of
    them are SENT. A call of it cannot be stopped, so ``may_finish`` is asked before the call.
    """
    if not recipients:
        return
    try:
        backend = _backend()
    except Exception as error:  # another project's constructor may raise anything
        yield dict.fromkeys(recipients, outcome_of_error(error, "settings"))
        return
    if isinstance(backend, EmailBackend):
        backend.is_served_elsewhere = is_served_elsewhere
        yield from backend.deliver(envelope_from, recipients, raw, may_finish=may_finish)
    else:
        yield from send_through(backend, raw, envelope_from, recipients, may_finish)


def sends_by_smtp() -> bool:
    """Whether the configured backend is Django's SMTP or ours, so that mail leaves as above."""
    try:
        backend = import_string(settings.EMAIL_BACKEND)
    except ImportError:
        return False
    return backend is smtp.EmailBackend or backend is EmailBackend


def _backend() -> BaseEmailBackend:
    """The configured backend, or ours for Django's SMTP.

    Django's reports a mail that some recipients were refused as sent to all, and has one word for a
    server that is silent at the greeting and one that is lost after the final dot. A subclass of it
    stays, because it is there for a reason.
    """
    backend = mail.get_connection()
    return EmailBackend() if type(backend) is smtp.EmailBackend else backend
