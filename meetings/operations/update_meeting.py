"""Update: change the stored meeting or one occurrence of it, SEQUENCE + 1, and tell its people."""

from datetime import datetime
from functools import partial

from django.conf import settings

from meetings.deadline import Deadline
from meetings.itip import organizer
from meetings.itip.changes import says_nothing_new
from meetings.itip.edit import apply
from meetings.itip.event import Event
from meetings.itip.ical.zone import require_expressible
from meetings.itip.message import Version
from meetings.itip.occurrence import occurrence_of
from meetings.models.outbox.look import Look, Stored
from meetings.operations.steps.call import (
    Actor,
    Update,
    meant_occurrence,
    require_not_cancelled,
    stored_for_change,
)
from meetings.operations.steps.outcome import standing_after
from meetings.operations.steps.plan import Decision
from meetings.operations.steps.tell import Call, tell
from meetings.queries.standing import Standing

_TIMES = frozenset({"start", "end", "tzid", "recurrence"})


def update_meeting(command: Update, actor: Actor, *, now: datetime, deadline: Deadline) -> Standing:
    """Apply the command's edit and mail the result until ``deadline``; ``now`` is aware.

    People who left the list get a CANCEL. The same call again, of a version that nobody was told
    of, is no new version. Raises UnknownMeeting, SenderNotPermitted, OrganizerMismatch, Conflict
    for a cancelled meeting, OccurrenceCancelled, NoAttendees, InvalidProperty.
    """
    call = Call(client=actor.client, uid=command.uid, asked_by=actor.name, deadline=deadline)
    return standing_after(command.uid, tell(call, partial(_decide, command, actor, now)))


def _decide(command: Update, actor: Actor, now: datetime, found: Look) -> Decision:
    stored = stored_for_change(found, actor, command)
    require_not_cancelled(stored.event)
    version = _version(command, stored.event, now)
    if says_nothing_new(stored.event, version.event) and _nobody_was_told(stored):
        return Decision(notes=version.notes)
    return Decision(version=version, language=command.language, notes=version.notes)


def _version(command: Update, stored: Event, now: datetime) -> Version:
    if command.occurrence is None:
        edited = apply(command.edit, stored)
        version = organizer.update(stored, edited.event, now=now).with_notes(edited.notes)
        changed = version.event
    else:
        when = meant_occurrence(stored, command.occurrence)
        most = settings.MEETINGS_MAX_CHANGED_OCCURRENCES
        version = organizer.update_occurrence(stored, when, command.edit, now=now, most=most)
        changed = occurrence_of(version.event, when)
    # A stored series whose zone got a new law can still be renamed: nobody chooses its times now.
    if command.edit.given & _TIMES:
        require_expressible(changed)
    return version


def _nobody_was_told(stored: Stored) -> bool:
    """Whether nobody has the newest version, and none of its mails may still arrive."""
    sequence = stored.event.sequence
    mails = (delivery.mail for row in stored.people for delivery in row.open)
    return not (
        any(row.person.heard(sequence) for row in stored.people)
        or any(mail.sequence == sequence for mail in mails)
    )
