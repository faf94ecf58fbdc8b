"""Update: load the stored meeting, change it or one occurrence, SEQUENCE + 1, REQUEST to everybody
it concerns.
"""

from collections.abc import Callable
from datetime import datetime

from meetings.itip import organizer
from meetings.itip.event import Event
from meetings.itip.occurrence import occurrence_of, require_occurrence
from meetings.itip.organizer import Plan
from meetings.models import Meeting
from meetings.models.meeting import MeetingQuerySet
from meetings.operations.steps.revise import require_not_cancelled, revise
from meetings.queries.standing import Receipt


def update_meeting(
    *,
    uid: str,
    among: MeetingQuerySet,
    change: Callable[[Event], Event],
    asked_by: str,
    language: str | None,
    now: datetime,
    budget: float,
    locate: Callable[[Event], datetime] | None = None,
) -> Receipt:
    """Apply ``change`` to the stored event, one of ``among``, and mail the result within ``budget``
    seconds.

    Whoever left the list gets a CANCEL first. ``locate`` finds the wall-clock start of the one
    occurrence that is meant. ``language`` None keeps the meeting's. Raises UnknownMeeting, Conflict
    after a cancellation, NoAttendees, OrganizerMismatch, OccurrenceCancelled, InvalidProperty, and
    what ``change`` raises.
    """

    def decide(meeting: Meeting, held: Event) -> Plan:
        require_not_cancelled(meeting)
        meeting.language = language or meeting.language
        if locate is None:
            return organizer.update(held, change(held), now=now, last_dtstamp=meeting.dtstamp)
        when = locate(held)
        require_occurrence(held, when)
        wanted = change(occurrence_of(held, when))
        return organizer.update_occurrence(
            held, when, wanted, now=now, last_dtstamp=meeting.dtstamp
        )

    return revise(uid=uid, among=among, decide=decide, asked_by=asked_by, budget=budget)
