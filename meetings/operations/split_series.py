"""This and future: the old series ends before an occurrence, the rest goes on under a new uid
(interop R14).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from meetings.deadline import Deadline
from meetings.itip import organizer
from meetings.itip.event import Event
from meetings.itip.occurrence import carried_over, require_occurrence, split
from meetings.models import Meeting
from meetings.models.meeting import MeetingQuerySet
from meetings.operations.steps.deliver import deliver_or_leave
from meetings.operations.steps.revise import require_not_cancelled
from meetings.operations.steps.store import store_plan
from meetings.operations.steps.turn import hold, turn
from meetings.queries.standing import Receipt, receipt_for


def split_series(
    *,
    uid: str,
    among: MeetingQuerySet,
    locate: Callable[[Event], datetime],
    change: Callable[[Event], Event] | None,
    asked_by: str,
    language: str | None,
    now: datetime,
    budget: float,
    consent: Callable[[Event], None] = lambda held: None,
) -> Receipt:
    """End the series ``uid`` before the occurrence that ``locate`` finds, and go on with ``change``
    applied.

    Without ``change`` nothing goes on: this and all later occurrences are over, which the REQUEST
    for the shortened series says. Raises what update_meeting raises, and Conflict for the first
    occurrence: there nothing is to split.
    """
    deadline = Deadline(budget)
    with turn(uid, deadline) as mine:
        with transaction.atomic():
            meeting = hold(among, uid)
            held = meeting.event()
            consent(held)
            require_not_cancelled(meeting)
            meeting.language = language or meeting.language
            when = locate(held)
            require_occurrence(held, when)
            ended, rest = split(held, when)
            plan = organizer.shorten(held, ended, now=now, last_dtstamp=meeting.dtstamp)
            outgoing = store_plan(meeting, plan, asked_by=asked_by, claimed=mine)
            continued = None
            if change is not None:
                continued = Meeting(
                    api_key_id=meeting.api_key_id, language=meeting.language, continues=meeting
                )
                rest = replace(rest, uid=str(uuid4()))
                wanted = carried_over(rest, change(rest))
                outgoing += store_plan(
                    continued, organizer.send(wanted, now=now), asked_by=asked_by, claimed=mine
                )
        deliver_or_leave(outgoing, deadline, mine=mine)
        return receipt_for(meeting, plan.event, continued)
