"""Who is invited, who left the list, and whose PARTSTAT still stands."""

from collections.abc import Iterable, Sequence
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


def with_known_partstats(stored: Event, wanted: Event) -> tuple[Attendee, ...]:
    """Return those whom ``wanted`` invites, each with the PARTSTAT that still stands.

    A reply to ``stored`` says nothing about a new time, place or recurrence (interop A4).
    """
    known = {} if _must_ask_again(stored, wanted) else _partstats(stored.attendees)
    return tuple(
        replace(attendee, partstat=known.get(address_key(attendee.address), PartStat.NEEDS_ACTION))
        for attendee in invited(wanted)
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


def same_people(one: Sequence[Attendee], other: Sequence[Attendee]) -> bool:
    """Whether both lists invite the same addresses in the same roles, under the same names."""
    return _roles(one) == _roles(other)


def _roles(people: Sequence[Attendee]) -> dict[str, tuple[str, str]]:
    return {address_key(person.address): (person.role, person.name) for person in people}
