"""One person's calendar: what it shows after the mails that it was sent.

It knows RFC 5545, RFC 5546 and what docs/interop.md tells of receiving programs, and imports
nothing of the project. So it can judge what the project sends: a conversation is right when
everybody's calendar shows the meeting as it stands.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from dateutil.rrule import rrulestr

from tests.support.readers.itip_reader import (
    Moment,
    NotAnInvitation,
    Property,
    ReceivedMessage,
    local_time,
    read_mail,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One occurrence as the calendar shows it; an all-day one ends on the day after its last.

    ``recurrence_id`` is None for a meeting that does not repeat.
    """

    uid: str
    recurrence_id: Moment | None
    start: Moment
    end: Moment
    zone: str
    summary: str
    location: str
    description: str
    people: tuple[str, ...]


@dataclass(slots=True)
class KnownMeeting:
    """The newest message about the whole, and about each occurrence.

    The calendar knows an occurrence by its ``key``. ``sent_alone`` are the keys of those of which
    it ever got a REQUEST.
    """

    organizer: str
    whole: ReceivedMessage | None = None
    occurrences: dict[Moment, ReceivedMessage] = field(default_factory=dict)
    sent_alone: set[Moment] = field(default_factory=set)


class CalendarClient:
    """The calendar of ``owner``, as RFC 5546 wants it."""

    def __init__(self, owner: str) -> None:
        self.owner = owner.lower()
        self._meetings: dict[str, KnownMeeting] = {}

    def receive(self, mail: bytes) -> str:
        """Take a mail. Returns why the calendar ignores it, or "". Raises NotAnInvitation."""
        return self.apply(read_mail(mail))

    def apply(self, message: ReceivedMessage) -> str:
        """Take an iTIP message. Returns and raises as ``receive`` does."""
        uid, organizer = message.one("UID").text, message.one("ORGANIZER").address
        meeting = self._meetings.get(uid) or KnownMeeting(organizer)
        if organizer != meeting.organizer:
            return f"the organizer of this meeting is {meeting.organizer}"
        # Nextcloud looks at the first ATTENDEE only (interop A3).
        if message.method == "CANCEL" and message.all("ATTENDEE")[0].address != self.owner:
            return "it cancels for somebody else"
        starts(message)
        if not self._is_news(message, meeting):
            return "it is not newer than what the calendar has"
        self.store(message, meeting)
        self._meetings[uid] = meeting
        return ""

    def entries(self) -> list[Entry]:
        """Everything that the calendar shows, in order of time."""
        meetings = self._meetings.values()
        found = [entry for meeting in meetings for entry in self._entries(meeting)]
        return sorted(found, key=lambda entry: (_instant(entry.start), entry.uid))

    def key(self, message: ReceivedMessage, when: Moment) -> Moment:
        """By what the calendar knows the occurrence that ``message`` has at ``when``."""
        return when

    def key_of(self, single: ReceivedMessage) -> Moment:
        """By what the calendar knows the occurrence that a message is about."""
        return self.key(single, single.moment("RECURRENCE-ID"))

    def store(self, message: ReceivedMessage, meeting: KnownMeeting) -> None:
        """Keep a message that is news."""
        if message.all("RECURRENCE-ID"):
            meeting.occurrences[self.key_of(message)] = message
            return
        # The whole defines all occurrences anew, so older messages about single ones are void
        # (interop R13). A newer one that has overtaken this message stays.
        meeting.whole = message
        meeting.occurrences = {
            when: single
            for when, single in meeting.occurrences.items()
            if single.version > message.version
        }

    def _is_news(self, message: ReceivedMessage, meeting: KnownMeeting) -> bool:
        """Whether nothing newer, nor the same, is known of what the message is about.

        An occurrence is shown by the whole too, so a message about it alone must be newer than
        both. Thunderbird takes equal DTSTAMPs for the same message (interop S4).
        """
        known = [meeting.whole]
        if message.all("RECURRENCE-ID"):
            known.append(meeting.occurrences.get(self.key_of(message)))
        return all(message.version > each.version for each in known if each)

    def _entries(self, meeting: KnownMeeting) -> Iterator[Entry]:
        whole = meeting.whole
        if whole and whole.method == "REQUEST":
            for start in starts(whole):
                if self.key(whole, start) not in meeting.occurrences:
                    yield _entry(whole, start, start if whole.all("RRULE") else None)
        # Also one that the rule does not have: a program that was told of it shows it.
        for single in meeting.occurrences.values():
            if single.method == "REQUEST":
                when = single.moment("RECURRENCE-ID")
                yield _entry(single, single.moment("DTSTART"), when)


def _entry(message: ReceivedMessage, start: Moment, recurrence_id: Moment | None) -> Entry:
    return Entry(
        uid=message.one("UID").text,
        recurrence_id=recurrence_id,
        start=start,
        end=start + _duration(message),
        zone=message.one("DTSTART").params.get("TZID", "UTC"),
        summary=message.text("SUMMARY"),
        location=message.text("LOCATION"),
        description=message.text("DESCRIPTION"),
        people=tuple(attendee.address for attendee in message.all("ATTENDEE")),
    )


def _duration(message: ReceivedMessage) -> timedelta:
    """The exact one, which all occurrences share (RFC 5545 §3.8.5.3)."""
    return _instant(message.moment("DTEND")) - _instant(message.moment("DTSTART"))


def starts(message: ReceivedMessage) -> list[Moment]:
    """The start of each occurrence that the whole has (RFC 5545 §3.8.5). Raises NotAnInvitation."""
    first = message.one("DTSTART")
    if not message.all("RRULE"):
        return [message.moment("DTSTART")]
    found = list(_expanded(first, message))
    # Programs disagree about a rule that leaves out its own start (interop R1).
    if found[:1] != [message.moment("DTSTART")]:
        raise NotAnInvitation("DTSTART is not the first occurrence of RRULE")
    excluded = {
        message.moment_of(Property(line.name, line.params, value))
        for line in message.all("EXDATE")
        for value in line.value.split(",")
    }
    return [start for start in found if start not in excluded]


def _expanded(first: Property, message: ReceivedMessage) -> Iterator[Moment]:
    parts = dict(part.split("=", 1) for part in message.one("RRULE").value.split(";"))
    if ("COUNT" in parts) == ("UNTIL" in parts):
        raise NotAnInvitation("RRULE needs COUNT or UNTIL, and not both")
    # dateutil compares local times, but UNTIL is an instant (RFC 5545 §3.3.10).
    last = _last(parts.pop("UNTIL", ""), first, message)
    rule = ";".join(f"{name}={value}" for name, value in parts.items())
    for local in rrulestr(rule, dtstart=local_time(first.value.removesuffix("Z"))):
        value = f"{local:%Y%m%d}" if first.is_day else f"{local:%Y%m%dT%H%M%S}"
        value += "Z" if first.value.endswith("Z") else ""
        start = message.moment_of(Property("DTSTART", first.params, value))
        if last is not None and _instant(start) > _instant(last):
            return
        yield start


def _last(until: str, first: Property, message: ReceivedMessage) -> Moment | None:
    if not until:
        return None
    if until.endswith("Z") == first.is_day:
        raise NotAnInvitation(f"UNTIL={until} is neither in UTC nor a day as DTSTART is")
    return message.moment_of(Property("UNTIL", first.params if first.is_day else {}, until))


def _instant(when: Moment) -> datetime:
    """Days and instants on one line; a day begins at midnight in UTC."""
    return when if isinstance(when, datetime) else datetime(*when.timetuple()[:3], tzinfo=UTC)
