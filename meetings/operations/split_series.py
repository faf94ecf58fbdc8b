"""This and future: the old series ends before an occurrence, the rest goes on under a new uid.

No client understands RANGE=THISANDFUTURE (interop R14).
"""

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from meetings.deadline import Deadline
from meetings.itip import organizer
from meetings.itip.edit import Edit, apply
from meetings.itip.event import Event
from meetings.itip.message import Version
from meetings.itip.moment import Moment
from meetings.itip.occurrence import carried_over, split
from meetings.models import Meeting
from meetings.operations.steps.call import Actor, Cancel, Update
from meetings.operations.steps.deliver import deliver_or_leave
from meetings.operations.steps.lock import (
    lock_for_change,
    meant_occurrence,
    require_not_cancelled,
)
from meetings.operations.steps.store import store_version
from meetings.operations.steps.turn import turn
from meetings.queries.standing import Standing, standing_of


def split_series(
    command: Update | Cancel, actor: Actor, *, now: datetime, deadline: Deadline
) -> Standing:
    """End the series before the command's occurrence; ``now`` is aware.

    With an Update the rest goes on under a new uid, with the edit applied. With a Cancel nothing
    goes on: the REQUEST of the shortened series says so. Raises what the other stories raise, and
    InvalidProperty for the first occurrence, before which nothing is left.
    """
    with turn(actor.turn_on(command.uid), deadline) as mine:
        with transaction.atomic():
            meeting, stored = lock_for_change(actor, command)
            require_not_cancelled(stored)
            meeting.language = command.language or meeting.language
            ended, rest = _split(stored, command.occurrence)
            shorter = organizer.shorten(stored, ended, now=now, last_dtstamp=meeting.dtstamp)
            outgoing = store_version(meeting, shorter, stored, actor=actor, claimed=mine)
            continuation, notes = None, shorter.notes
            if isinstance(command, Update):
                version = _continued(rest, command.edit, now)
                continuation = _continuation_of(meeting, version.event.uid)
                outgoing += store_version(continuation, version, None, actor=actor, claimed=mine)
                notes = version.notes
        # Outside the transaction, by this one indent. Inside it, mail could leave for a version
        # that is rolled back, and the row would be locked for as long as the mail server takes.
        deliver_or_leave(outgoing, deadline, mine=mine)
        return standing_of(meeting, shorter.event, continuation, notes=notes)


def _split(stored: Event, moment: Moment | None) -> tuple[Event, Event]:
    assert moment is not None  # noqa: S101 (and_future comes with an occurrence)
    return split(stored, meant_occurrence(stored, moment))


def _continuation_of(meeting: Meeting, uid: str) -> Meeting:
    return Meeting(
        client_id=meeting.client_id, uid=uid, language=meeting.language, continues=meeting
    )


def _continued(rest: Event, edit: Edit, now: datetime) -> Version:
    """The first version of the series that goes on."""
    rest = replace(rest, uid=str(uuid4()))
    edited = apply(edit, rest)
    event = carried_over(rest, edited.event)
    version = organizer.invite(event, now=now)
    return version.with_notes((*edited.notes, *organizer.overrides_notes(rest, event)))
