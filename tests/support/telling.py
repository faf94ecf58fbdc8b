"""People who were told of a meeting, and what they are mailed next."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from meetings.addresses import address_key
from meetings.itip.event import Attendee, Event
from meetings.itip.group import Reader, grouped
from meetings.itip.outstanding import Present, outstanding
from meetings.itip.readers import Past, PastVersion, Planned, planned
from meetings.itip.told import Person
from tests.support.recording import accepted

LONG_AGO = datetime(2027, 1, 1, tzinfo=UTC)


def told(*versions: Event, at: datetime = LONG_AGO) -> list[Person]:
    """Everybody whom ``versions`` list, who was told all of one after the other ``at``."""
    people: dict[str, Person] = {}
    for event in versions:
        people = {person.key: person for person in everybody(event, people.values())}
        for mail in mails(event, people.values(), now=at):
            for reader in mail.readers:
                person = accepted(people[reader.key], mail)
                people[reader.key] = replace(person, stamp=mail.message.dtstamp)
    return list(people.values())


def everybody(event: Event, known: Iterable[Person] = ()) -> list[Person]:
    """Those who were told something before, and those whom ``event`` lists, who are to be told."""
    people = {person.key: replace(person, asked=event.sequence) for person in known}
    for attendee in listed(event):
        key = address_key(attendee.address)
        people.setdefault(key, Person(attendee=attendee, asked=event.sequence))
    return list(people.values())


def listed(event: Event) -> list[Attendee]:
    """Everybody on the list, and those who come to single occurrences only."""
    return [*event.attendees, *(person for each in event.overrides for person in each.added)]


def mails(
    event: Event,
    people: Iterable[Person],
    *,
    now: datetime,
    versions: Mapping[int, PastVersion] | None = None,
) -> list[Planned]:
    """What ``people`` are mailed at ``now``; ``versions`` are those that are kept."""
    present = Present(event, now)
    due = [Reader(person, steps) for person in people if (steps := outstanding(present, person))]
    return list(planned(present, grouped(due), Past(event, versions or {})))
