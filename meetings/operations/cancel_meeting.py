"""Cancel: load the stored meeting, SEQUENCE + 1, a CANCEL of it or of one occurrence to each person
who may have it.
"""

from collections.abc import Callable
from datetime import datetime

from meetings.itip import organizer
from meetings.itip.event import Event
from meetings.itip.occurrence import require_occurrence
from meetings.itip.organizer import Plan
from meetings.models import DeliveryState, Meeting, MeetingStatus
from meetings.models.meeting import MeetingQuerySet
from meetings.operations.steps.revise import require_not_cancelled, revise
from meetings.queries.standing import Receipt, newest_deliveries


def cancel_meeting(
    *,
    uid: str,
    among: MeetingQuerySet,
    asked_by: str,
    now: datetime,
    budget: float,
    comment: str = "",
    language: str | None = None,
    consent: Callable[[Event], None] = lambda held: None,
    locate: Callable[[Event], datetime] | None = None,
) -> Receipt:
    """Cancel the meeting ``uid``, one of ``among``, or one occurrence; ``comment`` is the reason,
    shown in the mail.

    A second cancel of the whole is a repetition: no new version, and only those whose CANCEL failed
    are tried again; of an occurrence it is one while some have failed and nothing newer is stored.
    ``consent`` looks at the held event and raises when the caller may not. ``locate`` finds the
    wall-clock start of the one occurrence that is meant. Raises UnknownMeeting; for an occurrence
    also Conflict after a cancellation of the whole, OccurrenceCancelled, InvalidProperty.
    """

    def decide(meeting: Meeting, held: Event) -> Plan | None:
        consent(held)
        if locate is None and meeting.is_cancelled:
            return None
        require_not_cancelled(meeting)
        meeting.language = language or meeting.language
        if locate is not None:
            when = locate(held)
            if when in held.cancelled and _has_failed(meeting, when):
                return None
            require_occurrence(held, when)
            return organizer.cancel_occurrence(
                held, when, now=now, last_dtstamp=meeting.dtstamp, comment=comment
            )
        meeting.status, meeting.comment = MeetingStatus.CANCELLED, comment
        return organizer.cancel(held, now=now, last_dtstamp=meeting.dtstamp, comment=comment)

    return revise(uid=uid, among=among, decide=decide, asked_by=asked_by, budget=budget)


def _has_failed(meeting: Meeting, when: datetime) -> bool:
    """Whether the newest version is the cancellation of the occurrence ``when``, and somebody has
    not been told.
    """
    newest = meeting.versions.get(sequence=meeting.sequence)
    if newest.changes != {"EXDATE": ["", when.isoformat(sep=" ")]}:
        return False
    return any(delivery.state == DeliveryState.FAILED for delivery in newest_deliveries(meeting))
