"""What a command prints: a line for each recipient, and an exit code that a script can trust."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError, InterfaceError

from meetings.deadline import Deadline
from meetings.itip.errors import ITipError
from meetings.models import Delivery, DeliveryState, Meeting
from meetings.operations.steps.errors import OperationError, UnknownMeeting
from meetings.queries.current import last_deliveries


def command_deadline() -> Deadline:
    """How long a command may take for mailing.

    No HTTP client waits for a command, so only the lease of its mails sets the limit.
    """
    within_lease = settings.MEETINGS_LEASE - settings.MEETINGS_SMTP_DEADLINE
    return Deadline(max(settings.MEETINGS_TIME_BUDGET, within_lease))


@contextmanager
def refusals_as_command_errors() -> Iterator[None]:
    """Turn what an operator can bring about into one sentence and exit code 1."""
    try:
        yield
    except UnknownMeeting as error:
        raise CommandError(f"No meeting has the uid {error.uid}.") from error
    except (OperationError, ITipError) as error:
        raise CommandError(str(error)) from error
    except (DatabaseError, InterfaceError) as error:
        raise CommandError(f"The database is unavailable: {error}") from error


def print_deliveries(meeting: Meeting, write: Callable[[str], object]) -> None:
    """Print the deliveries that the command made. Raises CommandError if some failed."""
    deliveries = last_deliveries(meeting)
    for delivery in deliveries:
        write(_line(delivery))
    if not deliveries:
        write("No attendee had received the invitation, so no cancellation was sent.")
    failed = sum(delivery.state == DeliveryState.FAILED for delivery in deliveries)
    if failed:
        raise CommandError(
            f"The mail was not accepted for {failed} of {len(deliveries)} recipients."
        )


def _line(delivery: Delivery) -> str:
    line = f"{delivery.state:<8}{delivery.address}"
    if delivery.last_reply and delivery.state != DeliveryState.SENT:
        line += f": {delivery.last_reply}"
    return line
