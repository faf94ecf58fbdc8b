"""What a command prints: a line for each recipient, and an exit code that a script can trust."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError, InterfaceError

from meetings.deadline import Deadline
from meetings.itip.errors import ITipError
from meetings.operations.steps.errors import OperationError, UnknownMeeting
from meetings.queries.standing import PersonStanding, PersonState, Standing

_SECONDS = 60.0
_TOLD = PersonState.TOLD

EXIT_CODE = "Exit code 1: somebody who was to be told is neither told nor queued."
"""The rule of ``print_standing``, for the help of a command."""


def command_deadline() -> Deadline:
    """How long a command may take for mailing. Nobody waits for it but an operator."""
    return Deadline(_SECONDS)


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


def print_standing(standing: Standing, write: Callable[[str], object]) -> None:
    """Print how things stand with each person whom the command tells something.

    Raises CommandError if somebody of them is neither told nor queued.
    """
    if standing.is_paused and standing.pending:
        write("Mail is paused, so nothing leaves before: manage.py resume.")
    elif standing.server_is_closed and standing.pending:
        write("The mail server takes no mail at present, so what is queued waits for it.")
    asked = standing.asked_people
    for person in asked:
        write(_line(person))
    if not asked:
        write("Nobody has to be told anything, so no mail was sent.")
    if failed := [
        person for person in asked if person.state is not _TOLD and not person.is_pending
    ]:
        told = sum(person.state is _TOLD for person in asked)
        queued = len(asked) - told - len(failed)
        raise CommandError(
            f"told {told}, queued {queued}, not told {len(failed)}: {_replies(failed)}"
        )


def _replies(failed: Sequence[PersonStanding]) -> str:
    """Each reply once, in the order of the people."""
    replies = dict.fromkeys(person.reply or "no reason given" for person in failed)
    return "; ".join(replies)


def _line(person: PersonStanding) -> str:
    line = f"{person.state:<12}{person.attendee.address}"
    if person.state is not PersonState.TOLD and person.reply:
        line += f": {person.reply}"
    # Of a person who has been told, or was given up, it is the time of a try that is over.
    if person.state is PersonState.QUEUED and person.next_try:
        line += f" (next try at {person.next_try:%Y-%m-%d %H:%M:%S} UTC)"
    return line
