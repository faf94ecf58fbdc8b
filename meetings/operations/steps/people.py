"""The people of a meeting as a new version has them, and as a dead sender leaves them."""

from collections.abc import Iterable
from dataclasses import replace

from meetings.addresses import address_key
from meetings.itip.event import Attendee, Event
from meetings.itip.message import Method
from meetings.itip.told import Person, ToldOccurrence
from meetings.models.outbox.rows import PersonRow, StoredMail


def invited_rows(stored: Iterable[PersonRow], event: Event) -> tuple[PersonRow, ...]:
    """Return the rows of everybody who is or was invited, as the new version ``event`` has them.

    A person keeps the row for the life of the meeting. Everybody is to be told the new version.
    """
    guests = {address_key(person.address): person for person in event.attendees}
    occasional = {
        address_key(person.address): person
        for override in event.changed
        for person in override.added
    }
    people = {**occasional, **guests}
    places = {key: place for place, key in enumerate(dict.fromkeys((*guests, *people)))}
    known = {row.person.key: row for row in stored}
    rows = []
    for key in dict.fromkeys((*known, *places)):
        row = known.get(key) or _new(people[key])
        attendee = people.get(key, row.person.attendee)
        person = replace(row.person, attendee=attendee, asked=event.sequence)
        place = places.get(key, row.position)
        rows.append(replace(row, person=person, position=place, listed=key in guests))
    return tuple(sorted(rows, key=lambda row: (not row.listed, row.position)))


def _new(attendee: Attendee) -> PersonRow:
    return PersonRow(id=None, person=Person(attendee=attendee), position=0, listed=False)


def with_unknown_ends(row: PersonRow) -> PersonRow:
    """The row after what a dead sender had in hand: each of its mails may have arrived."""
    person = row.person
    for delivery in row.open:
        if delivery.is_orphan:
            mail = delivery.mail
            person = person.after_unknown(_told_by(mail), plain=mail.plain)
    return row if person is row.person else replace(row, person=person)


def _told_by(mail: StoredMail) -> Method | ToldOccurrence:
    if mail.recurrence_id is None:
        return mail.method
    return ToldOccurrence(
        recurrence_id=mail.recurrence_id,
        method=mail.method,
        sequence=mail.sequence,
        ends_at=mail.ends_at,
    )
