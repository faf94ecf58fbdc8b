"""What an operator reads after an action: one sentence for each meeting."""

from dataclasses import dataclass

from django.contrib import messages
from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext as _

from meetings.itip.errors import ITipError
from meetings.operations.steps.errors import OperationError, UnknownMeeting
from meetings.queries.standing import PersonStanding, PersonState, Standing

_NAMED = 5  # people who were not told; the meeting's page shows all of them


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence, and its level in django.contrib.messages.

    ``is_idle``: nobody was mailed, and nobody will be.
    """

    text: str
    level: int
    is_idle: bool = False


def mailed(standing: Standing, *, done: str, nobody: str) -> Notice:
    """What was ``done``, and how many people are told now, pending, or not told.

    ``nobody`` says that there is nobody to tell.
    """
    asked = standing.asked_people
    pending = [person for person in asked if person.is_pending]
    failed = [person for person in asked if person.state is PersonState.OUTSTANDING]
    counts = _counts(len(standing.told_now), len(pending), failed)
    if not counts:
        text = _("everybody had been told") if asked else nobody
        return Notice(f"{done}{text}", messages.WARNING, is_idle=True)
    if failed:
        return Notice(f"{done}{counts}", messages.ERROR)
    return Notice(f"{done}{counts}", messages.WARNING if pending else messages.SUCCESS)


def refused(error: Exception) -> Notice:
    """Why an action failed."""
    match error:
        case UnknownMeeting():
            text = _("This meeting is no longer stored.")
        case OperationError() | ITipError():
            text = str(error)
        case OperationalError() | InterfaceError():
            text = _(
                "The database is unavailable. It is not certain whether this was done."
                " Look again later."
            )
        case _:
            text = _("An unexpected error occurred. The server log has the details.")
    return Notice(text, messages.ERROR)


def _counts(told: int, pending: int, failed: list[PersonStanding]) -> str:
    parts = []
    if told:
        parts.append(_("%d told") % told)
    if pending:
        parts.append(_("%d pending") % pending)
    if failed:
        count_and_reason = {"count": len(failed), "why": _replies(failed)}
        parts.append(_("%(count)d not told: %(why)s") % count_and_reason)
    return ", ".join(parts)


def _replies(failed: list[PersonStanding]) -> str:
    no_reason = _("no reason given")
    replies = [f"{person.attendee.address}: {person.reply or no_reason}" for person in failed]
    return "; ".join(replies[:_NAMED]) + (" …" if len(replies) > _NAMED else "")
