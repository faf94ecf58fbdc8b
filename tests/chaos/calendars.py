"""What each person's calendar shows after all mails, and what is stored for that person.

The calendar is written from RFC 5545 and RFC 5546, and what is stored is read from the rows.
Neither imports anything of the project.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from tests.chaos.mail import Taken
from tests.support.readers.calendar_client import CalendarClient
from tests.support.readers.itip_reader import Moment

PEOPLE = """
SELECT json_agg(json_build_object(
    'meeting', to_json(meeting), 'person', to_json(person), 'days', (
        SELECT json_agg(day) FROM meetings_occurrenceoverride AS day
        WHERE day.meeting_id = meeting.id)))
FROM meetings_attendee AS person JOIN meetings_meeting AS meeting ON meeting.id = person.meeting_id
"""

Pair = tuple[str, str]  # uid, address
Shown = tuple[Moment, str]  # start of an occurrence, its title
Calendars = dict[Pair, set[Shown]]


@dataclass(frozen=True, slots=True)
class Person:
    """A person of a meeting as the rows have them. ``given_up``: no further try is planned."""

    uid: str
    address: str
    given_up: bool
    may_have_more: bool
    reply: str
    entries: frozenset[Shown]

    @property
    def pair(self) -> Pair:
        return self.uid, self.address


def people_of(rows: Iterable[Mapping[str, Any]]) -> Iterator[Person]:
    """Everybody who is or was invited; ``rows`` are what PEOPLE finds."""
    for row in rows:
        meeting, person = row["meeting"], row["person"]
        failed = person["failed_sequence"]
        yield Person(
            uid=meeting["ical_uid"],
            address=person["address"],
            given_up=failed is not None and failed >= person["asked_sequence"],
            may_have_more=person["told_possible"],
            reply=person["last_reply"],
            entries=frozenset(_entries(meeting, person, row["days"] or [])),
        )


def _entries(
    meeting: Mapping[str, Any], person: Mapping[str, Any], days: Iterable[Mapping[str, Any]]
) -> Iterator[Shown]:
    if meeting["status"] != "CONFIRMED":
        return
    own = {datetime.fromisoformat(day["recurrence_id"]): day for day in days}
    start = datetime.fromisoformat(meeting["start"])
    left_out = {datetime.fromisoformat(text) for text in meeting["exdates"]}
    rule = rrulestr(meeting["rrule"], dtstart=start) if meeting["rrule"] else [start]
    zone = ZoneInfo(meeting["tzid"])
    for when in (each for each in rule if each not in left_out):
        day = own.get(when, {"is_cancelled": False, "changes": {}, "added": [], "removed": []})
        added = {each["address"] for each in day["added"]}
        is_invited = person["address"] in added or (
            person["listed"] and person["address_key"] not in day["removed"]
        )
        if is_invited and not day["is_cancelled"]:
            text = day["changes"].get("start")
            begins = datetime.fromisoformat(text) if text else when
            title = day["changes"].get("summary", meeting["summary"])
            yield begins.replace(tzinfo=zone).astimezone(UTC), title


def shown(taken: Iterable[Taken]) -> Calendars:
    """What each person's calendar shows after these mails, by meeting."""
    clients: dict[str, CalendarClient] = {}
    found: Calendars = {}
    for item in taken:
        client = clients.setdefault(item.recipient, CalendarClient(item.recipient))
        client.apply(item.message)  # a duplicate is ignored, as calendars do
        found.setdefault((item.uid, item.recipient), set())
    for address, client in clients.items():
        for entry in client.entries():
            found[entry.uid, address].add((entry.start, entry.summary))
    return found


def differences(people: Iterable[Person], taken: Iterable[Taken]) -> Iterator[str]:
    """A line for each person whose calendar does not show what is stored for them.

    A mail without the server's word may have arrived or not: both calendars must be right.
    """
    items = list(taken)
    with_all, with_sure = shown(items), shown(item for item in items if item.acknowledged)
    for person in people:
        for kind, calendars in (("all", with_all), ("sure", with_sure)):
            found = calendars.get(person.pair, set())
            if found != person.entries:
                yield (
                    f"{person.pair} after {kind} mails: the calendar shows {_text(found)},"
                    f" and stored is {_text(person.entries)}"
                )


def _text(entries: Iterable[Shown]) -> str:
    lines = (f"{when:%m-%d %H:%M} {title}" for when, title in sorted(entries, key=str))
    return "; ".join(lines) or "nothing"
