"""Update: change the stored meeting or one occurrence of it, SEQUENCE + 1, and tell its people."""

from datetime import datetime

from django.db import transaction

from meetings.deadline import Deadline
from meetings.itip import organizer
from meetings.itip.edit import apply
from meetings.itip.event import Event
from meetings.itip.message import Version
from meetings.itip.occurrence import occurrence_of
from meetings.operations.steps.call import Actor, Update
from meetings.operations.steps.deliver import deliver_or_leave
from meetings.operations.steps.lock import (
    lock_for_change,
    meant_occurrence,
    require_not_cancelled,
)
from meetings.operations.steps.store import store_version
from meetings.operations.steps.turn import turn
from meetings.queries.standing import Standing, standing_of


def update_meeting(command: Update, actor: Actor, *, now: datetime, deadline: Deadline) -> Standing:
    """Apply the command's edit and mail the result until ``deadline``; ``now`` is aware.

    People who left the list get a CANCEL first. Raises UnknownMeeting, SenderNotPermitted,
    OrganizerMismatch, Conflict for a cancelled meeting, OccurrenceCancelled, NoAttendees,
    InvalidProperty.
    """
    with turn(actor.turn_on(command.uid), deadline) as mine:
        with transaction.atomic():
            meeting, stored = lock_for_change(actor, command)
            require_not_cancelled(stored)
            meeting.language = command.language or meeting.language
            version = _decide(command, stored, now, meeting.dtstamp)
            outgoing = store_version(meeting, version, stored, actor=actor, claimed=mine)
        # Outside the transaction, by this one indent. Inside it, mail could leave for a version
        # that is rolled back, and the row would be locked for as long as the mail server takes.
        deliver_or_leave(outgoing, deadline, mine=mine)
        return standing_of(meeting, version.event, notes=version.notes)


def _decide(command: Update, stored: Event, now: datetime, last_dtstamp: datetime) -> Version:
    if command.occurrence is None:
        edited = apply(command.edit, stored)
        version = organizer.update(stored, edited.event, now=now, last_dtstamp=last_dtstamp)
        return version.with_notes(edited.notes)
    when = meant_occurrence(stored, command.occurrence)
    edited = apply(command.edit, occurrence_of(stored, when))
    version = organizer.update_occurrence(
        stored, when, edited.event, now=now, last_dtstamp=last_dtstamp
    )
    return version.with_notes(edited.notes)
