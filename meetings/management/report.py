"""What a command did, on the terminal: one line for each recipient, and an exit code that a script
can trust.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError, InterfaceError

from meetings.itip.errors import ITipError
from meetings.models import Delivery, DeliveryState, Meeting
from meetings.operations.steps.errors import Conflict, UnknownMeeting
from meetings.queries.standing import newest_deliveries


def command_budget() -> float:
    """Seconds of mailing: nobody waits behind a time-out, so as long as the claims on the mails
    hold.
    """
    return float(
        max(
            settings.MEETINGS_TIME_BUDGET, settings.MEETINGS_LEASE - settings.MEETINGS_SMTP_DEADLINE
        )
    )


@contextmanager
def refusals_as_command_errors() -> Iterator[None]:
    """One sentence and exit code 1 in place of a traceback, for what an operator can bring about."""
    try:
        yield
    except UnknownMeeting as error:
        raise CommandError(f"No meeting has the uid {error.uid}.") from error
    except Conflict as error:
        raise CommandError(error.message) from error
    except ITipError as error:
        raise CommandError(str(error)) from error
    except (DatabaseError, InterfaceError) as error:
        raise CommandError(f"The database is away: {error}") from error


def print_outcome(uid: str, write: Callable[[str], object]) -> None:
    """``write`` a line for each recipient of the meeting's newest mail. Raises CommandError when it
    failed for some.
    """
    meeting = Meeting.objects.get(uid=uid)
    # A resend goes to some people only: those who are not concerned have a message with an older
    # DTSTAMP.
    mailed = [
        delivery
        for delivery in newest_deliveries(meeting)
        if delivery.mail.dtstamp == meeting.dtstamp
    ]
    for delivery in mailed:
        write(_line(delivery))
    if not mailed:
        write("Nobody had received the invitation, so there was nobody to tell.")
    failed = sum(delivery.state == DeliveryState.FAILED for delivery in mailed)
    if failed:
        raise CommandError(f"The mail was not accepted for {failed} of {len(mailed)} recipients.")


def _line(delivery: Delivery) -> str:
    words = (
        f": {delivery.last_reply}"
        if delivery.last_reply and delivery.state != DeliveryState.SENT
        else ""
    )
    return f"{delivery.state:<8}{delivery.address}{words}"
