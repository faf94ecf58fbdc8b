"""Send: a new meeting, SEQUENCE 0, and its REQUEST to everybody on the list."""

from datetime import datetime

from django.db import transaction

from meetings.deadline import Deadline
from meetings.itip import organizer
from meetings.itip.event import Event
from meetings.models import ApiKey, Delivery, Meeting
from meetings.operations.steps.deliver import deliver_or_leave, retry_failed
from meetings.operations.steps.errors import Conflict
from meetings.operations.steps.store import store_plan
from meetings.operations.steps.turn import reserve, turn
from meetings.queries.standing import Receipt, newest_deliveries, receipt_for


def send_meeting(
    *, wanted: Event, key: ApiKey | None, asked_by: str, language: str, now: datetime, budget: float
) -> Receipt:
    """Store ``wanted`` and mail its REQUEST, within ``budget`` seconds of mailing; ``now`` is
    aware.

    Idempotent by uid: the same content again sends nothing to those who have it and tries those who
    have not. Raises Conflict for a uid that exists with other content, NoAttendees,
    ZoneNotExpressible.
    """
    deadline = Deadline(budget)
    with turn(wanted.uid, deadline) as mine:
        with transaction.atomic():
            reserve(wanted.uid)
            held = Meeting.objects.select_for_update().filter(uid=wanted.uid).first()
            again: list[Delivery] = []
            if held is None:
                meeting = Meeting(api_key=key, language=language)
                plan = organizer.send(wanted, now=now)
                event = plan.event
                outgoing = store_plan(meeting, plan, asked_by=asked_by, claimed=mine)
            else:
                meeting = held
                event = _repeated(held, wanted, key)
                again = newest_deliveries(held)
                outgoing = retry_failed(again, mine=mine)
        deliver_or_leave(outgoing, deadline, mine=mine, again=again)
        return receipt_for(meeting, event)


def _repeated(held: Meeting, wanted: Event, key: ApiKey | None) -> Event:
    """The held event, which says what ``wanted`` says."""
    event = held.event()
    if held.api_key_id != (key and key.prefix) or not organizer.same_content(event, wanted):
        raise Conflict(
            "uid",
            "This uid is in use by a meeting with other content: change it with update, or send a new uid.",
        )
    if held.is_cancelled:
        raise Conflict(
            "uid", "This meeting was cancelled, which is final: send it under a new uid."
        )
    return event
