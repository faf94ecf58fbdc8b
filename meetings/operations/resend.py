"""Resend: the current version once more; same SEQUENCE, newer DTSTAMP, new Message-ID (RFC 5546
§3.2.2.7).
"""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from meetings.addresses import address_key
from meetings.deadline import Deadline
from meetings.itip import organizer
from meetings.itip.event import Attendee
from meetings.models import DeliveryState, Meeting
from meetings.models.meeting import MeetingQuerySet
from meetings.operations.steps.deliver import deliver_or_leave
from meetings.operations.steps.errors import Conflict
from meetings.operations.steps.store import store_resend
from meetings.operations.steps.turn import hold, turn
from meetings.queries.standing import Receipt, newest_deliveries, receipt_for


def resend(
    *,
    uid: str,
    among: MeetingQuerySet,
    now: datetime,
    budget: float,
    address: str = "",
    only_failed: bool = False,
) -> Receipt:
    """Mail the current version of the meeting ``uid``, one of ``among``, again.

    To everybody on its list, or to ``address`` alone, or to those alone whose newest delivery
    failed. Raises UnknownMeeting, and Conflict when nobody on the list fits.
    """
    deadline = Deadline(budget)
    with turn(uid, deadline) as mine:
        with transaction.atomic():
            meeting = hold(among, uid)
            held = meeting.event()
            plan = organizer.resend(
                held,
                fits=_chosen(meeting, address=address, only_failed=only_failed),
                cancelled=meeting.is_cancelled,
                now=now,
                last_dtstamp=meeting.dtstamp,
                comment=meeting.comment,
            )
            if not plan.messages:
                who = (
                    f"{address} is not on the list"
                    if address
                    else "Nobody on the list has a failed delivery"
                )
                raise Conflict("address", f"{who} of this meeting.")
            outgoing = store_resend(meeting, plan, claimed=mine)
        deliver_or_leave(outgoing, deadline, mine=mine)
        return receipt_for(meeting, held)


def _chosen(meeting: Meeting, *, address: str, only_failed: bool) -> Callable[[Attendee], bool]:
    if address:
        return lambda attendee: address_key(attendee.address) == address_key(address)
    if only_failed:
        newest = newest_deliveries(meeting)
        failed = {
            delivery.address_key for delivery in newest if delivery.state == DeliveryState.FAILED
        }
        return lambda attendee: address_key(attendee.address) in failed
    return lambda attendee: True
