"""The people of the tests, and a meeting of theirs.

Alice organizes, Bob and Carol attend, Dan may join, Mallory is a stranger.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from meetings.itip import organizer
from meetings.itip.event import Attendee, Event, Organizer, Role
from meetings.itip.message import Message
from meetings.itip.recurrence.rule import Frequency, Rule

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
    return organizer.invite(meeting(**changes), now=NOW).messages[0]


def update(held: Event, **changes: Any) -> tuple[Message, ...]:
    """What is sent when ``held`` changes."""
    return organizer.update(held, replace(held, **changes), now=NOW, last_dtstamp=NOW).messages


def cancel(held: Event | None = None, *, comment: str = "") -> Message:
    """The CANCEL of ``held``, to the first on its list."""
    return organizer.cancel(held or meeting(), now=NOW, last_dtstamp=NOW, comment=comment).messages[
        0
    ]


def uninvite(held: Event | None = None) -> Message:
    """The CANCEL to Carol, who leaves the list of a meeting that goes on."""
    held = held or meeting()
    stay = tuple(attendee for attendee in held.attendees if attendee.address != CAROL.address)
    return update(held, attendees=stay)[0]
