"""Alice's meeting of the cast, stored and mailed by the operations as a program's calls have it."""

from typing import Any

from django.conf import settings
from django.utils import timezone

from meetings.deadline import Deadline
from meetings.itip.edit import Edit
from meetings.models import Meeting
from meetings.operations.cancel_meeting import cancel_meeting
from meetings.operations.send_meeting import send_meeting
from meetings.operations.steps.call import Actor, Cancel, Send, Update
from meetings.operations.update_meeting import update_meeting
from meetings.queries.standing import Standing
from tests.support.cast import meeting

HR_SYSTEM = Actor(name="key HR system")


def do_send(**changes: Any) -> Standing:
    """Send the meeting with ``changes``."""
    command = Send(event=meeting(**changes), language=settings.MEETINGS_LANGUAGE)
    return send_meeting(command, HR_SYSTEM, now=timezone.now(), deadline=Deadline(5))


def do_update(command: Update) -> Standing:
    return update_meeting(command, HR_SYSTEM, now=timezone.now(), deadline=Deadline(5))


def do_cancel(command: Cancel) -> Standing:
    return cancel_meeting(command, HR_SYSTEM, now=timezone.now(), deadline=Deadline(5))


def sent(**changes: Any) -> Meeting:
    """The meeting with ``changes``, sent."""
    return Meeting.objects.get(uid=do_send(**changes).uid)


def updated(stored: Meeting, **changes: Any) -> Meeting:
    """``stored`` after an update of these properties."""
    do_update(Update(uid=stored.uid, edit=Edit(**changes)))
    return Meeting.objects.get(pk=stored.pk)


def cancelled(stored: Meeting) -> Meeting:
    """``stored`` after its cancellation."""
    do_cancel(Cancel(uid=stored.uid))
    return Meeting.objects.get(pk=stored.pk)
