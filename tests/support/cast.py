"""The people of the tests, and a meeting of theirs.

Alice organizes, Bob and Carol attend, Dan may join, Mallory is a stranger.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from meetings.itip import organizer
from meetings.itip.event import Attendee, Event, Organizer, Role
from meetings.itip.message import Message, Method, Version
from meetings.itip.readers import PastVersion
from meetings.itip.recurrence.rule import Frequency, Rule
from tests.support.telling import everybody, mails, told

NOW = datetime(2027, 2, 1, 9, 30, tzinfo=UTC)
ALICE = Organizer(address="alice@example.com", name="Alice")
BOB = Attendee(address="bob@example.org", name="Bob")
CAROL = Attendee(address="carol@example.net", name="Carol", role=Role.OPTIONAL)
DAN = Attendee(address="dan@example.org", name="Dan")
ROOM = Attendee(address="room7@example.com", name="Room 7", role=Role.NON_PARTICIPANT)
MALLORY = "mallory@evil.example"
MONDAYS = Rule(freq=Frequency.WEEKLY, count=3, by_day=("MO",))


def meeting(**changes: Any) -> Event:
    """Alice's meeting with Bob and Carol, with ``changes``.

    It is on Monday, 1 March 2027, 10:00 to 11:00 in Shanghai.
    """
    return replace(
        Event(
            uid="meeting-1",
            summary="Weekly review",
            start=datetime(2027, 3, 1, 10),
            end=datetime(2027, 3, 1, 11),
            tzid="Asia/Shanghai",
            organizer=ALICE,
            attendees=(BOB, CAROL),
            description="Bring numbers.",
            location="Room 7",
        ),
        **changes,
    )


def request(**changes: Any) -> Message:
    """The first REQUEST of ``meeting(**changes)``."""
    return messages(organizer.invite(meeting(**changes), now=NOW))[0]


def update(stored: Event, **changes: Any) -> tuple[Message, ...]:
    """What is sent when ``stored`` changes. The last is for people who know ``stored``."""
    return messages(organizer.update(stored, replace(stored, **changes), now=NOW), stored)


def cancel(stored: Event | None = None, *, comment: str = "") -> Message:
    """The CANCEL of ``stored``, to the first on its list."""
    stored = stored or meeting()
    return messages(organizer.cancel(stored, comment=comment), stored)[0]


def uninvite(stored: Event | None = None) -> Message:
    """The CANCEL to Carol, who leaves the list of a meeting that goes on."""
    stored = stored or meeting()
    stay = tuple(attendee for attendee in stored.attendees if attendee.address != CAROL.address)
    return update(stored, attendees=stay)[0]


def messages(
    version: Version, stored: Event | None = None, *, now: datetime = NOW
) -> tuple[Message, ...]:
    """What tells people of ``version``: each CANCEL, what newcomers get, and what others get.

    Everybody of ``stored`` was told all of it, a second before ``now``.
    """
    event, before = version.event, now - timedelta(seconds=1)
    people = everybody(event, told(stored, at=before) if stored else ())
    kept = {event.sequence: PastVersion(version.changes, version.comment)}
    found = [mail.message for mail in mails(event, people, now=now, versions=kept)]
    return tuple(sorted(found, key=lambda each: (each.method is not Method.CANCEL, each.again)))
