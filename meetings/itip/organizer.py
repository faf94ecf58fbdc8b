"""What the organizer's calendar decides (RFC 5546 §3.2.2 and §3.2.5).

Stored event, wanted event and time go in; the new Version comes out. Nothing is stored or mailed.
SEQUENCE rises by 1 with each update and cancellation and never with a resend, as in Outlook
(interop S2, S3). Times are aware; DTSTAMP is in whole UTC seconds.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from meetings.itip import outstanding
from meetings.itip.changes import changes
from meetings.itip.event import Event, Status
from meetings.itip.guests import (
    invited,
    lists_only_the_organizer,
    require_organizer,
    with_known_partstats,
)
from meetings.itip.message import Note, NoteKind, Version
from meetings.itip.occurrence import (
    carried_over,
    occurrence_of,
    with_override,
    without_occurrence,
)


def invite(wanted: Event, *, now: datetime) -> Version:
    """Decide the first version of a meeting, with SEQUENCE 0 (interop S1). Raises NoAttendees."""
    event = replace(wanted, sequence=0, attendees=invited(wanted))
    dtstamp = next_dtstamp(now, None)
    return Version(
        event=event,
        messages=tuple(outstanding.of_invitation(event, dtstamp)),
        dtstamp=dtstamp,
        notes=_notes(wanted, now),
    )


def update(stored: Event, wanted: Event, *, now: datetime, last_dtstamp: datetime) -> Version:
    """Decide the change of ``stored`` to ``wanted``.

    A PARTSTAT stays unless the time, the place or the recurrence changes (interop A4). Raises
    NoAttendees, OrganizerMismatch.
    """
    require_organizer(stored, wanted.organizer.address)
    event = replace(
        wanted,
        uid=stored.uid,
        organizer=stored.organizer,
        attendees=with_known_partstats(stored, wanted),
    )
    version = _revised(stored, carried_over(stored, event), now, last_dtstamp)
    return version.with_notes((*overrides_notes(stored, version.event), *_notes(wanted, now)))


def shorten(stored: Event, ended: Event, *, now: datetime, last_dtstamp: datetime) -> Version:
    """Decide the early end of a series: ``ended`` is ``stored`` with an earlier UNTIL."""
    return _revised(stored, ended, now, last_dtstamp)


def _revised(stored: Event, wanted: Event, now: datetime, last_dtstamp: datetime) -> Version:
    dtstamp = next_dtstamp(now, last_dtstamp)
    event = replace(wanted, sequence=stored.sequence + 1)
    return Version(
        event=event,
        messages=tuple(outstanding.of_update(stored, event, dtstamp)),
        dtstamp=dtstamp,
        changes=changes(stored, event),
    )


def update_occurrence(
    stored: Event, when: datetime, wanted: Event, *, now: datetime, last_dtstamp: datetime
) -> Version:
    """Decide the change of one occurrence to ``wanted``, an event with its RECURRENCE-ID.

    ``when`` is the wall-clock start that the rule gives it. Raises InvalidProperty,
    OccurrenceCancelled, NoAttendees.
    """
    dtstamp = next_dtstamp(now, last_dtstamp)
    sequence = stored.sequence + 1
    known = replace(occurrence_of(stored, when), sequence=sequence)
    changed = with_override(stored, when, replace(wanted, attendees=invited(wanted)))
    event = replace(changed, sequence=sequence)
    occurrence = occurrence_of(event, when)
    return Version(
        event=event,
        messages=tuple(outstanding.of_changed_occurrence(known, occurrence, dtstamp)),
        dtstamp=dtstamp,
        changes={"RECURRENCE-ID": ("", _text(when))} | changes(known, occurrence),
        notes=_notes(wanted, now),
    )


def cancel_occurrence(
    stored: Event, when: datetime, *, now: datetime, last_dtstamp: datetime, comment: str = ""
) -> Version:
    """Decide the cancellation of one occurrence.

    ``when`` is the wall-clock start that the rule gives it. Raises InvalidProperty where it is the
    only one left.
    """
    dtstamp = next_dtstamp(now, last_dtstamp)
    event = replace(without_occurrence(stored, when), sequence=stored.sequence + 1)
    occurrence = replace(occurrence_of(stored, when), sequence=event.sequence)
    return Version(
        event=event,
        messages=tuple(outstanding.of_cancelled_occurrence(occurrence, dtstamp, comment)),
        dtstamp=dtstamp,
        changes=occurrence_cancelled(when),
    )


def occurrence_cancelled(when: datetime) -> dict[str, tuple[str, str]]:
    """Return the changes of a version that cancels the occurrence at ``when``, and nothing else."""
    return {"EXDATE": ("", _text(when))}


def cancel(stored: Event, *, now: datetime, last_dtstamp: datetime, comment: str = "") -> Version:
    """Decide the cancellation of the whole meeting; ``comment`` is the reason."""
    dtstamp = next_dtstamp(now, last_dtstamp)
    event = replace(stored, sequence=stored.sequence + 1, status=Status.CANCELLED)
    return Version(
        event=event,
        messages=tuple(outstanding.of_cancellation(event, dtstamp, comment)),
        dtstamp=dtstamp,
        changes={"STATUS": (stored.status.value, event.status.value)},
        comment=comment,
    )


def resend(
    stored: Event,
    address_keys: Collection[str] | None,
    *,
    now: datetime,
    last_dtstamp: datetime,
    comment: str = "",
) -> Version:
    """Decide the current version once more: same SEQUENCE, newer DTSTAMP (interop S5).

    It goes to those whose address key is in ``address_keys``; None means everybody. ``comment`` is
    the reason of the cancellation, for a meeting that was cancelled.
    """
    dtstamp = next_dtstamp(now, last_dtstamp)
    messages = (
        outstanding.of_cancellation(stored, dtstamp, comment)
        if stored.is_cancelled
        else outstanding.of_invitation(stored, dtstamp)
    )
    if address_keys is not None:
        messages = outstanding.narrowed(messages, address_keys)
    return Version(event=stored, messages=tuple(messages), dtstamp=dtstamp, comment=comment)


def next_dtstamp(now: datetime, last: datetime | None) -> datetime:
    """Return the DTSTAMP of a new message: now, but always after ``last`` (interop S4).

    So two messages in one second come out in order, and so do those after a clock was set back.
    """
    this = now.astimezone(UTC).replace(microsecond=0)
    return this if last is None else max(this, last.astimezone(UTC) + timedelta(seconds=1))


def overrides_notes(stored: Event, event: Event) -> tuple[Note, ...]:
    """A note where ``event`` drops the changes of single occurrences that ``stored`` has."""
    dropped = (stored.cancelled or stored.overrides) and not (event.cancelled or event.overrides)
    return (Note(NoteKind.OVERRIDES_DROPPED),) if dropped else ()


def _notes(wanted: Event, now: datetime) -> tuple[Note, ...]:
    found = {
        NoteKind.IN_THE_PAST: wanted.ends_at < now,
        NoteKind.ONLY_THE_ORGANIZER: lists_only_the_organizer(wanted),
    }
    return tuple(Note(kind) for kind, is_so in found.items() if is_so)


def _text(when: datetime) -> str:
    return when.isoformat(sep=" ")
