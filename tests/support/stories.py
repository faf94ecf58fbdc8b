"""The operations, called as an interface calls them, on Alice's meeting of the cast.

It is far ahead, on Monday, 1 March 2032: of what is over nobody is told.
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from meetings.deadline import Deadline
from meetings.itip.edit import Edit
from meetings.itip.moment import Moment
from meetings.models import Client
from meetings.operations.cancel_meeting import cancel_meeting
from meetings.operations.resend import resend
from meetings.operations.send_meeting import send_meeting
from meetings.operations.split_series import split_series
from meetings.operations.steps.call import Actor, Cancel, Resend, Send, Update
from meetings.operations.update_meeting import update_meeting
from meetings.queries.standing import Standing
from tests.support.cast import meeting

UID = meeting().uid
MONDAY, SECOND, THIRD = (datetime(2032, 3, day, 10) for day in (1, 8, 15))
_HR_SYSTEM = 1_000_000


def hr_system() -> Actor:
    """The program that calls. Its client is made when it is first needed, once for all threads."""
    client, _ = Client.objects.get_or_create(pk=_HR_SYSTEM, defaults={"name": "HR system"})
    return Actor(name="key HR system", client=client)


def send(*, language: str = "en", budget: float | None = None, **changes: Any) -> Standing:
    """Send the meeting with ``changes``."""
    times = {"start": MONDAY, "end": MONDAY.replace(hour=11)}
    command = Send(event=meeting(**(times | changes)), language=language)
    return send_meeting(command, hr_system(), **_when(budget))


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
    return story(command, hr_system(), **_when(budget))


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
    return story(command, hr_system(), **_when(budget))


def send_again(uid: str = UID, **options: Any) -> Standing:
    """Mail the current version of the meeting once more."""
    return resend(
        Resend(uid=uid, **options), hr_system(), deadline=Deadline(settings.MEETINGS_TIME_BUDGET)
    )


def recipients(standing: Standing) -> dict[str, str]:
    """The state of each person, by address."""
    return {person.attendee.address: person.state.value for person in standing.people}


def _moment(occurrence: datetime | None) -> Moment | None:
    return None if occurrence is None else Moment(occurrence)


def _when(budget: float | None) -> dict[str, Any]:
    seconds = settings.MEETINGS_TIME_BUDGET if budget is None else budget
    return {"now": timezone.now(), "deadline": Deadline(seconds)}
