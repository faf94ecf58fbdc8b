"""Cancel: the stored meeting or one occurrence of it, SEQUENCE + 1, and a CANCEL to its people."""

from datetime import datetime
from functools import partial

from meetings.deadline import Deadline
from meetings.itip import organizer
from meetings.itip.event import Event
from meetings.itip.message import Version
from meetings.itip.occurrence import find_occurrence
from meetings.models.outbox.look import Look
from meetings.operations.steps.call import (
    Actor,
    Cancel,
    meant_occurrence,
    require_not_cancelled,
    stored_for_change,
)
from meetings.operations.steps.outcome import standing_after
from meetings.operations.steps.plan import Decision
from meetings.operations.steps.tell import Call, tell
from meetings.queries.standing import Standing


def cancel_meeting(command: Cancel, actor: Actor, *, now: datetime, deadline: Deadline) -> Standing:
    """Cancel the meeting, or one occurrence, and mail it until ``deadline``; ``now`` is aware.

    A second cancel of the same is the same call again: no new version, and only those who were not
    told are tried. Raises UnknownMeeting, SenderNotPermitted, OrganizerMismatch; for an occurrence
    also Conflict for a cancelled meeting, OccurrenceCancelled for a day that was left out,
    InvalidProperty.
    """
    call = Call(client=actor.client, uid=command.uid, asked_by=actor.name, deadline=deadline)
    return standing_after(command.uid, tell(call, partial(_decide, command, actor)))


def _decide(command: Cancel, actor: Actor, found: Look) -> Decision:
    stored = stored_for_change(found, actor, command).event
    if _is_cancelled(command, stored):
        return Decision()
    require_not_cancelled(stored)
    return Decision(version=_version(command, stored), language=command.language)


def _is_cancelled(command: Cancel, stored: Event) -> bool:
    if command.occurrence is None:
        return stored.is_cancelled
    return find_occurrence(stored, command.occurrence) in stored.cancelled


def _version(command: Cancel, stored: Event) -> Version:
    if command.occurrence is None:
        return organizer.cancel(stored, comment=command.reason)
    when = meant_occurrence(stored, command.occurrence)
    return organizer.cancel_occurrence(stored, when, comment=command.reason)
