"""What differs between two events, as a record that can be read back and undone.

The record is kept with each version. A mail compares the meeting with what its readers were told,
so the changes between are undone, newest first.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import cast

from meetings.addresses import address_key
from meetings.itip.event import Attendee, Event, PartStat, Role, Status
from meetings.itip.guests import invited
from meetings.itip.message import Changes, PersonText
from meetings.itip.recurrence.rule import Rule

Texts = tuple[str, str]
People = Mapping[str, list[PersonText]]


def same_content(stored: Event, wanted: Event) -> bool:
    """Whether ``wanted`` says just what ``stored`` says.

    People are compared by ROLE and address, in any order. PARTSTAT, SEQUENCE, STATUS and what
    became of single occurrences are not content.
    """
    return _content(stored) == _content(wanted)


def _content(event: Event) -> tuple[object, ...]:
    people = {(person.role, address_key(person.address)) for person in invited(event)}
    plain = replace(
        event,
        uid="",
        organizer=replace(event.organizer, address=address_key(event.organizer.address)),
        sequence=0,
        whole_sequence=0,
        status=Status.CONFIRMED,
        comment="",
        attendees=(),
        overrides=(),
        part_of=None,
    )
    return plain, frozenset(people)


def says_nothing_new(stored: Event, wanted: Event) -> bool:
    """Whether storing ``wanted`` would change nothing but the SEQUENCE."""
    return _without_sequence(stored) == _without_sequence(wanted)


def _without_sequence(event: Event) -> Event:
    overrides = tuple(replace(override, sequence=0) for override in event.overrides)
    return replace(event, sequence=0, whole_sequence=0, overrides=overrides)


def changes(old: Event, new: Event) -> Changes:
    """Return the record of what differs, empty for nothing."""
    before, after = _texts(old), _texts(new)
    found: dict[str, Texts | People] = {
        name: (before[name], after[name]) for name in before if before[name] != after[name]
    }
    people = _people(old.attendees, new.attendees)
    return found | ({"ATTENDEE": people} if people else {})


def undo(event: Event, record: Changes) -> Event:
    """Return ``event`` as it was before the changes of ``record``.

    What became of single occurrences is not undone.
    """
    before = {name: cast("Texts", value)[0] for name, value in record.items() if name in _WITH}
    for name, text in before.items():
        event = _WITH[name](event, text)
    people = cast("People", record.get("ATTENDEE", {}))
    return replace(event, attendees=_before(event.attendees, people)) if people else event


def _texts(event: Event) -> dict[str, str]:
    return {
        "SUMMARY": event.summary,
        "DTSTART": _time(event, event.start),
        "DTEND": _time(event, event.end),
        "RRULE": str(event.rule or ""),
        "EXDATE": ", ".join(start.isoformat(sep=" ") for start in event.exdates),
        "LOCATION": event.location,
        "DESCRIPTION": event.description,
        "TRIGGER": "" if event.reminder is None else f"{event.reminder} min",
    }


def _time(event: Event, time: datetime) -> str:
    return f"{time:%Y-%m-%d}" if event.all_day else f"{time.isoformat(sep=' ')} {event.tzid}"


def _with_start(event: Event, text: str) -> Event:
    day, _, rest = text.partition(" ")
    if not rest:
        return replace(event, start=datetime.fromisoformat(day), all_day=True)
    time, _, tzid = rest.partition(" ")
    start = datetime.fromisoformat(f"{day} {time}")
    return replace(event, start=start, tzid=tzid, all_day=False)


def _with_end(event: Event, text: str) -> Event:
    return replace(event, end=datetime.fromisoformat(" ".join(text.split(" ")[:2])))


def _with_exdates(event: Event, text: str) -> Event:
    times = text.split(", ") if text else []
    return replace(event, exdates=tuple(map(datetime.fromisoformat, times)))


def _with_reminder(event: Event, text: str) -> Event:
    return replace(event, reminder=int(text.removesuffix(" min")) if text else None)


_WITH: Mapping[str, Callable[[Event, str], Event]] = {
    "SUMMARY": lambda event, text: replace(event, summary=text),
    "DTSTART": _with_start,
    "DTEND": _with_end,
    "RRULE": lambda event, text: replace(event, rule=Rule.from_text(text) if text else None),
    "EXDATE": _with_exdates,
    "LOCATION": lambda event, text: replace(event, location=text),
    "DESCRIPTION": lambda event, text: replace(event, description=text),
    "TRIGGER": _with_reminder,
}


def _people(old: Iterable[Attendee], new: Iterable[Attendee]) -> People:
    before = {address_key(person.address): person for person in old}
    after = {address_key(person.address): person for person in new}
    differing = [
        person
        for key, person in before.items()
        if key in after and (person.role, person.name) != (after[key].role, after[key].name)
    ]
    found = {
        "added": [person for key, person in after.items() if key not in before],
        "removed": [person for key, person in before.items() if key not in after],
        "changed": differing,
    }
    return {name: [_text(person) for person in people] for name, people in found.items() if people}


def _text(person: Attendee) -> PersonText:
    return {"address": person.address, "name": person.name, "role": person.role.value}


def _before(people: Iterable[Attendee], record: People) -> tuple[Attendee, ...]:
    added = {address_key(person["address"]) for person in record.get("added", ())}
    changed = {address_key(person["address"]): person for person in record.get("changed", ())}
    stayed = [person for person in people if address_key(person.address) not in added]
    as_they_were = [
        replace(person, role=Role(was["role"]), name=was["name"])
        if (was := changed.get(address_key(person.address)))
        else person
        for person in stayed
    ]
    return (*as_they_were, *map(_person, record.get("removed", ())))


def _person(text: PersonText) -> Attendee:
    return Attendee(
        address=text["address"],
        name=text["name"],
        role=Role(text["role"]),
        partstat=PartStat.NEEDS_ACTION,
    )
