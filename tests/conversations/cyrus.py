"""One person's calendar in Cyrus IMAP, as a conversation asks for it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, Event

from tests.support.readers.calendar_client import CalendarClient, Entry
from tests.support.readers.itip_reader import Moment
from tests.support.servers.cyrus import Cyrus

_YEARS = (date(2000, 1, 1), date(2100, 1, 1))


class CyrusCalendar:
    """The calendar of ``owner``, which is empty at first. ``client`` gets the same mails."""

    def __init__(self, owner: str, server: Cyrus) -> None:
        self.client = CalendarClient(owner)
        self._server = server
        server.open_account(owner)

    def receive(self, mail: bytes) -> str:
        """Take a mail. Returns why one of both calendars ignores it, or ""."""
        return self.client.receive(mail) or self._server.deliver(self.client.owner, mail)

    def entries(self) -> list[Entry]:
        """Everything that the calendar shows and that is not cancelled, in order of time."""
        events = Calendar.from_ical(self._server.calendar_of(self.client.owner)).events
        found: list[Entry] = []
        for _, of_meeting in groupby(sorted(events, key=_uid), key=_uid):
            found += _entries(list(of_meeting))
        return sorted(found, key=lambda entry: (entry.start.isoformat(), entry.uid))


def _uid(event: Event) -> str:
    return str(event["UID"])


def _entries(events: list[Event]) -> Iterator[Entry]:
    # Not left to recurring-ical-events, which takes 10:00 in Paris for 10:00 in Shanghai.
    singles = {_moment(e.decoded("RECURRENCE-ID")): e for e in events if "RECURRENCE-ID" in e}
    for whole in events:
        if "RECURRENCE-ID" in whole or _is_cancelled(whole):
            continue
        for event in recurring_ical_events.of(whole).between(*_YEARS):
            start = _moment(event.start)
            if start not in singles:
                yield _entry(event, start if "RRULE" in whole else None)
    for when, single in singles.items():
        if not _is_cancelled(single):
            yield _entry(single, when)


def _is_cancelled(event: Event) -> bool:
    return str(event.get("STATUS")) == "CANCELLED"


def _entry(event: Event, recurrence_id: Moment | None) -> Entry:
    zone = event.start.tzinfo if isinstance(event.start, datetime) else None
    attendees = event.get("ATTENDEE", [])
    return Entry(
        uid=_uid(event),
        recurrence_id=recurrence_id,
        start=_moment(event.start),
        end=_moment(event.end),
        zone=zone.key if isinstance(zone, ZoneInfo) else "UTC",
        summary=str(event["SUMMARY"]),
        location=str(event.get("LOCATION", "")),
        description=str(event.get("DESCRIPTION", "")),
        people=tuple(
            str(each).removeprefix("mailto:")
            for each in (attendees if isinstance(attendees, list) else [attendees])
        ),
    )


def _moment(when: Moment) -> Moment:
    """An instant in UTC, or a day."""
    return when.astimezone(UTC) if isinstance(when, datetime) else when
