"""Send: a new meeting, SEQUENCE 0, and its REQUEST to everybody on the list."""

from datetime import datetime

from django.db import transaction

from meetings.deadline import Deadline
from meetings.itip import organizer
from meetings.itip.changes import same_content
from meetings.itip.event import Event
from meetings.models import Delivery, Meeting
from meetings.operations.steps.call import Actor, Send
from meetings.operations.steps.deliver import deliver_or_leave, retry_failed
from meetings.operations.steps.errors import Conflict
from meetings.operations.steps.store import store_version
from meetings.operations.steps.turn import reserve, turn
from meetings.queries.standing import Standing, newest_deliveries, standing_of


def send_meeting(command: Send, actor: Actor, *, now: datetime, deadline: Deadline) -> Standing:
    """Store the meeting and mail its REQUEST until ``deadline``; ``now`` is aware.

    It is idempotent by uid: the same content again sends nothing to those who have it, and tries
    those who have not. Raises SenderNotPermitted, NoAttendees, ZoneNotExpressible, and Conflict for
    a uid that exists with other content.
    """
    wanted = command.event
    actor.require_sender(wanted.organizer.address)
    version = organizer.invite(wanted, now=now)
    event, again = version.event, list[Delivery]()
    with turn(wanted.uid, deadline) as mine:
        with transaction.atomic():
            reserve(wanted.uid)
            meeting = Meeting.objects.select_for_update().filter(uid=wanted.uid).first()
            if meeting is None:
                meeting = Meeting(client=actor.client, language=command.language)
                outgoing = store_version(meeting, version, None, actor=actor, claimed=mine)
            else:
                event = meeting.event()
                _require_same_call(meeting, event, command, actor)
                again = newest_deliveries(meeting)
                outgoing = retry_failed(again, mine=mine)
        # Outside the transaction, by this one indent. Inside it, mail could leave for a version
        # that is rolled back, and the row would be locked for as long as the mail server takes.
        deliver_or_leave(outgoing, deadline, mine=mine, again=again)
        return standing_of(meeting, event, notes=(*command.notes, *version.notes))


def _require_same_call(meeting: Meeting, stored: Event, command: Send, actor: Actor) -> None:
    """Raise Conflict unless the stored meeting is the caller's own, says the same, and goes on."""
    is_own = meeting.client_id == actor.client.pk
    if not is_own or not same_content(stored, command.event):
        message = (
            "This uid is in use by a meeting with other content: change it with update, or send a"
            " new uid."
        )
        raise Conflict("uid", message)
    if stored.is_cancelled:
        message = "This meeting was cancelled, which is final: send it under a new uid."
        raise Conflict("uid", message)
