"""Alice's meeting of the cast, stored and mailed by the operations as a program's calls have it."""

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.utils import timezone

from meetings.models import Meeting
from meetings.operations.cancel_meeting import cancel_meeting
from meetings.operations.send_meeting import send_meeting
from meetings.operations.update_meeting import update_meeting
from tests.cast import meeting

BY_PROGRAM: dict[str, Any] = {"asked_by": "key HR system", "budget": 5.0}


def sent(**changes: Any) -> Meeting:
    """The meeting with ``changes``, sent."""
    wanted = meeting(**changes)
    language = settings.MEETINGS_LANGUAGE
    send_meeting(wanted=wanted, key=None, language=language, now=timezone.now(), **BY_PROGRAM)
    return Meeting.objects.get(uid=wanted.uid)


def updated(stored: Meeting, **changes: Any) -> Meeting:
    """``stored`` after an update."""
    update_meeting(
        uid=stored.uid,
        among=Meeting.objects.all(),
        change=lambda held: replace(held, **changes),
        language=None,
        now=timezone.now(),
        **BY_PROGRAM,
    )
    return Meeting.objects.get(pk=stored.pk)


def cancelled(stored: Meeting) -> Meeting:
    """``stored`` after its cancellation."""
    cancel_meeting(uid=stored.uid, among=Meeting.objects.all(), now=timezone.now(), **BY_PROGRAM)
    return Meeting.objects.get(pk=stored.pk)
