"""What the organizer's calendar decides (RFC 5546 §3.2.2 and §3.2.5).

Stored event, wanted event and time go in; the new Version comes out. Nothing is stored or mailed.
SEQUENCE rises by 1 with each update and cancellation and never with a resend, as in Outlook
(interop S2, S3).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from meetings.itip.changes import changes
from meetings.itip.edit import Edit, apply
from meetings.itip.event import Attendee, Event, Status
from meetings.itip.guests import (
    invited,
    lists_only_the_organizer,
    require_organizer,
    still_invited,
    with_known_partstats,
    without,
)
from meetings.itip.message import Note, NoteKind, Version
from meetings.itip.occurrence import (
    carried_over,
    occurrence_of,
    require_room,
    split,
    voids_overrides,
    with_override,
    without_occurrence,
)
from meetings.itip.readers import recurrence_text

CUT = "THISANDFUTURE"
"""The record's name for the first occurrence that a series lost when it was ended early."""


def invite(wanted: Event, *, now: datetime) -> Version:
    """Decide the first version of a meeting, with SEQUENCE 0 (interop S1). Raises NoAttendees."""
    event = replace(wanted, sequence=0, whole_sequence=0, attendees=invited(wanted))
    return Version(event=event, notes=_notes(wanted, now))


def update(stored: Event, wanted: Event, *, now: datetime) -> Version:
    """Decide the change of ``stored`` to ``wanted``.

    A PARTSTAT stays unless the time, the place or the recurrence changes (interop A4). Raises
    NoAttendees, OrganizerMismatch, and InvalidRule where no occurrence would be left.
    """
    require_organizer(stored, wanted.organizer.address)
    people = with_known_partstats(stored, wanted)
    event = replace(wanted, uid=stored.uid, organizer=stored.organizer, attendees=people)
    event = carried_over(stored, event)
    notes = (*_removed(stored.attendees, people), *overrides_notes(stored, event))
    return _revised(stored, event).with_notes((*notes, *_notes(event, now)))


def _revised(stored: Event, wanted: Event) -> Version:
    sequence = stored.sequence + 1
    event = replace(wanted, sequence=sequence, whole_sequence=sequence)
    return Version(event=event, changes=changes(stored, event))


def update_occurrence(
    stored: Event, when: datetime, edit: Edit, *, now: datetime, most: int
) -> Version:
    """Decide the change of one occurrence.

    ``when`` is the wall-clock start that the rule gives it. ``most`` is how many changed
    occurrences a series may have ahead. Raises InvalidProperty, OccurrenceCancelled, NoAttendees.
    """
    known = occurrence_of(stored, when)
    edited = apply(edit, known)
    wanted = replace(edited.event, attendees=still_invited(known, edited.event))
    event = with_override(stored, when, wanted)
    require_room(event, most, now)
    occurrence = occurrence_of(event, when)
    return Version(
        event=event,
        changes={"RECURRENCE-ID": recurrence_text(when), **changes(known, occurrence)},
        notes=(
            *edited.notes,
            *_removed(known.attendees, wanted.attendees),
            *_notes(edited.event, now),
        ),
    )


def cancel_occurrence(stored: Event, when: datetime, *, comment: str = "") -> Version:
    """Decide the cancellation of one occurrence; ``comment`` is the reason.

    ``when`` is the wall-clock start that the rule gives it. Raises InvalidProperty where it is the
    only one left.
    """
    event = without_occurrence(stored, when, comment=comment)
    record = {"RECURRENCE-ID": recurrence_text(when), "STATUS": ("CONFIRMED", "CANCELLED")}
    return Version(event=event, changes=record, comment=comment)


def cancel(stored: Event, *, comment: str = "") -> Version:
    """Decide the cancellation of the whole meeting; ``comment`` is the reason."""
    event = replace(stored, sequence=stored.sequence + 1, status=Status.CANCELLED, comment=comment)
    record = {"STATUS": (stored.status.value, event.status.value)}
    return Version(event=event, changes=record, comment=comment)


@dataclass(frozen=True, slots=True)
class Split:
    """The series that ends early, and the first version of what goes on, if anything does."""

    ended: Version
    rest: Version | None = None


def cut(stored: Event, when: datetime, *, comment: str = "") -> Split:
    """Decide the early end of a series, before its occurrence ``when``.

    ``comment`` is the reason. Raises InvalidProperty where nothing is left before it.
    """
    ended, _ = split(stored, when)
    return Split(_ended(stored, ended, when, comment))


def split_off(stored: Event, when: datetime, edit: Edit, *, uid: str, now: datetime) -> Split:
    """Decide that the series ends before its occurrence ``when``, and goes on changed by ``edit``.

    What goes on has the new ``uid``. Raises what ``cut`` and ``invite`` raise.
    """
    ended, rest = split(stored, when)
    edited = apply(edit, replace(rest, uid=uid))
    people = with_known_partstats(rest, edited.event)
    event = carried_over(rest, replace(edited.event, attendees=people))
    notes = (*edited.notes, *overrides_notes(rest, event), *_notes(edited.event, now))
    return Split(_ended(stored, ended, when, ""), Version(event=event, notes=notes))


def _ended(stored: Event, ended: Event, when: datetime, comment: str) -> Version:
    version = _revised(stored, ended)
    record = {CUT: recurrence_text(when), **version.changes}
    return replace(version, changes=record, comment=comment)


def overrides_notes(stored: Event, event: Event) -> tuple[Note, ...]:
    """A note where ``event`` drops the changes of single occurrences that ``stored`` has.

    Of an occurrence that was cancelled, an EXDATE says the same.
    """
    if voids_overrides(stored, event):
        return (Note(NoteKind.OVERRIDES_DROPPED),) if stored.overrides else ()
    changed = (override.recurrence_id for override in stored.changed)
    excluded = tuple(when for when in changed if when in event.exdates)
    return (Note(NoteKind.OVERRIDES_EXCLUDED, occurrences=excluded),) if excluded else ()


def _removed(before: Sequence[Attendee], after: Sequence[Attendee]) -> tuple[Note, ...]:
    """A note that names the people whom a version takes off."""
    people = tuple(without(before, after))
    return (Note(NoteKind.PEOPLE_REMOVED, people=people),) if people else ()


def _notes(wanted: Event, now: datetime) -> tuple[Note, ...]:
    is_one = wanted.recurrence_id is not None
    past = NoteKind.OCCURRENCE_IN_THE_PAST if is_one else NoteKind.IN_THE_PAST
    found = {
        past: wanted.ends_at < now,
        NoteKind.ONLY_THE_ORGANIZER: lists_only_the_organizer(wanted),
    }
    return tuple(Note(kind) for kind, is_so in found.items() if is_so)
