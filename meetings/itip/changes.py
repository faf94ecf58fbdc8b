"""What differs between two events."""

from dataclasses import replace

from meetings.itip.event import Event, PartStat, Status
from meetings.itip.guests import invited


def same_content(stored: Event, wanted: Event) -> bool:
    """Whether ``wanted`` says just what ``stored`` says.

    UID, PARTSTAT, SEQUENCE, STATUS and what became of single occurrences are not content.
    """
    return _content(stored) == _content(wanted)


def _content(event: Event) -> Event:
    people = invited(event)
    return replace(
        event,
        uid="",
        sequence=0,
        status=Status.CONFIRMED,
        attendees=tuple(replace(person, partstat=PartStat.NEEDS_ACTION) for person in people),
        cancelled=(),
        overrides=(),
    )


def changes(old: Event, new: Event) -> dict[str, tuple[str, str]]:
    """Return property name → old and new value as text, for each property that differs."""
    before, after = _texts(old), _texts(new)
    return {name: (before[name], after[name]) for name in before if before[name] != after[name]}


def _texts(event: Event) -> dict[str, str]:
    return {
        "SUMMARY": event.summary,
        "DTSTART": f"{event.start.isoformat(sep=' ')} {event.tzid}",
        "DTEND": f"{event.end.isoformat(sep=' ')} {event.tzid}",
        "RRULE": str(event.rule or ""),
        "EXDATE": ", ".join(start.isoformat(sep=" ") for start in event.left_out),
        "LOCATION": event.location,
        "DESCRIPTION": event.description,
        "ATTENDEE": ", ".join(f"{person.address} ({person.role})" for person in event.attendees),
        "TRIGGER": "" if event.reminder is None else f"{event.reminder} min",
    }
