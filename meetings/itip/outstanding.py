"""Which messages tell people of a version, and in which order they must leave (RFC 5546 §3.2).

Each function returns the messages for one kind of version. The order matters. A CANCEL for those
who left goes first. A changed occurrence follows the REQUEST of its series, which resets it (R13).
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from meetings.addresses import address_key
from meetings.itip.event import Attendee, Event
from meetings.itip.guests import without
from meetings.itip.message import Message, Method
from meetings.itip.occurrence import occurrence_of


def of_invitation(event: Event, dtstamp: datetime) -> Iterator[Message]:
    """The REQUEST of the whole, then one for each occurrence that was changed alone."""
    yield request(event, dtstamp)
    yield from _of_overrides(event, dtstamp)


def of_update(stored: Event, event: Event, dtstamp: datetime) -> Iterator[Message]:
    """What tells people that ``stored`` has become ``event``.

    A person who left the list gets a CANCEL with only that name and with the known times (RFC 5546
    §3.2.5, interop A2 and A3).
    """
    known = replace(stored, sequence=event.sequence)
    yield from _cancels(_uninviting(known, dtstamp), without(stored.attendees, event.attendees))
    yield from _of_dropped_overrides(known, event, dtstamp)
    yield request(event, dtstamp, previous=stored)
    yield from _of_overrides(event, dtstamp)


def of_changed_occurrence(known: Event, occurrence: Event, dtstamp: datetime) -> Iterator[Message]:
    """A CANCEL of the occurrence for those who left it, then its REQUEST, as Exchange sends it."""
    left = without(known.attendees, occurrence.attendees)
    yield from _cancels(_uninviting(known, dtstamp), left)
    yield request(occurrence, dtstamp, previous=known)


def of_cancelled_occurrence(
    occurrence: Event, dtstamp: datetime, comment: str
) -> Iterator[Message]:
    """A CANCEL with RECURRENCE-ID for each person of the occurrence (interop R12)."""
    yield from _cancels(_cancelling(occurrence, dtstamp, comment), occurrence.attendees)


def of_cancellation(event: Event, dtstamp: datetime, comment: str) -> Iterator[Message]:
    """A CANCEL for each person on the list (RFC 5546 §3.2.5, interop A6).

    A guest of single occurrences gets the CANCEL of those only.
    """
    yield from _cancels(_cancelling(event, dtstamp, comment), event.attendees)
    for override in event.overrides:
        occurrence = occurrence_of(event, override.recurrence_id)
        guests = without(occurrence.attendees, event.attendees)
        yield from _cancels(_cancelling(occurrence, dtstamp, comment), guests)


def narrowed(messages: Iterable[Message], address_keys: Collection[str]) -> Iterator[Message]:
    """Return ``messages`` with only those recipients whose address key is in ``address_keys``."""
    for message in messages:
        recipients = tuple(
            person for person in message.recipients if address_key(person.address) in address_keys
        )
        if recipients:
            yield replace(message, recipients=recipients)


def request(event: Event, dtstamp: datetime, *, previous: Event | None = None) -> Message:
    """Return the REQUEST of ``event`` to everybody on its list."""
    return Message(
        method=Method.REQUEST,
        event=event,
        recipients=event.attendees,
        dtstamp=dtstamp,
        previous=previous,
    )


def _of_overrides(event: Event, dtstamp: datetime) -> Iterator[Message]:
    for override in event.overrides:
        occurrence = occurrence_of(event, override.recurrence_id)
        absent = without(event.attendees, occurrence.attendees)
        yield from _cancels(_uninviting(occurrence, dtstamp), absent)
        yield request(occurrence, dtstamp)


def _of_dropped_overrides(stored: Event, event: Event, dtstamp: datetime) -> Iterator[Message]:
    """The CANCEL for guests of a single occurrence that is again as all others."""
    kept = {override.recurrence_id for override in event.overrides}
    for override in stored.overrides:
        if override.recurrence_id not in kept:
            occurrence = occurrence_of(stored, override.recurrence_id)
            guests = without(without(occurrence.attendees, stored.attendees), event.attendees)
            yield from _cancels(_uninviting(occurrence, dtstamp), guests)


def _uninviting(event: Event, dtstamp: datetime) -> Message:
    return Message(
        method=Method.CANCEL, event=event, recipients=(), dtstamp=dtstamp, uninvites=True
    )


def _cancelling(event: Event, dtstamp: datetime, comment: str) -> Message:
    return Message(
        method=Method.CANCEL, event=event, recipients=(), dtstamp=dtstamp, comment=comment
    )


def _cancels(template: Message, people: Iterable[Attendee]) -> Iterator[Message]:
    """One CANCEL for each person: nobody sees who else left (interop A3)."""
    for person in people:
        yield replace(template, recipients=(person,))
