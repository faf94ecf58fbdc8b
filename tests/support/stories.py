"""The operations, called as an interface calls them, on Alice's meeting of the cast."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from meetings.deadline import Deadline
from meetings.itip.edit import Edit
from meetings.itip.moment import Moment
from meetings.operations.cancel_meeting import cancel_meeting
from meetings.operations.resend import resend
from meetings.operations.send_meeting import send_meeting
from meetings.operations.split_series import split_series
from meetings.operations.steps.call import Actor, Cancel, Resend, Send, Update
from meetings.operations.update_meeting import update_meeting
from meetings.queries.standing import Standing
from tests.support.cast import meeting

HR_SYSTEM = Actor(name="key HR system")
UID = meeting().uid


def send(*, language: str = "en", budget: float | None = None, **changes: Any) -> Standing:
    """Send the meeting with ``changes``."""
    command = Send(event=meeting(**changes), language=language)
    return send_meeting(command, HR_SYSTEM, **_when(budget))


def queue(uid: str = UID) -> Standing:
    """Send the meeting, and leave its mail to the background."""
    return send(uid=uid, budget=0)


def update(
    uid: str = UID,
    *,
    occurrence: datetime | None = None,
    and_future: bool = False,
    budget: float | None = None,
    **changes: Any,
) -> Standing:
    """Update the meeting, one ``occurrence`` of it, or also the later ones, with ``changes``."""
    command = Update(
        uid=uid, edit=Edit(**changes), occurrence=_moment(occurrence), and_future=and_future
    )
    story = split_series if and_future else update_meeting
    return story(command, HR_SYSTEM, **_when(budget))


def cancel(
    uid: str = UID,
    *,
    occurrence: datetime | None = None,
    and_future: bool = False,
    reason: str = "",
    budget: float | None = None,
) -> Standing:
    """Cancel the meeting, one ``occurrence`` of it, or also the later ones."""
    command = Cancel(uid=uid, reason=reason, occurrence=_moment(occurrence), and_future=and_future)
    story = split_series if and_future else cancel_meeting
    return story(command, HR_SYSTEM, **_when(budget))


def send_again(uid: str = UID, **options: Any) -> Standing:
    """Mail the current version of the meeting once more."""
    return resend(Resend(uid=uid, **options), HR_SYSTEM, **_when(None))


def _moment(occurrence: datetime | None) -> Moment | None:
    return None if occurrence is None else Moment(occurrence)


def _when(budget: float | None) -> dict[str, Any]:
    seconds = settings.MEETINGS_TIME_BUDGET if budget is None else budget
    return {"now": timezone.now(), "deadline": Deadline(seconds)}
