"""What the organizer's calendar sends (RFC 5546 §3.2.2 and §3.2.5), and with which SEQUENCE and
DTSTAMP.

Held event + wanted event + now go in, a Plan comes out. The Plan stores nothing and mails nothing.
SEQUENCE rises by 1 on every update and cancel and never on a resend: Outlook's own policy (interop
S2, S3).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from meetings.addresses import address_key
from meetings.itip.errors import NoAttendees, OrganizerMismatch
from meetings.itip.event import Attendee, Event, PartStat, Role
from meetings.itip.message import Message, Method
from meetings.itip.occurrence import carried_over, occurrence_of, with_override, without_occurrence

_RANK = {Role.REQUIRED: 0, Role.OPTIONAL: 1, Role.NON_PARTICIPANT: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The event as it is from now on, and the messages that make it known, in the order they must
    leave.

    ``dtstamp`` is that of all its messages, to be handed in as ``last_dtstamp`` the next time.
    ``changes`` says for the record what is new: property name → old and new value as text.
    """

    event: Event
    messages: tuple[Message, ...]
    dtstamp: datetime
    changes: dict[str, tuple[str, str]] = field(default_factory=dict)


def send(wanted: Event, *, now: datetime) -> Plan:
    """Plan the first REQUEST of a meeting, SEQUENCE 0 (interop S1). ``now`` is aware. Raises
    NoAttendees.
    """
    event = replace(wanted, sequence=0, attendees=invited(wanted))
    dtstamp = next_dtstamp(now, None)
    messages = (_request(event, event.attendees, dtstamp), *_overrides(event, dtstamp))
    return Plan(event=event, messages=messages, dtstamp=dtstamp)


def update(held: Event, wanted: Event, *, now: datetime, last_dtstamp: datetime) -> Plan:
    """Plan the change of ``held`` to ``wanted``.

    Whoever left the list gets a CANCEL that names only them and tells the times they know, first;
    everybody on the list now gets the REQUEST (RFC 5546 §3.2.5, interop A2 and A3), and after it
    the occurrences that were changed alone, since a REQUEST for the series resets them (R13).
    Answers are kept unless the time, the place or the recurrence changed (A4). Raises NoAttendees,
    OrganizerMismatch.
    """
    require_organizer(held, wanted.organizer.address)
    wanted = replace(
        wanted, uid=held.uid, organizer=held.organizer, attendees=_with_answers(held, wanted)
    )
    return _revised(held, carried_over(held, wanted), now=now, last_dtstamp=last_dtstamp)


def shorten(held: Event, ended: Event, *, now: datetime, last_dtstamp: datetime) -> Plan:
    """Plan the end of a series before its time: ``ended`` is ``held`` with an earlier UNTIL, all
    else as it is.
    """
    return _revised(held, ended, now=now, last_dtstamp=last_dtstamp)


def _revised(held: Event, event: Event, *, now: datetime, last_dtstamp: datetime) -> Plan:
    dtstamp = next_dtstamp(now, last_dtstamp)
    event = replace(event, sequence=held.sequence + 1)
    known = replace(held, sequence=event.sequence)
    messages = (
        *_cancels(known, _missing(held.attendees, event.attendees), dtstamp, uninvites=True),
        *_dropped_guests(known, event, dtstamp),
        _request(event, event.attendees, dtstamp, held),
        *_overrides(event, dtstamp),
    )
    return Plan(event=event, messages=messages, dtstamp=dtstamp, changes=_changes(held, event))


def update_occurrence(
    held: Event, when: datetime, wanted: Event, *, now: datetime, last_dtstamp: datetime
) -> Plan:
    """Plan the change of one occurrence, ``when`` (wall-clock), to ``wanted``, an event with its
    RECURRENCE-ID.

    A REQUEST with RECURRENCE-ID as Exchange sends it; whoever leaves this occurrence gets a CANCEL
    of it alone. Raises InvalidProperty, OccurrenceCancelled, NoAttendees.
    """
    dtstamp = next_dtstamp(now, last_dtstamp)
    sequence = held.sequence + 1
    known = replace(occurrence_of(held, when), sequence=sequence)
    event = replace(
        with_override(held, when, replace(wanted, attendees=invited(wanted))), sequence=sequence
    )
    occurrence = occurrence_of(event, when)
    messages = (
        *_cancels(known, _missing(known.attendees, occurrence.attendees), dtstamp, uninvites=True),
        _request(occurrence, occurrence.attendees, dtstamp, known),
    )
    changes = {"RECURRENCE-ID": ("", when.isoformat(sep=" "))} | _changes(known, occurrence)
    return Plan(event=event, messages=messages, dtstamp=dtstamp, changes=changes)


def cancel_occurrence(
    held: Event, when: datetime, *, now: datetime, last_dtstamp: datetime, comment: str = ""
) -> Plan:
    """Plan the end of one occurrence, ``when`` (wall-clock): a CANCEL with RECURRENCE-ID for each
    of its people (R12).

    Raises InvalidProperty when it is the only one left.
    """
    dtstamp = next_dtstamp(now, last_dtstamp)
    event = replace(without_occurrence(held, when), sequence=held.sequence + 1)
    occurrence = replace(occurrence_of(held, when), sequence=event.sequence)
    messages = tuple(
        _cancels(occurrence, occurrence.attendees, dtstamp, uninvites=False, comment=comment)
    )
    changes = {"EXDATE": ("", when.isoformat(sep=" "))}
    return Plan(event=event, messages=messages, dtstamp=dtstamp, changes=changes)


def cancel(held: Event, *, now: datetime, last_dtstamp: datetime, comment: str = "") -> Plan:
    """Plan the end of the meeting: a CANCEL for each person on the list (RFC 5546 §3.2.5, interop
    A6).

    Whoever is invited to single occurrences only gets the CANCEL of those.
    """
    dtstamp = next_dtstamp(now, last_dtstamp)
    event = replace(held, sequence=held.sequence + 1)
    messages = tuple(_whole_cancel(event, dtstamp, comment))
    return Plan(
        event=event,
        messages=messages,
        dtstamp=dtstamp,
        changes={"STATUS": ("CONFIRMED", "CANCELLED")},
    )


def resend(
    held: Event,
    *,
    fits: Callable[[Attendee], bool],
    cancelled: bool,
    now: datetime,
    last_dtstamp: datetime,
    comment: str = "",
) -> Plan:
    """Plan the current version once more for those who ``fits``: same SEQUENCE, newer DTSTAMP
    (interop S5).
    """
    dtstamp = next_dtstamp(now, last_dtstamp)
    messages = (
        _whole_cancel(held, dtstamp, comment)
        if cancelled
        else (_request(held, held.attendees, dtstamp), *_overrides(held, dtstamp))
    )
    chosen = (
        replace(message, recipients=tuple(filter(fits, message.recipients)))
        for message in messages
        if any(map(fits, message.recipients))
    )
    return Plan(event=held, messages=tuple(chosen), dtstamp=dtstamp)


def next_dtstamp(now: datetime, last: datetime | None) -> datetime:
    """The DTSTAMP of a new message: now in whole UTC seconds, but always after ``last`` (interop
    S4).

    Two messages in one second, or a clock that was set back, still come out in order.
    """
    this = now.astimezone(UTC).replace(microsecond=0)
    return this if last is None else max(this, last.astimezone(UTC) + timedelta(seconds=1))


def require_organizer(held: Event, address: str) -> None:
    """Raise OrganizerMismatch unless ``address`` is the stored ORGANIZER's (interop A7)."""
    if address_key(address) != address_key(held.organizer.address):
        raise OrganizerMismatch(address)


def invited(event: Event) -> tuple[Attendee, ...]:
    """The event's list without the organizer, each address once, required before optional before
    rooms.

    Of an address that is listed twice the more binding ROLE wins (interop P15). An organizer who
    lists nobody else stays on the list: that is what the service this one replaces did. Raises
    NoAttendees when no person is listed (interop A5).
    """
    people: dict[str, Attendee] = {}
    for attendee in sorted(event.attendees, key=lambda attendee: _RANK[attendee.role]):
        people.setdefault(address_key(attendee.address), attendee)
    if all(attendee.role is Role.NON_PARTICIPANT for attendee in people.values()):
        raise NoAttendees(event.uid)
    organizer = address_key(event.organizer.address)
    return tuple(attendee for key, attendee in people.items() if key != organizer) or tuple(
        people.values()
    )


def lists_only_the_organizer(event: Event) -> bool:
    """Whether the organizer invites nobody but themself."""
    organizer = address_key(event.organizer.address)
    return all(address_key(attendee.address) == organizer for attendee in event.attendees)


def same_content(held: Event, wanted: Event) -> bool:
    """Whether ``wanted`` says just what ``held`` says; answers and SEQUENCE are not content."""
    return _content(held) == _content(wanted)


def _changes(held: Event, wanted: Event) -> dict[str, tuple[str, str]]:
    old, new = _content_texts(held), _content_texts(wanted)
    return {name: (old[name], new[name]) for name in old if old[name] != new[name]}


def _content(event: Event) -> Event:
    people = tuple(replace(attendee, partstat=PartStat.NEEDS_ACTION) for attendee in invited(event))
    return replace(event, sequence=0, attendees=people, cancelled=(), overrides=())


def _content_texts(event: Event) -> dict[str, str]:
    return {
        "SUMMARY": event.summary,
        "DTSTART": f"{event.start.isoformat(sep=' ')} {event.tzid}",
        "DTEND": f"{event.end.isoformat(sep=' ')} {event.tzid}",
        "RRULE": str(event.rule or ""),
        "EXDATE": ", ".join(start.isoformat(sep=" ") for start in event.left_out),
        "LOCATION": event.location,
        "DESCRIPTION": event.description,
        "ATTENDEE": ", ".join(
            f"{attendee.address} ({attendee.role})" for attendee in event.attendees
        ),
        "TRIGGER": "" if event.reminder is None else f"{event.reminder} min",
    }


def _asks_again(held: Event, wanted: Event) -> bool:
    """Whether an answer to ``held`` says nothing about ``wanted`` (interop A4)."""
    return any(
        getattr(held, name) != getattr(wanted, name)
        for name in ("start", "end", "tzid", "all_day", "rule", "exdates", "location")
    )


def _with_answers(held: Event, wanted: Event) -> tuple[Attendee, ...]:
    reset = _asks_again(held, wanted)
    answers = (
        {}
        if reset
        else {address_key(attendee.address): attendee.partstat for attendee in held.attendees}
    )
    return tuple(
        replace(
            attendee, partstat=answers.get(address_key(attendee.address), PartStat.NEEDS_ACTION)
        )
        for attendee in invited(wanted)
    )


def _request(
    event: Event, recipients: tuple[Attendee, ...], dtstamp: datetime, previous: Event | None = None
) -> Message:
    return Message(
        method=Method.REQUEST,
        event=event,
        recipients=recipients,
        dtstamp=dtstamp,
        previous=previous,
    )


def _overrides(event: Event, dtstamp: datetime) -> Iterator[Message]:
    """Each occurrence that was changed alone, after the REQUEST that has just reset it everywhere."""
    for override in event.overrides:
        occurrence = occurrence_of(event, override.recurrence_id)
        yield from _cancels(
            occurrence, _missing(event.attendees, occurrence.attendees), dtstamp, uninvites=True
        )
        yield _request(occurrence, occurrence.attendees, dtstamp)


def _dropped_guests(held: Event, event: Event, dtstamp: datetime) -> Iterator[Message]:
    """The CANCEL for those who were invited to a single occurrence only, which now is as all others
    are.
    """
    kept = {override.recurrence_id for override in event.overrides}
    for override in held.overrides:
        if override.recurrence_id not in kept:
            occurrence = occurrence_of(held, override.recurrence_id)
            guests = _missing(_missing(occurrence.attendees, held.attendees), event.attendees)
            yield from _cancels(occurrence, guests, dtstamp, uninvites=True)


def _whole_cancel(event: Event, dtstamp: datetime, comment: str) -> Iterator[Message]:
    yield from _cancels(event, event.attendees, dtstamp, uninvites=False, comment=comment)
    for override in event.overrides:
        occurrence = occurrence_of(event, override.recurrence_id)
        guests = _missing(occurrence.attendees, event.attendees)
        yield from _cancels(occurrence, guests, dtstamp, uninvites=False, comment=comment)


def _missing(people: Iterable[Attendee], elsewhere: Iterable[Attendee]) -> list[Attendee]:
    """Those of ``people`` whose address is not ``elsewhere``."""
    there = {address_key(person.address) for person in elsewhere}
    return [person for person in people if address_key(person.address) not in there]


def _cancels(
    event: Event,
    people: Iterable[Attendee],
    dtstamp: datetime,
    *,
    uninvites: bool,
    comment: str = "",
) -> Iterator[Message]:
    for attendee in people:
        yield Message(
            method=Method.CANCEL,
            event=event,
            recipients=(attendee,),
            dtstamp=dtstamp,
            uninvites=uninvites,
            comment=comment,
        )
