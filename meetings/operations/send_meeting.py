"""Send: a new meeting, SEQUENCE 0, and its REQUEST to everybody on the list."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from meetings.deadline import Deadline
from meetings.itip import organizer
from meetings.itip.changes import same_content
from meetings.itip.event import Event
from meetings.itip.message import Version
from meetings.models import Delivery, Meeting
from meetings.operations.steps.call import Actor, Send
from meetings.operations.steps.deliver import deliver_or_leave, retry_failed
from meetings.operations.steps.errors import Conflict
from meetings.operations.steps.store import store_version
from meetings.operations.steps.turn import reserve, turn
from meetings.queries.standing import Standing, newest_deliveries, standing_of


def send_meeting(command: Send, actor: Actor, *, now: datetime, deadline: Deadline) -> Standing:
    """Store the meeting and mail its REQUEST until ``deadline``; ``now`` is aware.

    It is idempotent by the client's uid: the same content again sends nothing to those who have it,
    and tries those who have not. Raises SenderNotPermitted, NoAttendees, ZoneNotExpressible, and
    Conflict for a uid that exists with other content.
    """
    wanted = command.event
    actor.require_sender(wanted.organizer.address)
    version = organizer.invite(wanted, now=now)
    event, again = version.event, list[Delivery]()
    with turn(actor.turn_on(wanted.uid), deadline) as mine:
        with transaction.atomic():
            reserve(wanted.uid)
            meeting = actor.meetings.select_for_update().filter(uid=wanted.uid).first()
            if meeting is None:
                version = _under_free_uid(version, wanted, now)
                event = version.event
                meeting = Meeting(client=actor.client, uid=wanted.uid, language=command.language)
                outgoing = store_version(meeting, version, None, actor=actor, claimed=mine)
            else:
                event = meeting.event()
                _require_same_call(event, command)
                again = newest_deliveries(meeting)
                outgoing = retry_failed(again, mine=mine)
        # Outside the transaction, by this one indent. Inside it, mail could leave for a version
        # that is rolled back, and the row would be locked for as long as the mail server takes.
        deliver_or_leave(outgoing, deadline, mine=mine, again=again)
        return standing_of(meeting, event, notes=(*command.notes, *version.notes))


def _under_free_uid(version: Version, wanted: Event, now: datetime) -> Version:
    """The same version, with another UID if calendars know another client's meeting by this one."""
    ical_uid = Meeting.objects.free_ical_uid(wanted.uid)
    if ical_uid == wanted.uid:
        return version
    return organizer.invite(replace(wanted, uid=ical_uid), now=now)


def _require_same_call(stored: Event, command: Send) -> None:
    """Raise Conflict unless the stored meeting says the same, and goes on."""
    if not same_content(stored, command.event):
        message = (
            "This uid is in use by a meeting with other content: change it with update, or send a"
            " new uid."
        )
        raise Conflict("uid", message)
    if stored.is_cancelled:
        message = "This meeting was cancelled, which is final: send it under a new uid."
        raise Conflict("uid", message)
