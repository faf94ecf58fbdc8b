"""Resend: the current version once more (RFC 5546 §3.2.2.7).

It has the same SEQUENCE, a newer DTSTAMP and a new Message-ID.
"""

from datetime import datetime

from django.db import transaction

from meetings.addresses import address_key
from meetings.deadline import Deadline
from meetings.itip import organizer
from meetings.models import DeliveryState, Meeting
from meetings.operations.steps.call import Actor, Resend
from meetings.operations.steps.deliver import deliver_or_leave
from meetings.operations.steps.errors import Conflict
from meetings.operations.steps.lock import lock_meeting
from meetings.operations.steps.store import store_resend
from meetings.operations.steps.turn import turn
from meetings.queries.standing import Standing, newest_deliveries, standing_of


def resend(command: Resend, actor: Actor, *, now: datetime, deadline: Deadline) -> Standing:
    """Mail the current version again until ``deadline``; ``now`` is aware.

    Raises UnknownMeeting, and Conflict where nobody on the list is meant.
    """
    with turn(actor.turn_on(command.uid), deadline) as mine:
        with transaction.atomic():
            meeting = lock_meeting(actor, command.uid)
            stored = meeting.event()
            version = organizer.resend(
                stored,
                _address_keys(command, meeting),
                now=now,
                last_dtstamp=meeting.dtstamp,
                comment=meeting.comment,
            )
            if not version.messages:
                raise _nobody_meant(command)
            outgoing = store_resend(meeting, version, claimed=mine)
        # Outside the transaction, by this one indent. Inside it, mail could leave for a version
        # that is rolled back, and the row would be locked for as long as the mail server takes.
        deliver_or_leave(outgoing, deadline, mine=mine)
        return standing_of(meeting, stored)


def _address_keys(command: Resend, meeting: Meeting) -> set[str] | None:
    """The address keys of those who are meant; None means everybody."""
    if command.to:
        return {address_key(command.to)}
    if not command.only_failed:
        return None
    newest = newest_deliveries(meeting)
    return {each.address_key for each in newest if each.state == DeliveryState.FAILED}


def _nobody_meant(command: Resend) -> Conflict:
    if command.to:
        return Conflict("address", f"{command.to} is not on the list of this meeting.")
    return Conflict("address", "No recipient of this meeting has a failed delivery.")
