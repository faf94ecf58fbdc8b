"""Cancel: the stored meeting or one occurrence of it, SEQUENCE + 1, and a CANCEL to its people."""

from datetime import datetime

from django.db import transaction

from meetings.deadline import Deadline
from meetings.itip import organizer
from meetings.itip.event import Event
from meetings.itip.message import Version
from meetings.itip.occurrence import find_occurrence
from meetings.models import DeliveryState, Meeting
from meetings.operations.steps.call import Actor, Cancel
from meetings.operations.steps.deliver import deliver_or_leave, retry_failed
from meetings.operations.steps.lock import (
    lock_for_change,
    meant_occurrence,
    require_not_cancelled,
)
from meetings.operations.steps.store import store_version
from meetings.operations.steps.turn import turn
from meetings.queries.standing import Standing, newest_deliveries, standing_of


def cancel_meeting(command: Cancel, actor: Actor, *, now: datetime, deadline: Deadline) -> Standing:
    """Cancel the meeting, or one occurrence, and mail it until ``deadline``; ``now`` is aware.

    A second cancel of the whole is the same call again: no new version, and only those whose CANCEL
    failed are tried. So is a second cancel of an occurrence, while some have failed and nothing
    newer is stored. Raises UnknownMeeting, SenderNotPermitted, OrganizerMismatch; for an occurrence
    also Conflict for a cancelled meeting, OccurrenceCancelled, InvalidProperty.
    """
    with turn(actor.turn_on(command.uid), deadline) as mine:
        with transaction.atomic():
            meeting, stored = lock_for_change(actor, command)
            if _is_same_call_again(command, meeting, stored):
                event, again = stored, newest_deliveries(meeting)
                outgoing = retry_failed(again, mine=mine)
            else:
                version = _decide(command, stored, now, meeting.dtstamp)
                event, again = version.event, []
                meeting.language = command.language or meeting.language
                outgoing = store_version(meeting, version, stored, actor=actor, claimed=mine)
        # Outside the transaction, by this one indent. Inside it, mail could leave for a version
        # that is rolled back, and the row would be locked for as long as the mail server takes.
        deliver_or_leave(outgoing, deadline, mine=mine, again=again)
        return standing_of(meeting, event)


def _decide(command: Cancel, stored: Event, now: datetime, last_dtstamp: datetime) -> Version:
    require_not_cancelled(stored)
    if command.occurrence is None:
        return organizer.cancel(stored, now=now, last_dtstamp=last_dtstamp, comment=command.reason)
    when = meant_occurrence(stored, command.occurrence)
    return organizer.cancel_occurrence(
        stored, when, now=now, last_dtstamp=last_dtstamp, comment=command.reason
    )


def _is_same_call_again(command: Cancel, meeting: Meeting, stored: Event) -> bool:
    if command.occurrence is None:
        return stored.is_cancelled
    if stored.is_cancelled:
        return False
    when = find_occurrence(stored, command.occurrence)
    return when in stored.cancelled and _has_failed(meeting, when)


def _has_failed(meeting: Meeting, when: datetime) -> bool:
    """Whether the newest version cancels the occurrence ``when`` and somebody was not told."""
    newest = meeting.versions.get(sequence=meeting.sequence)
    cancellation = organizer.occurrence_cancelled(when)
    if newest.changes != {name: list(texts) for name, texts in cancellation.items()}:
        return False
    deliveries = newest_deliveries(meeting)
    return any(delivery.state == DeliveryState.FAILED for delivery in deliveries)
