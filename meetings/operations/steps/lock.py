"""Lock the meeting that a call is about, and ask whether the caller may change it."""

from datetime import datetime

from meetings.itip.event import Event
from meetings.itip.guests import require_organizer
from meetings.itip.moment import Moment
from meetings.itip.occurrence import find_occurrence, require_occurrence
from meetings.models import Meeting
from meetings.operations.steps.call import Actor, Change
from meetings.operations.steps.errors import Conflict, UnknownMeeting


def lock_meeting(actor: Actor, uid: str) -> Meeting:
    """Return the meeting ``uid``, its row locked until the transaction ends.

    Raises UnknownMeeting where the actor may not know of it.
    """
    meeting = actor.meetings.select_for_update().filter(uid=uid).first()
    if meeting is None:
        raise UnknownMeeting(uid)
    return meeting


def lock_for_change(actor: Actor, command: Change) -> tuple[Meeting, Event]:
    """Lock the meeting that ``command`` is about, for an actor who may change it.

    Return its row and the stored event. Raises UnknownMeeting, SenderNotPermitted,
    OrganizerMismatch.
    """
    if command.sender is not None:
        actor.require_sender(command.sender)
    meeting = lock_meeting(actor, command.uid)
    stored = meeting.event()
    actor.require_sender(stored.organizer.address)
    if command.sender is not None:
        require_organizer(stored, command.sender)
    return meeting, stored


def require_not_cancelled(stored: Event) -> None:
    """Raise Conflict for a cancelled meeting.

    Its uid is never used again (RFC 5546 §3.2.5, interop S8).
    """
    if stored.is_cancelled:
        message = "This meeting was cancelled, which is final: send a new one under a new uid."
        raise Conflict("uid", message)


def meant_occurrence(series: Event, moment: Moment) -> datetime:
    """Return the wall-clock start that the rule gives the occurrence at ``moment``.

    Raises InvalidProperty where there is none, OccurrenceCancelled where it was cancelled.
    """
    when = find_occurrence(series, moment)
    require_occurrence(series, when)
    return when
