"""Send: a new meeting, SEQUENCE 0, and its REQUEST to everybody on the list."""

import secrets
from dataclasses import replace
from datetime import datetime
from functools import partial

from meetings.deadline import Deadline
from meetings.itip import organizer
from meetings.itip.changes import same_content
from meetings.itip.event import Event
from meetings.itip.ical.zone import require_expressible
from meetings.models.outbox.look import Look
from meetings.models.outbox.plan import NewMeeting
from meetings.operations.steps.call import Actor, Send
from meetings.operations.steps.errors import Conflict
from meetings.operations.steps.outcome import standing_after
from meetings.operations.steps.plan import Decision
from meetings.operations.steps.tell import Call, tell
from meetings.queries.standing import Standing

_LONGEST_UID = 246  # with random digits after it, calendars still take it (interop P5)


def send_meeting(command: Send, actor: Actor, *, now: datetime, deadline: Deadline) -> Standing:
    """Store the meeting and mail its REQUEST until ``deadline``; ``now`` is aware.

    It is idempotent by the client's uid: the same content again sends nothing to those who have it,
    and tries those who have not. Raises SenderNotPermitted, NoAttendees, ZoneNotExpressible, and
    Conflict for a uid that exists with other content.
    """
    uid = command.event.uid
    actor.require_sender(command.event.organizer.address)
    call = Call(client=actor.client, uid=uid, asked_by=actor.name, deadline=deadline)
    told = tell(call, partial(_decide, command, actor, now))
    return standing_after(uid, told, notes=command.notes)


def _decide(command: Send, actor: Actor, now: datetime, found: Look) -> Decision:
    # Decided also for the same call again: it gets the same warnings.
    version = organizer.invite(_under_free_uid(command.event, found), now=now)
    if found.stored is not None:
        _require_same_call(found.stored.event, command)
        return Decision(notes=version.notes)
    require_expressible(version.event)
    return Decision(
        version=version,
        new=NewMeeting(client=actor.client, uid=command.event.uid),
        language=command.language,
        notes=version.notes,
    )


def _under_free_uid(event: Event, found: Look) -> Event:
    """The event, with another UID if calendars know another client's meeting by this one."""
    if not found.uid_is_taken or found.stored is not None:
        return event
    return replace(event, uid=f"{event.uid[:_LONGEST_UID]}-{secrets.token_hex(4)}")


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
