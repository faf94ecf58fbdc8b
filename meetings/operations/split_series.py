"""This and future: the old series ends before an occurrence, the rest goes on under a new uid.

No client understands RANGE=THISANDFUTURE (interop R14).
"""

from datetime import datetime
from functools import partial
from uuid import uuid4

from meetings.deadline import Deadline
from meetings.itip import organizer
from meetings.itip.changes import says_nothing_new
from meetings.itip.edit import apply
from meetings.itip.errors import ITipError
from meetings.itip.event import Event
from meetings.itip.ical.zone import require_expressible
from meetings.itip.moment import Moment
from meetings.itip.occurrence import find_occurrence
from meetings.models import Meeting
from meetings.models.outbox.look import Look, Stored, look_at
from meetings.models.outbox.plan import NewMeeting
from meetings.operations.steps.call import (
    Actor,
    Cancel,
    Update,
    meant_occurrence,
    require_not_cancelled,
    stored_for_change,
)
from meetings.operations.steps.outcome import standing_after
from meetings.operations.steps.plan import Decision
from meetings.operations.steps.tell import Call, tell
from meetings.queries.split import continuations, was_cut
from meetings.queries.standing import Standing


def split_series(
    command: Update | Cancel, actor: Actor, *, now: datetime, deadline: Deadline
) -> Standing:
    """End the series before the command's occurrence; ``now`` is aware.

    With an Update the rest goes on under a new uid, with the edit applied. With a Cancel nothing
    goes on: the REQUEST of the shortened series says so, with the reason. The same call again is no
    new version. Raises what the other stories raise, and InvalidProperty for the first occurrence,
    before which nothing is left.
    """
    call = Call(client=actor.client, uid=command.uid, asked_by=actor.name, deadline=deadline)
    return standing_after(command.uid, tell(call, partial(_decide, command, actor, now)))


def _decide(command: Update | Cancel, actor: Actor, now: datetime, found: Look) -> Decision:
    stored = stored_for_change(found, actor, command)
    if again := _same_call_again(command, stored):
        return again
    require_not_cancelled(stored.event)
    when = meant_occurrence(stored.event, _occurrence(command, stored.event))
    if isinstance(command, Cancel):
        cut = organizer.cut(stored.event, when, comment=command.reason)
        return Decision(version=cut.ended, language=command.language)
    uid = str(uuid4())
    split = organizer.split_off(stored.event, when, command.edit, uid=uid, now=now)
    assert split.rest is not None  # noqa: S101 (something goes on)
    require_expressible(split.rest.event)
    new = NewMeeting(client=actor.client, uid=uid, continues=stored.meeting.pk, continues_from=when)
    language = command.language or stored.meeting.language
    rest = Decision(version=split.rest, new=new, language=language, notes=split.rest.notes)
    return Decision(version=split.ended, language=command.language, rest=rest)


def _same_call_again(command: Update | Cancel, stored: Stored) -> Decision | None:
    """What to decide where this very call was made before."""
    if isinstance(command, Cancel):
        was_made = was_cut(stored.meeting, _occurrence(command, stored.event))
        return Decision() if was_made else None
    continuation = _continuation(command, stored)
    return Decision(continued_by=continuation.uid) if continuation else None


def _continuation(command: Update, stored: Stored) -> Meeting | None:
    """The meeting that an earlier call with this content has made."""
    when = _occurrence(command, stored.event)
    for meeting in continuations(stored.meeting, when):
        found = look_at(meeting.pk)
        if found.stored and _has_content(command, found.stored.event, found.now):
            return meeting
    return None


def _has_content(command: Update, event: Event, now: datetime) -> bool:
    """Whether the command changes nothing of ``event``, so that it may have made it."""
    try:
        wanted = apply(command.edit, event).event
        return says_nothing_new(event, organizer.update(event, wanted, now=now).event)
    except ITipError:  # the edit does not fit this series, so it is not the one that it made
        return False


def _occurrence(command: Update | Cancel, series: Event) -> Moment:
    """The occurrence that is meant; a day that the series does not have any more stays a day."""
    moment = command.occurrence
    assert moment is not None  # noqa: S101 (and_future comes with an occurrence)
    when = find_occurrence(series, moment)
    is_day = moment.is_date and when not in (*series.occurrences, *series.left_out)
    return Moment(when, is_date=is_day)
