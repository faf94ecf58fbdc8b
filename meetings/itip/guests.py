"""Who is invited, who left the list, and whose PARTSTAT still stands."""

from collections.abc import Iterable
from dataclasses import replace

from meetings.addresses import address_key
from meetings.itip.errors import NoAttendees, OrganizerMismatch
from meetings.itip.event import Attendee, Event, PartStat, Role

_RANK = {Role.REQUIRED: 0, Role.OPTIONAL: 1, Role.NON_PARTICIPANT: 2}


def require_organizer(stored: Event, address: str) -> None:
    """Raise OrganizerMismatch unless ``address`` is the stored ORGANIZER's (interop A7)."""
    if address_key(address) != address_key(stored.organizer.address):
        raise OrganizerMismatch


def invited(event: Event) -> tuple[Attendee, ...]:
    """Return the event's list without the organizer: required people, then optional, then rooms.

    Each address is there once. Of an address that is listed twice the more binding ROLE counts
    (interop P15). An organizer who lists nobody else is invited, as by the service that this one
    replaces. Raises NoAttendees where no person is listed (interop A5).
    """
    people: dict[str, Attendee] = {}
    for attendee in sorted(event.attendees, key=lambda attendee: _RANK[attendee.role]):
        people.setdefault(address_key(attendee.address), attendee)
    if all(attendee.role is Role.NON_PARTICIPANT for attendee in people.values()):
        raise NoAttendees
    organizer = address_key(event.organizer.address)
    others = tuple(attendee for key, attendee in people.items() if key != organizer)
    return others or tuple(people.values())


def lists_only_the_organizer(event: Event) -> bool:
    """Whether the organizer is the only one on the list."""
    organizer = address_key(event.organizer.address)
    return all(address_key(attendee.address) == organizer for attendee in event.attendees)


def still_invited(stored: Event, wanted: Event) -> tuple[Attendee, ...]:
    """Return those whom ``wanted`` invites instead of ``stored``.

    An organizer who was invited because nobody else was listed stays invited: organizers are not
    told that they are off their own meeting. Raises NoAttendees.
    """
    listed = invited(wanted)
    organizer = address_key(stored.organizer.address)
    stays = [p for p in without(stored.attendees, listed) if address_key(p.address) == organizer]
    return (*listed, *stays)


def with_known_partstats(stored: Event, wanted: Event) -> tuple[Attendee, ...]:
    """Return those who are still invited, each with the PARTSTAT that still stands.

    A reply to ``stored`` says nothing about a new time, place or recurrence (interop A4).
    """
    known = {} if _must_ask_again(stored, wanted) else _partstats(stored.attendees)
    return tuple(
        replace(attendee, partstat=known.get(address_key(attendee.address), PartStat.NEEDS_ACTION))
        for attendee in still_invited(stored, wanted)
    )


def _partstats(attendees: Iterable[Attendee]) -> dict[str, PartStat]:
    return {address_key(attendee.address): attendee.partstat for attendee in attendees}


def _must_ask_again(stored: Event, wanted: Event) -> bool:
    return any(
        getattr(stored, name) != getattr(wanted, name)
        for name in ("start", "end", "tzid", "all_day", "rule", "exdates", "location")
    )


def without(people: Iterable[Attendee], others: Iterable[Attendee]) -> list[Attendee]:
    """Return those of ``people`` whose address is not among ``others``."""
    keys = {address_key(person.address) for person in others}
    return [person for person in people if address_key(person.address) not in keys]
