"""One more version of a stored meeting: what update and cancel, of a series or of one occurrence,
have in common.
"""

from collections.abc import Callable

from django.db import transaction

from meetings.deadline import Deadline
from meetings.itip.event import Event
from meetings.itip.organizer import Plan
from meetings.models import Meeting
from meetings.models.meeting import MeetingQuerySet
from meetings.operations.steps.deliver import deliver_or_leave, retry_failed
from meetings.operations.steps.errors import Conflict
from meetings.operations.steps.store import store_plan
from meetings.operations.steps.turn import hold, turn
from meetings.queries.standing import Receipt, newest_deliveries, receipt_for

Decide = Callable[[Meeting, Event], Plan | None]


def revise(
    *, uid: str, among: MeetingQuerySet, decide: Decide, asked_by: str, budget: float
) -> Receipt:
    """Take a turn, lock the meeting ``uid`` of ``among``, let ``decide`` plan, store, deliver in
    ``budget`` seconds.

    ``decide`` may prepare the row that is stored. Where it returns None the call is a repetition:
    no new version, and those whose mail failed are tried again. Raises UnknownMeeting, and what
    ``decide`` raises.
    """
    deadline = Deadline(budget)
    with turn(uid, deadline) as mine:
        with transaction.atomic():
            meeting = hold(among, uid)
            held = meeting.event()
            plan = decide(meeting, held)
            again = [] if plan else newest_deliveries(meeting)
            outgoing = (
                store_plan(meeting, plan, asked_by=asked_by, claimed=mine)
                if plan
                else retry_failed(again, mine=mine)
            )
        deliver_or_leave(outgoing, deadline, mine=mine, again=again)
        return receipt_for(meeting, plan.event if plan else held)


def require_not_cancelled(meeting: Meeting) -> None:
    """Raise Conflict for a cancelled meeting: its uid is never used again (RFC 5546 §3.2.5, interop
    S8).
    """
    if meeting.is_cancelled:
        raise Conflict(
            "uid", "This meeting was cancelled, which is final: send a new one under a new uid."
        )
